// Queries whose answer makes a thing again as it is: with its owner, rights and comments.
#include "daemon/target/definitions_sql.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace runbookd::daemon {
namespace {

using About = planner::Question::About;

// Each gives `thing`: what it is called ("VIEW s.v", as COMMENT ON takes it; `granted`: as GRANT
// does), the statement that makes it, and what everything has.

// fillfactor='70', check_option='local'
std::string options_of(std::string const& array) {
  return "(SELECT string_agg(quote_ident(split_part(o, '=', 1)) || '=' || "
         "quote_literal(substr(o, strpos(o, '=') + 1)), ', ') FROM unnest(" +
         array + ") o)";
}

std::string depended_on(std::string const& catalog, std::string const& oid) {
  return "EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = '" + catalog +
         "'::regclass AND d.refobjid = " + oid +
         " AND d.deptype = 'n' AND NOT (d.classid = 'pg_rewrite'::regclass AND EXISTS (SELECT "
         "FROM pg_rewrite r WHERE r.oid = d.objid AND r.ev_class = " +
         oid + ")))";
}

// REPLACE: what stands there by then goes first, unless others depend on it; then it is replaced,
// which leaves owner, rights and comments as they are.
constexpr auto usual_lines = R"sql(
  SELECT 5 AS n, 'sql' AS word, 'DROP ' || dropped AS line FROM thing, asked
  WHERE detail = 'REPLACE' AND NOT kept
  UNION ALL
  SELECT 10, 'sql', made FROM thing
  UNION ALL
  SELECT 20, 'sql', format('ALTER %s OWNER TO %I', what, pg_get_userbyid(owner)) FROM thing
  WHERE NOT kept AND pg_get_userbyid(owner) <> current_user
  UNION ALL
  SELECT 30, 'sql', format('REVOKE ALL ON %s FROM PUBLIC, %I', granted, pg_get_userbyid(owner))
  FROM thing WHERE NOT kept AND acl IS NOT NULL
  UNION ALL
  SELECT 31, 'sql', format('GRANT %s ON %s TO %s%s', string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type),
    granted, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
    CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)
  FROM thing, aclexplode(acl) x WHERE NOT kept GROUP BY granted, x.grantee, x.is_grantable
  UNION ALL
  SELECT 40, 'sql', format('COMMENT ON %s IS %L', what, d.description)
  FROM thing JOIN pg_description d ON d.objoid = thing.oid AND d.classoid = thing.class AND d.objsubid = 0
  WHERE NOT kept
)sql";

std::string made_again(std::string const& thing, std::string const& more = "") {
  return "thing AS (" + thing + ") SELECT word, line FROM (" + usual_lines + more +
         ") lines ORDER BY n, line";
}

// Owner and rights are the table's.
constexpr auto of_table =
    ", NULL::oid AS owner, NULL::text AS granted, NULL::aclitem[] AS acl, false AS kept ";

std::string view() {
  auto const kept = "asked.detail = 'REPLACE' AND (" + depended_on("pg_class", "c.oid") + " OR " +
                    depended_on("pg_type", "c.reltype") + ")";
  auto const thing =
      R"sql(
SELECT c.oid, 'pg_class'::regclass AS class, c.relowner AS owner, c.relacl AS acl, c.oid::regclass::text AS granted,
  CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW ' ELSE 'VIEW ' END || c.oid::regclass AS what,
  CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW ' ELSE 'VIEW ' END || c.oid::regclass AS dropped,
  )sql" +
      kept + R"sql( AS kept,
  concat('CREATE ', CASE WHEN )sql" +
      kept +
      R"sql( THEN 'OR REPLACE ' END, CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' END, 'VIEW ',
    c.oid::regclass, ' USING ' || quote_ident(am.amname),
    ' WITH (' || )sql" +
      options_of("c.reloptions") +
      R"sql( || ')', ' TABLESPACE ' || quote_ident(s.spcname),
    ' AS ', rtrim(pg_get_viewdef(c.oid), ';'),
    CASE WHEN c.relkind = 'm' THEN CASE WHEN c.relispopulated THEN ' WITH DATA' ELSE ' WITH NO DATA' END END) AS made
