#include "daemon/target/outside_sql.h"

#include <algorithm>
#include <iterator>

namespace runbookd::daemon {
namespace {

using Kind = planner::Outside::Kind;

constexpr std::string_view nothing_noted =
    "SELECT '{}'::oid[], '{}'::oid[], '{}'::oid[] FROM asked";

// --- CREATE INDEX CONCURRENTLY: a new index goes to its table's schema

constexpr std::string_view indexes_of_table = R"sql(
SELECT '{}'::oid[], ARRAY[to_regclass(relation)::oid],
       ARRAY(SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = to_regclass(relation))
FROM asked)sql";

// A valid index after an error that we heard is somebody else's: ours failed.
constexpr std::string_view look_at_build = R"sql(
SELECT CASE WHEN NOT ours OR (indisvalid AND failed_at IS NOT NULL) THEN 'untouched'
            WHEN indisvalid THEN 'done' ELSE 'half' END,
       CASE WHEN oid IS NULL THEN format('the catalog has no index %s on %s', name, relation)
            WHEN NOT ours THEN format('%s was not made by this attempt', full_name)
            WHEN indisvalid THEN format('index %s on %s is complete and valid', full_name, relation)
            ELSE format('index %s on %s is invalid: the build stopped half way', full_name, relation) END,
       CASE WHEN ours AND NOT indisvalid THEN full_name END, builder, NULL
FROM (SELECT a.name, a.relation, c.oid, i.indisvalid, w.failed_at,
             format('%I.%I', n.nspname, c.relname) AS full_name,
             coalesce(i.indrelid = t.oid AND c.oid <> ALL (w.beside), false) AS ours,
             (SELECT min(p.pid) FROM pg_catalog.pg_stat_progress_create_index p
              WHERE p.index_relid = c.oid AND p.pid <> pg_backend_pid()) AS builder
      FROM asked a CROSS JOIN was w
      LEFT JOIN pg_catalog.pg_class t ON t.oid = to_regclass(a.relation)
      LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = t.relnamespace AND c.relname = a.name
      LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid) found)sql";

constexpr std::string_view build_refused = R"sql(
SELECT '0A000', format('%s is partitioned, and the server builds no index concurrently on all its partitions at once; '
         'make three kinds of steps of it: CREATE INDEX %I ON ONLY %s (…); CREATE INDEX CONCURRENTLY on each '
         'partition; ALTER INDEX %I ATTACH PARTITION … for each', a.relation, a.name, a.relation, a.name)
FROM asked a JOIN pg_catalog.pg_class t ON t.oid = to_regclass(a.relation) AND t.relkind = 'p'
UNION ALL
SELECT CASE WHEN found.builder IS NULL THEN '42P07' ELSE '55006' END,
       CASE WHEN NOT found.is_index THEN
              format('the name %s is taken by something that is no index; choose another index name in the plan', name)
            WHEN NOT found.on_table THEN
              format('the name %s is taken by an index of another table; choose another index name in the plan', name)
            WHEN found.builder IS NOT NULL THEN
              format('index %s is being built by another session, pid %s; wait for it or cancel it, then retry the step',
                     name, found.builder)
            ELSE format('an invalid index %s exists already, and this step did not make it; when nobody needs it, '
                        'drop it and retry the step: DROP INDEX CONCURRENTLY %s', name, name) END
FROM (SELECT format('%I.%I', n.nspname, c.relname) AS name, i.indexrelid IS NOT NULL AS is_index,
             i.indrelid = t.oid AS on_table, i.indisvalid AS valid,
             (SELECT min(p.pid) FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS builder
      FROM asked a
      JOIN pg_catalog.pg_class t ON t.oid = to_regclass(a.relation)
      JOIN pg_catalog.pg_class c ON c.relnamespace = t.relnamespace AND c.relname = a.name
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid) found
WHERE NOT (found.is_index AND found.on_table AND found.valid))sql";

// --- DROP INDEX CONCURRENTLY: by oid, since another index may have the name by now

constexpr std::string_view one_relation = R"sql(
SELECT ARRAY(SELECT r::oid FROM to_regclass(object) r WHERE r IS NOT NULL), '{}'::oid[], '{}'::oid[] FROM asked)sql";

