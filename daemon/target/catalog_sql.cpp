#include "daemon/target/catalog_sql.h"

namespace runbookd::daemon::catalog_sql {
namespace {

// What the server opens the relation for, such as to write an expression out as SQL. Where somebody
// has its strongest lock, or queues for it, that stays unread.
std::string unless_locked(std::string const& relation, std::string const& what) {
  return "CASE WHEN " + relation +
         " <> ALL (ARRAY(SELECT l.relation FROM pg_locks l WHERE l.mode = 'AccessExclusiveLock' "
         "AND l.relation IS NOT NULL AND l.pid IS DISTINCT FROM pg_backend_pid())) THEN " +
         what + " END";
}

}  // namespace

char const* const session = R"sql(
SELECT array_to_string(array_remove(current_schemas(false), 'pg_catalog'), chr(31)),
       current_setting('TimeZone'),
       (SELECT string_agg(nspname, chr(31)) FROM pg_namespace WHERE nspname !~ '^pg_')
)sql";

char const* const types = R"sql(
SELECT t.oid, n.nspname, t.typname, t.typtype, format_type(t.typbasetype, t.typtypmod),
       t.typnotnull, t.typdefault,
       (SELECT string_agg(k.conname || chr(31) || pg_get_expr(k.conbin, 0) || chr(31) || k.convalidated, chr(30))
        FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'),
       t.typrelid
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.oid >= 16384 AND n.nspname !~ '^pg_' AND (t.typrelid = 0 OR c.relkind = 'c')
  AND NOT (t.typelem <> 0 AND t.typlen = -1)
ORDER BY t.oid
)sql";

char const* const statistics = R"sql(
SELECT n.nspname, s.stxname, s.stxrelid
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
ORDER BY s.oid
)sql";

char const* const publications = R"sql(
SELECT p.pubname, r.prrelid
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
ORDER BY r.oid
)sql";

char const* const attributes = R"sql(
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relkind = 'c' AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
)sql";

char const* const functions = R"sql(
SELECT n.nspname, p.proname, p.pronargs, p.provolatile = 'v', l.lanname,
       CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN p.prosrc END
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.oid >= 16384 AND n.nspname !~ '^pg_'
ORDER BY p.oid
)sql";

// Temporary relations of others are none of ours. Sizes are as VACUUM or ANALYZE left them: whoever
// measures a relation opens it, and would wait behind everybody who queues for its strongest lock.
std::string relations(int server_version) {
  std::string const pending =
      server_version >= 140000 ? "bool_or(i.inhdetachpending)" : "NULL::bool";
  return R"sql(
SELECT c.oid, CASE WHEN n.oid = pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END, c.relname,
       c.relkind, c.relpersistence, c.relispopulated, s.spcname, am.amname,
       c.reltuples::bigint,
       CASE WHEN c.relkind IN ('r', 'm') AND h.known THEN h.block * (c.relpages + (
         SELECT coalesce(sum(o.relpages), 0) FROM pg_class o WHERE o.oid = c.reltoastrelid
           OR o.oid IN (SELECT x.indexrelid FROM pg_index x WHERE x.indrelid IN (c.oid, c.reltoastrelid)))) END,
       CASE WHEN c.relkind IN ('r', 'm') AND h.known THEN h.block * c.relpages END,
       i.parents, c.relispartition, i.pending, )sql" +
         unless_locked("c.oid", "pg_get_expr(c.relpartbound, c.oid)") + R"sql(,
       CASE WHEN c.relkind = 'p' THEN )sql" +
         unless_locked("c.oid", "pg_get_partkeydef(c.oid)") + R"sql( END,
       CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
       d.refobjid, a.attname, c.reltoastrelid <> 0
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN (SELECT i.inhrelid, string_agg(i.inhparent::text, chr(31) ORDER BY i.inhseqno) AS parents,
                  )sql" +
         pending + R"sql( AS pending FROM pg_inherits i GROUP BY 1) i ON i.inhrelid = c.oid
LEFT JOIN pg_depend d ON c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
  AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
CROSS JOIN LATERAL (SELECT current_setting('block_size')::bigint AS block,
                           c.reltuples > 0 OR c.relpages > 0 AS known) h
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND (n.nspname !~ '^pg_' OR n.oid = pg_my_temp_schema()) AND n.nspname <> 'runbookd'
ORDER BY c.oid
)sql";
}

