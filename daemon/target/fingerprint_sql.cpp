#include "daemon/target/fingerprint_sql.h"

namespace runbookd::daemon {
namespace {

// Names the schemas and relations once. Members of an extension are the extension's business.
// Whatever initdb makes has an oid below 16384: saying so spares a scan of the whole catalog.
constexpr auto head = R"sql(
WITH us AS (
  SELECT oid FROM pg_roles WHERE rolname = current_user
), ns AS (
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'runbookd')
), rel AS MATERIALIZED (
  SELECT c.*, quote_ident(ns.nspname) || '.' || quote_ident(c.relname) AS name
  FROM pg_class c JOIN ns ON ns.oid = c.relnamespace
  WHERE c.oid >= 16384
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT line FROM (SELECT replace(line, chr(10), chr(92) || 'n') AS line FROM (
)sql";

// What the role that we work as was granted is left out, unless it is the owner: the start check of
// any run may ask for more of it.
std::string kept_rights(std::string const& acl, std::string const& owner) {
  return "(SELECT array_agg(i ORDER BY i::text) FROM unnest(" + acl +
         ") i WHERE NOT EXISTS (SELECT FROM aclexplode(ARRAY[i]) x, us WHERE x.grantee = us.oid "
         "AND "
         "us.oid <> " +
         owner + "))";
}

std::string rights(std::string const& kind, std::string const& acl, std::string const& owner) {
  auto const usual = "acldefault(" + kind + ", " + owner + ")";
  return "CASE WHEN " + acl + " IS NULL OR " + acl + " @> " + usual + " AND " + acl + " <@ " +
         usual + " THEN 'default' ELSE (SELECT CASE WHEN k.acl @> " + usual + " AND k.acl <@ " +
         usual + " THEN 'default' ELSE array_to_string(k.acl, ' ') END FROM (SELECT " +
         kept_rights(acl, owner) + " AS acl) k) END";
}

std::string schemas() {
  return R"sql(
SELECT format('schema %I: owner %s, acl %s', nspname, pg_get_userbyid(nspowner), )sql" +
         rights("'n'", "nspacl", "nspowner") + R"sql() AS line
FROM ns
)sql";
}

std::string relations() {
  return R"sql(
SELECT concat(
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
    WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'composite type' END,
  ' ', c.name, ': owner ', pg_get_userbyid(c.relowner),
  ', acl ', )sql" +
         rights(R"sql(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char")sql", "c.relacl",
                "c.relowner") +
         R"sql(,
  CASE WHEN c.relpersistence <> 'p' THEN ', persistence ' || c.relpersistence::text END,
  CASE WHEN c.relreplident NOT IN ('d', 'n') OR c.relkind IN ('r', 'p') AND c.relreplident <> 'd'
       THEN ', replica identity ' || c.relreplident::text END,
  CASE WHEN c.relrowsecurity THEN ', row security' END, CASE WHEN c.relforcerowsecurity THEN ', forced' END,
  CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN ', not populated' END,
  ', access method ' || am.amname, ', tablespace ' || s.spcname,
  CASE WHEN c.reloptions IS NOT NULL
    THEN ', options ' || (SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(c.reloptions) o) END,
  CASE WHEN c.reltoastrelid <> 0 THEN ', toast options ' || (SELECT string_agg(o, ' ' ORDER BY o)
    FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid AND t.reloptions IS NOT NULL) END,
  CASE WHEN c.reloftype <> 0 THEN ', of ' || format_type(c.reloftype, NULL) END,
  ', inherits ' || (SELECT string_agg(i.inhparent::regclass::text, ' ' ORDER BY i.inhseqno)
                    FROM pg_inherits i WHERE i.inhrelid = c.oid),
  CASE WHEN c.relkind = 'p' THEN ', partition by ' || pg_get_partkeydef(c.oid) END,
  CASE WHEN c.relispartition THEN ', bound ' || pg_get_expr(c.relpartbound, c.oid) END,
  -- half detached; the column is there from PostgreSQL 14 on
  CASE WHEN EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid
                    AND to_jsonb(i) ->> 'inhdetachpending' = 'true') THEN ', detach pending' END,
  CASE WHEN c.relkind IN ('v', 'm') THEN ', as ' || pg_get_viewdef(c.oid) END,
  CASE WHEN c.relkind = 'f' THEN (SELECT concat(', server ', f.srvname, ', options ', t.ftoptions)
    FROM pg_foreign_table t JOIN pg_foreign_server f ON f.oid = t.ftserver WHERE t.ftrelid = c.oid) END,
  CASE WHEN c.relkind = 'S' THEN (SELECT concat(', ', format_type(q.seqtypid, NULL), ' start ', q.seqstart, ' by ',
      q.seqincrement, ' min ', q.seqmin, ' max ', q.seqmax, ' cache ', q.seqcache, ' cycle ', q.seqcycle)
    FROM pg_sequence q WHERE q.seqrelid = c.oid) END,
  CASE WHEN c.relkind = 'S' THEN (SELECT concat(', owned by ', d.refobjid::regclass, '.', quote_ident(a.attname))
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0) END)
FROM rel c
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
)sql";
}