constexpr std::string_view look_at_drop = R"sql(
SELECT CASE WHEN w.objects = '{}' AND (w.failed_at IS NOT NULL OR to_regclass(a.object) IS NOT NULL) THEN 'untouched'
            WHEN i.indexrelid IS NULL THEN 'done'
            WHEN i.indisvalid THEN 'untouched' ELSE 'half' END,
       CASE WHEN i.indexrelid IS NULL THEN format('index %s is gone', a.object)
            WHEN i.indisvalid THEN format('index %s is still in the catalog', a.object)
            ELSE format('index %s is invalid and still in the catalog: the drop stopped half way', a.object) END,
       NULL, NULL, NULL
FROM asked a CROSS JOIN was w LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = w.objects[1])sql";

constexpr std::string_view drop_refused = R"sql(
SELECT '0A000', format('%s is an index of a partitioned table, which the server does not drop concurrently; write '
         'DROP INDEX %s: it locks the table and every partition for a moment', a.object, a.object)
FROM asked a JOIN pg_catalog.pg_class c ON c.oid = to_regclass(a.object) AND c.relkind = 'I')sql";

// --- REINDEX … CONCURRENTLY: new indexes take the places of the old ones, whose oids are noted.
// Partitioned ones go partition by partition.

constexpr std::string_view leaf_indexes = R"sql(
SELECT found.objects, found.relations,
       ARRAY(SELECT i.indexrelid FROM pg_catalog.pg_index i
             WHERE i.indrelid = ANY (found.relations) AND NOT i.indisvalid)
FROM (SELECT coalesce(array_agg(i.indexrelid), '{}') AS objects,
             coalesce(array_agg(DISTINCT i.indrelid), '{}') AS relations
      FROM asked a
      CROSS JOIN LATERAL (SELECT to_regclass(a.object)::oid AS oid
                          UNION SELECT t.relid::oid FROM pg_partition_tree(to_regclass(a.object)) t) leaf
      JOIN pg_catalog.pg_class c ON c.oid = leaf.oid AND c.relkind = 'i'
      JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid) found)sql";

// The server leaves out invalid indexes and those of exclusion constraints.
constexpr std::string_view indexes_of_leaves = R"sql(
SELECT ARRAY(SELECT i.indexrelid FROM pg_catalog.pg_index i
             WHERE i.indrelid = ANY (found.relations) AND i.indisvalid AND NOT i.indisexclusion),
       found.relations,
       ARRAY(SELECT i.indexrelid FROM pg_catalog.pg_index i
             WHERE i.indrelid = ANY (found.relations) AND NOT i.indisvalid)
FROM (SELECT coalesce(array_agg(r.oid), '{}') AS relations
      FROM asked a
      CROSS JOIN LATERAL (SELECT to_regclass(a.object)::oid AS oid
                          UNION SELECT t.relid::oid FROM pg_partition_tree(to_regclass(a.object)) t) leaf
      JOIN pg_catalog.pg_class c ON c.oid = leaf.oid AND c.relkind IN ('r', 'm')
      CROSS JOIN LATERAL (VALUES (c.oid), (c.reltoastrelid)) r (oid)
      WHERE r.oid <> 0) found)sql";

constexpr std::string_view tables_of_schema = R"sql(
SELECT '{}'::oid[], found.relations,
       ARRAY(SELECT i.indexrelid FROM pg_catalog.pg_index i
             WHERE i.indrelid = ANY (found.relations) AND NOT i.indisvalid)
FROM (SELECT coalesce(array_agg(r.oid), '{}') AS relations
      FROM asked a
      JOIN pg_catalog.pg_namespace n ON a.name = '' OR n.nspname = a.name
      JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'm')
      CROSS JOIN LATERAL (VALUES (c.oid), (c.reltoastrelid)) r (oid)
      WHERE r.oid <> 0) found)sql";