FROM asked JOIN pg_class c ON c.oid = asked.oid
LEFT JOIN pg_am am ON am.oid = c.relam LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
WHERE c.relkind IN ('v', 'm')
)sql";
  constexpr auto more = R"sql(
  UNION ALL
  SELECT 50, 'sql', format('COMMENT ON COLUMN %s.%I IS %L', granted, a.attname, d.description)
  FROM thing JOIN pg_attribute a ON a.attrelid = thing.oid
  JOIN pg_description d ON d.objoid = thing.oid AND d.classoid = thing.class AND d.objsubid = a.attnum
  WHERE NOT kept AND NOT a.attisdropped
  UNION ALL
  SELECT 51, 'sql', format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type, a.attname, granted,
    CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
    CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)
  FROM thing JOIN pg_attribute a ON a.attrelid = thing.oid AND a.attnum > 0, aclexplode(a.attacl) x WHERE NOT kept
  UNION ALL
  SELECT 60, 'sql', format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', granted, a.attname, pg_get_expr(d.adbin, d.adrelid))
  FROM thing JOIN pg_attribute a ON a.attrelid = thing.oid
  JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE NOT kept
  UNION ALL
  SELECT 61, 'sql', format('ALTER MATERIALIZED VIEW %s ALTER COLUMN %I SET STATISTICS %s', granted, a.attname, a.attstattarget)
  FROM thing JOIN pg_attribute a ON a.attrelid = thing.oid AND a.attnum > 0
  WHERE NOT kept AND coalesce(a.attstattarget, -1) > 0 AND what LIKE 'MAT%'
  UNION ALL
  SELECT 70, 'sql', pg_get_triggerdef(t.oid) FROM thing JOIN pg_trigger t ON t.tgrelid = thing.oid
  WHERE NOT kept AND NOT t.tgisinternal
  UNION ALL
  SELECT 71, 'sql', rtrim(pg_get_ruledef(r.oid), ';') FROM thing JOIN pg_rewrite r ON r.ev_class = thing.oid
  WHERE NOT kept AND r.rulename <> '_RETURN'
  UNION ALL
  SELECT 72, 'sql', format('COMMENT ON %s ON %s IS %L', o.what, granted, d.description) FROM thing
  JOIN (SELECT tgrelid, 'pg_trigger'::regclass, oid, format('TRIGGER %I', tgname) FROM pg_trigger
        UNION ALL SELECT ev_class, 'pg_rewrite'::regclass, oid, format('RULE %I', rulename) FROM pg_rewrite)
    o(rel, class, oid, what) ON o.rel = thing.oid
  JOIN pg_description d ON d.objoid = o.oid AND d.classoid = o.class WHERE NOT kept
  UNION ALL
  SELECT 80, 'sql', pg_get_indexdef(i.indexrelid) FROM thing JOIN pg_index i ON i.indrelid = thing.oid WHERE NOT kept
  UNION ALL
  SELECT 81, 'sql', format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass, d.description)
  FROM thing JOIN pg_index i ON i.indrelid = thing.oid
  JOIN pg_description d ON d.objoid = i.indexrelid AND d.classoid = 'pg_class'::regclass WHERE NOT kept
)sql";
  return made_again(thing, more);
}

std::string function() {
  auto const depended = depended_on("pg_proc", "p.oid");
  auto const thing = R"sql(
SELECT p.oid, 'pg_proc'::regclass AS class, p.proowner AS owner, p.proacl AS acl, w.what, w.what AS granted, w.what AS dropped,
  asked.detail = 'ALTER' OR asked.detail = 'REPLACE' AND )sql" +
                     depended + R"sql( AS kept, rtrim(pg_get_functiondef(p.oid), chr(10)) AS made
FROM asked JOIN pg_proc p ON p.oid = asked.oid,
LATERAL (SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure AS what) w
WHERE p.prokind <> 'a'
)sql";
  return made_again(thing,
                    " UNION ALL SELECT 0, 'refused', 'an aggregate is not made again' FROM asked "
                    "JOIN pg_proc p ON p.oid = asked.oid WHERE p.prokind = 'a'");
}

std::string trigger() {
  return made_again(std::string(R"sql(
SELECT t.oid, 'pg_trigger'::regclass AS class, format('TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) AS what,
  format('TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) AS dropped, pg_get_triggerdef(t.oid) AS made,
  t.tgenabled AS enabled, t.tgname AS name, t.tgrelid::regclass::text AS relation )sql") +
                        of_table + R"sql(
FROM asked JOIN pg_trigger t ON t.tgrelid = asked.oid AND t.tgname = asked.part AND NOT t.tgisinternal
)sql",
                    R"sql(
  UNION ALL SELECT 60, 'sql', format('ALTER TABLE %s %s TRIGGER %I', relation,
    CASE enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, name)
  FROM thing WHERE enabled <> 'O'
)sql");
}

std::string rule() {
  return made_again(std::string(R"sql(
SELECT r.oid, 'pg_rewrite'::regclass AS class, format('RULE %I ON %s', r.rulename, r.ev_class::regclass) AS what,
  format('RULE %I ON %s', r.rulename, r.ev_class::regclass) AS dropped, rtrim(pg_get_ruledef(r.oid), ';') AS made,
  r.ev_enabled AS enabled, r.rulename AS name, r.ev_class::regclass::text AS relation )sql") +
                        of_table + R"sql(
FROM asked JOIN pg_rewrite r ON r.ev_class = asked.oid AND r.rulename = asked.part
)sql",
                    R"sql(
  UNION ALL SELECT 60, 'sql', format('ALTER TABLE %s %s RULE %I', relation,
    CASE enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, name)
  FROM thing WHERE enabled <> 'O'
)sql");
}