// Position is left out on purpose: a column dropped and added again stands last. Some servers keep
// a position in their log as a column option of their own (pg_attver), which is new whenever the
// column is.
std::string columns(int server_version) {
  std::string const compression =
      server_version >= 140000
          ? R"sql(CASE WHEN a.attcompression <> '' THEN ', compression ' || a.attcompression::text END,)sql"
          : "";
  return R"sql(
SELECT concat('column ', c.name, '.', quote_ident(a.attname), ': ', format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attnotnull THEN ' not null' ELSE ' null' END,
  CASE WHEN a.attcollation <> t.typcollation THEN ', collation ' || a.attcollation::regcollation END,
  CASE WHEN a.attidentity <> '' THEN ', identity ' || a.attidentity::text END,
  CASE WHEN d.oid IS NOT NULL THEN
    CASE a.attgenerated WHEN '' THEN ', default ' ELSE ', generated ' || a.attgenerated::text || ' ' END
      || pg_get_expr(d.adbin, d.adrelid) END,
  CASE WHEN a.attstorage <> t.typstorage THEN ', storage ' || a.attstorage::text END,
  )sql" + compression +
         R"sql(
  CASE WHEN coalesce(a.attstattarget, -1) <> -1 THEN ', statistics ' || a.attstattarget END,
  CASE WHEN a.attoptions IS NOT NULL
    THEN ', options ' || (SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(a.attoptions) o WHERE left(o, 3) <> 'pg_') END,
  ', foreign options ' || a.attfdwoptions::text,
  CASE WHEN a.attacl IS NOT NULL THEN ', acl ' || array_to_string()sql" +
         kept_rights("a.attacl", "c.relowner") + R"sql(, ' ') END)
FROM rel c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
)sql";
}

// NOT NULL constraints, catalogued from version 18 on, are in the columns already; their names are
// chance. What the column does not say of them is whether they are validated.
constexpr auto constraints = R"sql(
SELECT concat('constraint ', coalesce(c.name, format_type(k.contypid, NULL)), '.', quote_ident(k.conname), ': ',
  pg_get_constraintdef(k.oid), CASE WHEN NOT k.convalidated THEN ', not validated' END)
FROM pg_constraint k
JOIN ns ON ns.oid = k.connamespace
LEFT JOIN rel c ON c.oid = k.conrelid
WHERE k.oid >= 16384 AND k.contype NOT IN ('n', 't') AND (c.oid IS NOT NULL OR k.contypid <> 0)
UNION ALL
SELECT concat('not null ', c.name, '.', quote_ident(a.attname), ':',
  CASE WHEN NOT k.convalidated THEN ' not validated' END, CASE WHEN k.connoinherit THEN ' no inherit' END)
FROM pg_constraint k
JOIN rel c ON c.oid = k.conrelid
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.oid >= 16384 AND k.contype = 'n' AND (NOT k.convalidated OR k.connoinherit)
)sql";

constexpr auto indexes = R"sql(
SELECT concat('index ', c.name, ': ', pg_get_indexdef(i.indexrelid),
  CASE WHEN i.indisvalid THEN ', valid' ELSE ', invalid' END,
  CASE WHEN NOT i.indisready THEN ', not ready' END, CASE WHEN NOT i.indislive THEN ', not live' END,
  CASE WHEN i.indisclustered THEN ', clustered' END, CASE WHEN i.indisreplident THEN ', replica identity' END,
  ', tablespace ' || s.spcname,
  ', part of ' || (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = c.oid LIMIT 1))
FROM rel c
JOIN pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
)sql";