// The exchange renames an old index to …_ccold in the transaction that gives its name to the new
// one; before it the new one is called …_ccnew.
constexpr std::string_view look_at_reindex = R"sql(
, old AS (
  SELECT count(c.oid) AS stay, cardinality(w.objects) AS noted
  FROM was w
  LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid)
    ON c.oid = ANY (w.objects) AND NOT (c.relname ~ '_ccold[0-9]*$' AND NOT i.indisvalid)
  GROUP BY w.objects
), leftover AS (
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
         (SELECT min(p.pid) FROM pg_catalog.pg_stat_progress_create_index p
          WHERE p.relid = i.indrelid AND p.pid <> pg_backend_pid()) AS builder
  FROM was w
  JOIN pg_catalog.pg_index i ON i.indrelid = ANY (w.relations) AND NOT i.indisvalid
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relname ~ '_cc(new|old)[0-9]*$'
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid <> ALL (w.beside) OR (c.oid = ANY (w.objects) AND c.relname ~ '_ccold[0-9]*$')
)
SELECT CASE WHEN o.noted = 0 THEN 'repeatable'
            WHEN o.stay = o.noted AND l.names IS NULL THEN 'untouched'
            WHEN o.stay = 0 AND to_regclass(a.object) IS NOT NULL AND o.noted <= (
              SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = ANY (w.relations) AND i.indisvalid)
              THEN 'done'
            ELSE 'half' END,
       CASE WHEN o.noted = 0 THEN 'building indexes anew once more does no harm'
            ELSE format('%s of %s old indexes of %s have been replaced', o.noted - o.stay, o.noted, a.object) END
         || coalesce('; left over: ' || l.names, ''),
       l.names, l.builder, NULL
FROM asked a CROSS JOIN was w CROSS JOIN old o
CROSS JOIN (SELECT string_agg(name, E'\n' ORDER BY name) AS names, min(builder) AS builder FROM leftover) l)sql";

// --- DETACH PARTITION … CONCURRENTLY: the first of its two transactions marks the partition, and
// from then on the only way is FINALIZE. PostgreSQL 13 has neither it nor the column.

constexpr std::string_view attached_partition = R"sql(
SELECT ARRAY(SELECT h.inhrelid FROM pg_catalog.pg_inherits h
             WHERE h.inhrelid = to_regclass(object) AND h.inhparent = to_regclass(relation)
               AND to_jsonb(h) ->> 'inhdetachpending' IS DISTINCT FROM 'true'),
       ARRAY[to_regclass(relation)::oid], '{}'::oid[]
FROM asked)sql";

constexpr std::string_view look_at_detach = R"sql(
SELECT CASE WHEN w.objects = '{}' OR (h.inhrelid IS NOT NULL AND NOT pending) THEN 'untouched'
            WHEN pending THEN 'half' ELSE 'done' END,
       CASE WHEN w.objects = '{}' THEN format('%s was no partition of %s that could be detached', a.object, a.relation)
            WHEN pending THEN format('the detach of %s from %s is pending: its rows cannot be seen through %s, and rows '
                                     'for it are refused there', a.object, a.relation, a.relation)
            WHEN h.inhrelid IS NOT NULL THEN format('%s is still a partition of %s', a.object, a.relation)
            ELSE format('%s is detached from %s', a.object, a.relation) END,
       NULL, NULL,
       CASE WHEN pending THEN format('ALTER TABLE %s DETACH PARTITION %s FINALIZE', a.relation, a.object) END
FROM asked a CROSS JOIN was w
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = w.objects[1] AND h.inhparent = w.relations[1]
CROSS JOIN LATERAL (SELECT coalesce(to_jsonb(h) ->> 'inhdetachpending' = 'true', false)) p (pending))sql";

// --- what no transaction holds, but what has no half-way state that matters

constexpr std::string_view look_at_maintenance =
    "SELECT 'repeatable', 'once more does no harm', NULL, NULL, NULL FROM asked";

// --- databases, tablespaces, subscriptions: there or not

constexpr std::string_view databases =
    "SELECT oid, datname, datconnlimit = -2 FROM pg_catalog.pg_database";
constexpr std::string_view tablespaces = "SELECT oid, spcname, false FROM pg_catalog.pg_tablespace";
constexpr std::string_view subscriptions = R"sql(
SELECT oid, subname, false FROM pg_catalog.pg_subscription
WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))sql";

constexpr std::string_view thing_of_that_name = R"sql(
SELECT ARRAY(SELECT t.oid FROM things t WHERE t.name = asked.name), '{}'::oid[], '{}'::oid[] FROM asked)sql";

constexpr std::string_view look_for_new_thing = R"sql(
SELECT CASE WHEN t.oid IS NULL OR t.half OR t.oid = ANY (w.objects) THEN 'untouched' ELSE 'done' END,
       CASE WHEN t.oid IS NULL THEN format('the catalog has no %I', a.name)
            WHEN t.half THEN format('%I is a half dropped database; drop it', a.name)
            WHEN t.oid = ANY (w.objects) THEN format('%I was there before', a.name)
            ELSE format('%I is in the catalog and was not before', a.name) END, NULL, NULL, NULL