std::string policy() {
  return made_again(std::string(R"sql(
SELECT p.oid, 'pg_policy'::regclass AS class, format('POLICY %I ON %s', p.polname, p.polrelid::regclass) AS what,
  format('POLICY %I ON %s', p.polname, p.polrelid::regclass) AS dropped,
  concat(format('CREATE POLICY %I ON %s', p.polname, p.polrelid::regclass),
    CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
    CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE'
      WHEN 'd' THEN ' FOR DELETE' END,
    ' TO ' || (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
               FROM unnest(p.polroles) r),
    ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') AS made )sql") +
                    of_table + R"sql(
FROM asked JOIN pg_policy p ON p.polrelid = asked.oid AND p.polname = asked.part
)sql");
}

std::string statistics() {
  return made_again(R"sql(
SELECT s.oid, 'pg_statistic_ext'::regclass AS class, s.stxowner AS owner, NULL::aclitem[] AS acl, w.what, '' AS granted,
  w.what AS dropped, false AS kept, pg_get_statisticsobjdef(s.oid) AS made, s.stxstattarget AS target
FROM asked JOIN pg_statistic_ext s ON s.oid = asked.oid JOIN pg_namespace n ON n.oid = s.stxnamespace,
LATERAL (SELECT format('STATISTICS %I.%I', n.nspname, s.stxname) AS what) w
)sql",
                    " UNION ALL SELECT 60, 'sql', format('ALTER %s SET STATISTICS %s', what, "
                    "target) FROM thing WHERE coalesce(target, -1) <> -1");
}

std::string type() {
  return made_again(R"sql(
SELECT t.oid, 'pg_type'::regclass AS class, t.typowner AS owner, t.typacl AS acl, w.what, 'TYPE ' || t.oid::regtype AS granted,
  w.what AS dropped, false AS kept, t.typrelid AS relation,
  CASE t.typtype
    WHEN 'e' THEN format('CREATE TYPE %s AS ENUM (%s)', t.oid::regtype,
      (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
    WHEN 'c' THEN format('CREATE TYPE %s AS (%s)', t.oid::regtype,
      (SELECT string_agg(concat(quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
         CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation END), ', ' ORDER BY a.attnum)
       FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
       WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
    WHEN 'd' THEN concat('CREATE DOMAIN ', t.oid::regtype, ' AS ', format_type(t.typbasetype, t.typtypmod),
      CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation END,
      ' DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN ' NOT NULL' END)
    END AS made
FROM asked JOIN pg_type t ON t.oid = asked.oid LEFT JOIN pg_type b ON b.oid = t.typbasetype,
LATERAL (SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END || t.oid::regtype AS what) w
WHERE t.typtype IN ('e', 'c', 'd')
)sql",
                    R"sql(
  UNION ALL SELECT 15, 'sql', format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', thing.oid::regtype, k.conname, pg_get_constraintdef(k.oid))
  FROM thing JOIN pg_constraint k ON k.contypid = thing.oid AND k.contype = 'c'
  UNION ALL SELECT 16, 'sql', format('COMMENT ON CONSTRAINT %I ON DOMAIN %s IS %L', k.conname, thing.oid::regtype, d.description)
  FROM thing JOIN pg_constraint k ON k.contypid = thing.oid
  JOIN pg_description d ON d.objoid = k.oid AND d.classoid = 'pg_constraint'::regclass
  UNION ALL SELECT 50, 'sql', format('COMMENT ON COLUMN %s.%I IS %L', thing.oid::regtype, a.attname, d.description)
  FROM thing JOIN pg_attribute a ON a.attrelid = thing.relation
  JOIN pg_description d ON d.objoid = a.attrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
  UNION ALL SELECT 0, 'refused', 'this kind of type is not made again'
  FROM asked JOIN pg_type t ON t.oid = asked.oid WHERE t.typtype NOT IN ('e', 'c', 'd')
)sql");
}

// What hangs on an index beside its definition; `i` is its row of pg_index.
constexpr auto of_index = R"sql(
  UNION ALL SELECT 50, 'sql', format('ALTER INDEX %s SET TABLESPACE %I', c.oid::regclass, s.spcname)
  FROM i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_tablespace s ON s.oid = c.reltablespace
  UNION ALL SELECT 51, 'sql', format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', c.oid::regclass, a.attnum, a.attstattarget)
  FROM i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE coalesce(a.attstattarget, -1) <> -1
  UNION ALL SELECT 52, 'sql', format('ALTER TABLE %s CLUSTER ON %I', i.indrelid::regclass, c.relname)
  FROM i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisclustered
  UNION ALL SELECT 53, 'sql', format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', i.indrelid::regclass, c.relname)
  FROM i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisreplident
  UNION ALL SELECT 54, 'sql', format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass, d.description)
  FROM i JOIN pg_description d ON d.objoid = i.indexrelid AND d.classoid = 'pg_class'::regclass
)sql";

std::string index() {
  return std::string(R"sql(
i AS (SELECT i.* FROM asked JOIN pg_index i ON i.indexrelid = asked.oid)
SELECT word, line FROM (
  SELECT 10 AS n, 'sql' AS word, CASE asked.detail WHEN 'CONCURRENTLY'
    THEN regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX', 'CREATE \1INDEX CONCURRENTLY')
    ELSE pg_get_indexdef(i.indexrelid) END AS line
  FROM i, asked
  UNION ALL SELECT 0, 'refused', 'the index is not valid, and no statement makes one that is not' FROM i WHERE NOT i.indisvalid
  UNION ALL SELECT 0, 'refused', 'the index is one of a partitioned table, and the names of its parts are not kept'
  FROM i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relkind = 'I' OR c.relispartition
)sql") + of_index +
         ") lines ORDER BY n, line";
}

std::string constraint() {
  return "k AS (SELECT k.* FROM asked JOIN pg_constraint k ON k.conrelid = asked.oid AND k.conname "
         "= asked.part), i AS (SELECT i.* FROM k JOIN pg_index i ON i.indexrelid = k.conindid "
         "WHERE "
         "k.contype IN ('p', 'u', 'x')) SELECT word, line FROM (" +
         std::string(R"sql(
  SELECT 10 AS n, 'sql' AS word,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) AS line
  FROM k
  UNION ALL SELECT 20, 'sql', format('ALTER INDEX %s SET (%s)', c.oid::regclass, )sql") +
         options_of("c.reloptions") + R"sql()
  FROM i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.reloptions IS NOT NULL
  UNION ALL SELECT 30, 'sql', format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, k.conrelid::regclass, d.description)
  FROM k JOIN pg_description d ON d.objoid = k.oid AND d.classoid = 'pg_constraint'::regclass
  UNION ALL SELECT 0, 'refused', 'the constraint has an index of a partitioned table, and the names of its parts are not kept'
  FROM i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relkind = 'I'
)sql" + of_index +
         ") lines ORDER BY n, line";
}

constexpr auto validation = R"sql(
k AS (SELECT k.* FROM asked JOIN pg_constraint k ON k.conrelid = asked.oid AND k.conname = asked.part)
SELECT word, line FROM (
  SELECT 0 AS n, 'found' AS word, '' AS line FROM k
  UNION ALL SELECT 10, 'sql', format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', k.conrelid::regclass,
    k.conname, k.conname, pg_get_constraintdef(k.oid)) FROM k WHERE NOT k.convalidated
  UNION ALL SELECT 20, 'sql', format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, k.conrelid::regclass, d.description)
  FROM k JOIN pg_description d ON d.objoid = k.oid AND d.classoid = 'pg_constraint'::regclass WHERE NOT k.convalidated
) lines ORDER BY n
)sql";