constexpr auto on_tables = R"sql(
SELECT concat('trigger ', c.name, '.', quote_ident(t.tgname), ': ', pg_get_triggerdef(t.oid), ', enabled ', t.tgenabled)
FROM pg_trigger t JOIN rel c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal
UNION ALL
SELECT concat('constraint trigger ', c.name, '.', quote_ident(k.conname), ': type ', t.tgtype, ', enabled ', t.tgenabled)
FROM pg_trigger t JOIN rel c ON c.oid = t.tgrelid JOIN pg_constraint k ON k.oid = t.tgconstraint
WHERE t.tgisinternal AND t.tgenabled <> 'O'
UNION ALL
SELECT concat('rule ', c.name, '.', quote_ident(r.rulename), ': ', pg_get_ruledef(r.oid), ', enabled ', r.ev_enabled)
FROM pg_rewrite r JOIN rel c ON c.oid = r.ev_class
WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT concat('policy ', c.name, '.', quote_ident(p.polname), ': for ', p.polcmd,
  CASE WHEN p.polpermissive THEN ', permissive' ELSE ', restrictive' END,
  ', to ', (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END, ' '
                              ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) r),
  ', using ' || pg_get_expr(p.polqual, p.polrelid), ', check ' || pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN rel c ON c.oid = p.polrelid
UNION ALL
SELECT concat('statistics ', quote_ident(ns.nspname), '.', quote_ident(s.stxname), ': ', pg_get_statisticsobjdef(s.oid),
  ', owner ', pg_get_userbyid(s.stxowner),
  CASE WHEN coalesce(s.stxstattarget, -1) <> -1 THEN ', target ' || s.stxstattarget END)
FROM pg_statistic_ext s JOIN ns ON ns.oid = s.stxnamespace
)sql";

std::string functions() {
  return R"sql(
SELECT concat('function ', quote_ident(ns.nspname), '.', quote_ident(p.proname), '(',
  pg_get_function_identity_arguments(p.oid), '): owner ', pg_get_userbyid(p.proowner),
  ', acl ', )sql" +
         rights("'f'", "p.proacl", "p.proowner") + R"sql(,
  ', ', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (
    SELECT concat('aggregate ', g.aggtransfn::regprocedure, ' ', g.aggfinalfn::regprocedure, ' ',
                  g.aggcombinefn::regprocedure, ' ', format_type(g.aggtranstype, NULL), ' ', g.agginitval, ' ',
                  p.proparallel) FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END)
FROM pg_proc p JOIN ns ON ns.oid = p.pronamespace
WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
)sql";
}

// Array types, row types of tables and multiranges come and go with another object.
std::string types() {
  return R"sql(
SELECT concat('type ', quote_ident(ns.nspname), '.', quote_ident(t.typname), ': ', t.typtype,
  ', owner ', pg_get_userbyid(t.typowner),
  ', acl ', )sql" +
         rights("'T'", "t.typacl", "t.typowner") + R"sql(,
  CASE WHEN t.typtype = 'e' THEN (SELECT ', labels ' || string_agg(quote_literal(e.enumlabel), ' ' ORDER BY e.enumsortorder)
                                  FROM pg_enum e WHERE e.enumtypid = t.oid) END,
  CASE WHEN t.typtype = 'd' THEN concat(', of ', format_type(t.typbasetype, t.typtypmod),
    CASE WHEN t.typnotnull THEN ' not null' END, ', default ' || t.typdefault,
    CASE WHEN t.typcollation <> 0 THEN ', collation ' || t.typcollation::regcollation END) END,
  CASE WHEN t.typtype = 'r' THEN (SELECT concat(', of ', format_type(r.rngsubtype, NULL), ' ', r.rngcanonical, ' ', r.rngsubdiff)
                                  FROM pg_range r WHERE r.rngtypid = t.oid) END)
FROM pg_type t JOIN ns ON ns.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.oid >= 16384 AND t.typtype <> 'm' AND NOT (t.typelem <> 0 AND t.typcategory = 'A') AND (c.oid IS NULL OR c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
)sql";
}

std::string publications(int server_version) {
  bool const filters = server_version >= 150000;
  std::string const filter = filters ? R"sql(, ', columns ' || (
    SELECT string_agg(quote_ident(a.attname), ' ' ORDER BY a.attname)
    FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])),
  ', where ' || pg_get_expr(r.prqual, r.prrelid))sql"
                                     : "";
  std::string const of_schemas = filters ? R"sql(
UNION ALL
SELECT format('publication %I: tables of schema %I', p.pubname, n.nspname)
FROM pg_publication_namespace x JOIN pg_publication p ON p.oid = x.pnpubid JOIN pg_namespace n ON n.oid = x.pnnspid
)sql"
                                         : "";
  return R"sql(