std::string columns() {
  return R"sql(
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.attidentity, a.attgenerated, )sql" +
         unless_locked("d.adrelid", "pg_get_expr(d.adbin, d.adrelid)") + R"sql(,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0
  AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
)sql";
}

std::string constraints(int server_version) {
  return R"sql(
SELECT k.conrelid, k.conname, k.contype,
       (SELECT string_agg(a.attname, chr(31) ORDER BY o.at) FROM unnest(k.conkey) WITH ORDINALITY o(n, at)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = o.n),
       k.convalidated, k.connoinherit, k.coninhcount > 0 OR k.conparentid <> 0, k.confrelid,
       (SELECT string_agg(a.attname, chr(31) ORDER BY o.at) FROM unnest(k.confkey) WITH ORDINALITY o(n, at)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = o.n),
       k.confdeltype, k.confupdtype,
       CASE WHEN k.contype = 'c' THEN )sql" +
         unless_locked("k.conrelid", "pg_get_expr(k.conbin, k.conrelid)") + " END, " +
         (server_version >= 180000 ? "k.conenforced" : "true") + R"sql(
FROM pg_constraint k
WHERE k.oid >= 16384 AND k.conrelid <> 0 AND k.contype IN ('c', 'f', 'p', 'u', 'x', 'n')
  -- a key to a partitioned table has one more for each of its partitions
  AND NOT (k.contype = 'f' AND EXISTS (SELECT FROM pg_constraint up
           WHERE up.oid = k.conparentid AND up.conrelid = k.conrelid))
ORDER BY k.conrelid, k.oid
)sql";
}

std::string indexes() {
  return R"sql(
SELECT i.indrelid, c.relname, )sql" +
         unless_locked("i.indrelid", "pg_get_indexdef(i.indexrelid)") +
         R"sql(, i.indisvalid, i.indisclustered,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
               AND k.conrelid = i.indrelid),
       s.spcname, pn.nspname, p.relname
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid AND t.relkind IN ('r', 'p', 'm')
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_class p ON p.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE i.indexrelid >= 16384
ORDER BY i.indexrelid
)sql";
}

char const* const triggers = R"sql(
SELECT t.tgrelid, t.tgname, n.nspname, p.proname, t.tgtype & 1, t.tgconstrrelid,
       t.tgparentid <> 0
FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE t.oid >= 16384 AND (NOT t.tgisinternal OR
  t.tgfoid >= 16384)
ORDER BY t.oid
)sql";

// Rules and policies, with the relations and functions that they use.
char const* const rules = R"sql(
SELECT r.ev_class, 'rule', r.rulename,
       (SELECT string_agg(DISTINCT d.refobjid::text, chr(31)) FROM pg_depend d
        WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class),
       (SELECT string_agg(DISTINCT n.nspname || '.' || p.proname, chr(31)) FROM pg_depend d
        JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
          AND d.refclassid = 'pg_proc'::regclass AND p.oid >= 16384)
FROM pg_rewrite r WHERE r.oid >= 16384
UNION ALL
SELECT p.polrelid, 'policy', p.polname,
       (SELECT string_agg(DISTINCT d.refobjid::text, chr(31)) FROM pg_depend d
        WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> p.polrelid),
       (SELECT string_agg(DISTINCT n.nspname || '.' || f.proname, chr(31)) FROM pg_depend d
        JOIN pg_proc f ON f.oid = d.refobjid JOIN pg_namespace n ON n.oid = f.pronamespace
        WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
          AND d.refclassid = 'pg_proc'::regclass AND f.oid >= 16384)
FROM pg_policy p
ORDER BY 1, 3
)sql";

// Which columns of which relations a view reads.
char const* const uses = R"sql(
SELECT r.ev_class, d.refobjid, string_agg(DISTINCT a.attname, chr(31))
FROM pg_rewrite r
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
WHERE r.rulename = '_RETURN' AND r.oid >= 16384
GROUP BY 1, 2 ORDER BY 1, 2
)sql";

char const* const members = R"sql(
SELECT e.extname, n.nspname, coalesce(t.typname, p.proname)
FROM pg_extension e
JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
JOIN pg_namespace n ON n.oid = coalesce(t.typnamespace, p.pronamespace)
WHERE n.nspname !~ '^pg_'
)sql";

}  // namespace runbookd::daemon::catalog_sql