constexpr auto domain_constraint = R"sql(
k AS (SELECT k.* FROM asked JOIN pg_constraint k ON k.contypid = asked.oid AND k.conname = asked.part)
SELECT word, line FROM (
  SELECT 10 AS n, 'sql' AS word, format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', k.contypid::regtype, k.conname,
    pg_get_constraintdef(k.oid)) AS line FROM k
  UNION ALL SELECT 20, 'sql', format('COMMENT ON CONSTRAINT %I ON DOMAIN %s IS %L', k.conname, k.contypid::regtype, d.description)
  FROM k JOIN pg_description d ON d.objoid = k.oid AND d.classoid = 'pg_constraint'::regclass
) lines ORDER BY n
)sql";

}  // namespace

std::string making_sql(About about) {
  switch (about) {
    case About::view:
      return view();
    case About::function:
      return function();
    case About::trigger:
      return trigger();
    case About::rule:
      return rule();
    case About::policy:
      return policy();
    case About::statistics:
      return statistics();
    case About::type:
      return type();
    case About::index:
      return index();
    case About::constraint:
      return constraint();
    case About::validation:
      return validation;
    case About::domain_constraint:
      return domain_constraint;
    case About::exists:
    case About::column_default:
    case About::column_type:
    case About::column_setting:
    case About::domain_default:
    case About::comment:
    case About::owner:
    case About::tablespace:
    case About::schema:
    case About::options:
    case About::sequence:
    case About::replica_identity:
    case About::clustered:
    case About::triggers_enabled:
    case About::rules_enabled:
    case About::bound:
    case About::rights:
      return "";
  }
  __builtin_unreachable();
}

}  // namespace runbookd::daemon