SELECT concat('publication ', quote_ident(p.pubname), ': owner ', pg_get_userbyid(p.pubowner), ', ',
              (to_jsonb(p) - 'oid' - 'pubname' - 'pubowner')::text)
FROM pg_publication p
UNION ALL
SELECT concat('publication ', quote_ident(p.pubname), ': table ', r.prrelid::regclass)sql" +
         filter + R"sql()
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
)sql" + of_schemas;
}

constexpr auto the_rest = R"sql(
SELECT format('extension %I: version %s in %I', e.extname, e.extversion, n.nspname)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT concat('event trigger ', quote_ident(evtname), ': on ', evtevent, ' ', evttags::text, ' does ',
              evtfoid::regprocedure, ', enabled ', evtenabled, ', owner ', pg_get_userbyid(evtowner))
FROM pg_event_trigger
UNION ALL
SELECT concat('default privileges of ', pg_get_userbyid(d.defaclrole), ' in ', coalesce(n.nspname, 'every schema'),
              ': ', d.defaclobjtype, ' ',
              (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(d.defaclacl) a))
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
UNION ALL
SELECT concat('server ', quote_ident(s.srvname), ': ', w.fdwname, ' ', s.srvtype, ' ', s.srvversion, ' ', s.srvoptions::text,
              ', owner ', pg_get_userbyid(s.srvowner),
              ', acl ' || (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(s.srvacl) a))
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
UNION ALL
SELECT concat('collation ', quote_ident(ns.nspname), '.', quote_ident(c.collname), ': ',
              (to_jsonb(c) - 'oid' - 'collname' - 'collnamespace' - 'collowner' - 'collversion')::text,
              ', owner ', pg_get_userbyid(c.collowner))
FROM pg_collation c JOIN ns ON ns.oid = c.collnamespace
WHERE c.oid >= 16384
UNION ALL
SELECT concat('operator ', o.oid::regoperator, ': ', o.oprcode::regprocedure, ' ', o.oprrest::regproc, ' ', o.oprjoin::regproc,
              ', owner ', pg_get_userbyid(o.oprowner))
FROM pg_operator o JOIN ns ON ns.oid = o.oprnamespace
WHERE o.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT concat('operator class ', quote_ident(ns.nspname), '.', quote_ident(o.opcname), ': ', am.amname, ' ',
              format_type(o.opcintype, NULL), ' ', o.opcdefault)
FROM pg_opclass o JOIN ns ON ns.oid = o.opcnamespace JOIN pg_am am ON am.oid = o.opcmethod
WHERE o.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_opclass'::regclass AND d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT concat('cast ', format_type(c.castsource, NULL), ' ', format_type(c.casttarget, NULL), ': ',
              nullif(c.castfunc, 0)::regprocedure, ' ', c.castcontext, ' ', c.castmethod)
FROM pg_cast c
WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d
                                     WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT concat('text search configuration ', quote_ident(ns.nspname), '.', quote_ident(c.cfgname), ': ',
              (SELECT string_agg(concat(m.maptokentype, ' ', m.mapdict::regdictionary), ', '
                                 ORDER BY m.maptokentype, m.mapseqno)
               FROM pg_ts_config_map m WHERE m.mapcfg = c.oid))
FROM pg_ts_config c JOIN ns ON ns.oid = c.cfgnamespace
UNION ALL
SELECT concat('text search dictionary ', quote_ident(ns.nspname), '.', quote_ident(t.dictname), ': ', t.dictinitoption)
FROM pg_ts_dict t JOIN ns ON ns.oid = t.dictnamespace
)sql";

constexpr auto comments = R"sql(
SELECT concat('comment on ', o.type, ' ', o.identity, ': ', d.description)
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
WHERE d.objoid >= 16384 AND o.schema IS DISTINCT FROM 'runbookd'
  AND NOT (o.type = 'schema' AND o.identity = 'runbookd')
  AND NOT EXISTS (SELECT FROM pg_depend e
                  WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
)sql";

constexpr auto tail = R"sql(
) AS object) AS object ORDER BY line COLLATE "C"
)sql";

}  // namespace

std::string fingerprint_sql(int server_version) {
  std::string const next = "\nUNION ALL\n";
  return head + (schemas() + next) + relations() + next + columns(server_version) + next +
         constraints + next + indexes + next + on_tables + next + functions() + next + types() +
         next + publications(server_version) + next + the_rest + next + comments + tail;
}

}  // namespace runbookd::daemon