FROM asked a CROSS JOIN was w LEFT JOIN things t ON t.name = a.name)sql";

constexpr std::string_view look_for_old_thing = R"sql(
SELECT CASE WHEN w.objects = '{}' AND w.failed_at IS NOT NULL THEN 'untouched'
            WHEN t.oid IS NULL THEN 'done' WHEN t.half THEN 'half' ELSE 'untouched' END,
       CASE WHEN t.oid IS NULL THEN format('%I is gone', a.name)
            WHEN t.half THEN format('%I is half dropped: nobody can connect to it, and dropping it again ends it', a.name)
            ELSE format('%I is still in the catalog', a.name) END, NULL, NULL, NULL
FROM asked a CROSS JOIN was w LEFT JOIN things t ON t.oid = w.objects[1])sql";

constexpr std::string_view look_at_move = R"sql(
SELECT CASE WHEN s.spcname = a.value THEN 'done' ELSE 'untouched' END,
       format('database %I is in tablespace %I', a.name, s.spcname), NULL, NULL, NULL
FROM asked a
LEFT JOIN pg_catalog.pg_database d ON d.datname = a.name
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = d.dattablespace)sql";

constexpr std::string_view look_at_setting = R"sql(
SELECT CASE WHEN CASE WHEN a.name = '' THEN f.lines = 0 ELSE f.setting IS NOT DISTINCT FROM a.value END
            THEN 'done' ELSE 'untouched' END,
       CASE WHEN a.name = '' THEN format('postgresql.auto.conf has %s settings', f.lines)
            ELSE format('postgresql.auto.conf has %s for %I', coalesce(quote_literal(f.setting), 'nothing'), a.name) END,
       NULL, NULL, NULL
FROM asked a
CROSS JOIN LATERAL (
  SELECT count(*) AS lines, (array_agg(s.setting ORDER BY s.seqno DESC))[1] AS setting
  FROM pg_catalog.pg_file_settings s
  WHERE s.sourcefile LIKE '%postgresql.auto.conf' AND (a.name = '' OR lower(s.name) = lower(a.name))) f)sql";

// --- what nothing can tell

constexpr std::string_view look_at_publications = R"sql(
SELECT 'unknowable', format('subscription %I has the publications %s', a.name, s.subpublications), NULL, NULL, NULL
FROM asked a LEFT JOIN pg_catalog.pg_subscription s ON s.subname = a.name)sql";

constexpr std::string_view look_at_nothing =
    "SELECT 'unknowable', 'no catalog keeps what this statement does', NULL, NULL, NULL FROM asked";

constexpr OutsideQueries table[] = {
    {Kind::create_index, "", indexes_of_table, look_at_build, build_refused},
    {Kind::drop_index, "", one_relation, look_at_drop, drop_refused},
    {Kind::reindex_index, "", leaf_indexes, look_at_reindex, ""},
    {Kind::reindex_table, "", indexes_of_leaves, look_at_reindex, ""},
    {Kind::reindex_many, "", tables_of_schema, look_at_reindex, ""},
    {Kind::detach, "", attached_partition, look_at_detach, ""},
    {Kind::maintenance, "", nothing_noted, look_at_maintenance, ""},
    {Kind::create_database, databases, thing_of_that_name, look_for_new_thing, ""},
    {Kind::drop_database, databases, thing_of_that_name, look_for_old_thing, ""},
    {Kind::move_database, "", nothing_noted, look_at_move, ""},
    {Kind::alter_system, "", nothing_noted, look_at_setting, ""},
    {Kind::create_tablespace, tablespaces, thing_of_that_name, look_for_new_thing, ""},
    {Kind::drop_tablespace, tablespaces, thing_of_that_name, look_for_old_thing, ""},
    {Kind::create_subscription, subscriptions, thing_of_that_name, look_for_new_thing, ""},
    {Kind::drop_subscription, subscriptions, thing_of_that_name, look_for_old_thing, ""},
    {Kind::alter_subscription, "", nothing_noted, look_at_publications, ""},
    {Kind::other, "", nothing_noted, look_at_nothing, ""},
};

}  // namespace

OutsideQueries const& queries_for(Kind kind) {
  auto const found = std::ranges::find(table, kind, &OutsideQueries::kind);
  return found == std::end(table) ? *std::prev(std::end(table)) : *found;
}

}  // namespace runbookd::daemon
