// Queries whose answer sets again what a statement is about to set.
#include <string_view>

#include "daemon/target/definitions_sql.h"

namespace runbookd::daemon {
namespace {

using About = planner::Question::About;

// ALTER TABLE t also means what inherits from t and its partitions; each is set by itself.
constexpr auto tree =
    "tree(oid) AS (SELECT c.oid FROM asked JOIN pg_class c ON c.oid = asked.oid UNION SELECT "
    "i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid) ";

// `said` is what follows ALTER COLUMN; of column a, which has the default d, of relation c.
std::string of_columns(std::string const& said) {
  return tree + (R"sql(
SELECT 'sql', format('ALTER %s %s ALTER COLUMN %I %s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE ONLY' END,
  c.oid::regclass, a.attname, )sql" +
                 said + R"sql()
FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN asked ON true
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = asked.part AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
ORDER BY c.oid
)sql");
}

constexpr auto former_default =
    "CASE WHEN d.oid IS NULL THEN 'DROP DEFAULT' ELSE 'SET DEFAULT ' || pg_get_expr(d.adbin, "
    "d.adrelid) END";

constexpr auto storage =
    "CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE "
    "'EXTENDED' END";

std::string column_setting(int server_version) {
  std::string const compression =
      server_version >= 140000
          ? "WHEN 'COMPRESSION' THEN 'SET COMPRESSION ' || CASE a.attcompression WHEN 'p' THEN "
            "'pglz' WHEN 'l' THEN 'lz4' ELSE 'default' END "
          : "";
  return of_columns(
      "CASE asked.detail WHEN 'STATISTICS' THEN 'SET STATISTICS ' || coalesce(a.attstattarget, -1) "
      "WHEN 'STORAGE' THEN 'SET STORAGE ' || " +
      std::string(storage) + " " + compression +
      "ELSE 'RESET (n_distinct, n_distinct_inherited)' || coalesce(', ALTER COLUMN ' || "
      "quote_ident(a.attname) || ' SET (' || (SELECT string_agg(o, ', ') FROM "
      "unnest(a.attoptions) o WHERE left(o, 3) <> 'pg_') || ')', '') END");
}

// The storage goes back to the type's own with the type, and a default is converted on both ways.
std::string column_type() {
  return std::string(R"sql(
col AS (
  SELECT c.oid::regclass AS relation, a.*, t.typcollation, t.typstorage, format_type(a.atttypid, a.atttypmod) AS was,
    pg_get_expr(d.adbin, d.adrelid) AS value
  FROM asked JOIN pg_class c ON c.oid = asked.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = asked.part AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
)
SELECT word, line FROM (
  SELECT 0 AS n, 'was' AS word, was AS line FROM col
  UNION ALL SELECT 10, 'sql', concat(format('ALTER TABLE %s ', relation),
    CASE WHEN value IS NOT NULL THEN format('ALTER COLUMN %I DROP DEFAULT, ', attname) END,
    format('ALTER COLUMN %I TYPE %s', attname, was),
    CASE WHEN attcollation <> typcollation THEN ' COLLATE ' || attcollation::regcollation END,
    format(' USING %I::%s', attname, was),
    ', ' || format('ALTER COLUMN %I SET DEFAULT ', attname) || value)
  FROM col
  UNION ALL SELECT 20, 'sql', format('ALTER TABLE %s ALTER COLUMN %I SET STORAGE %s', relation, attname, )sql") +
         storage + R"sql() FROM col a WHERE attstorage <> typstorage
) lines ORDER BY n
)sql";
}

constexpr auto exists = R"sql(
present AS (
  SELECT FROM asked WHERE kind <> 'COLUMN' AND oid IS NOT NULL
    OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = asked.oid AND a.attname = asked.part AND NOT a.attisdropped)
)
SELECT CASE detail WHEN '' THEN 'found' ELSE 'refused' END, detail FROM asked, present
)sql";

constexpr auto comment = R"sql(
address(class, oid, part) AS (
  SELECT 'pg_class'::regclass, c.oid, 0 FROM asked JOIN pg_class c ON c.oid = asked.oid
  WHERE kind IN ('TABLE', 'FOREIGN TABLE', 'VIEW', 'MATERIALIZED VIEW', 'INDEX', 'SEQUENCE')
  UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum FROM asked JOIN pg_attribute a ON a.attrelid = asked.oid
  WHERE kind = 'COLUMN' AND a.attname = asked.part AND NOT a.attisdropped
  UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 0 FROM asked JOIN pg_constraint k ON k.conrelid = asked.oid
  WHERE kind = 'CONSTRAINT' AND k.conname = asked.part
  UNION ALL SELECT 'pg_trigger'::regclass, t.oid, 0 FROM asked JOIN pg_trigger t ON t.tgrelid = asked.oid
  WHERE kind = 'TRIGGER' AND t.tgname = asked.part
  UNION ALL SELECT 'pg_policy'::regclass, p.oid, 0 FROM asked JOIN pg_policy p ON p.polrelid = asked.oid
  WHERE kind = 'POLICY' AND p.polname = asked.part
  UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, 0 FROM asked JOIN pg_rewrite r ON r.ev_class = asked.oid
  WHERE kind = 'RULE' AND r.rulename = asked.part
  UNION ALL SELECT 'pg_proc'::regclass, asked.oid, 0 FROM asked WHERE kind IN ('FUNCTION', 'PROCEDURE', 'ROUTINE')
  UNION ALL SELECT 'pg_type'::regclass, asked.oid, 0 FROM asked WHERE kind IN ('TYPE', 'DOMAIN')
  UNION ALL SELECT 'pg_namespace'::regclass, asked.oid, 0 FROM asked WHERE kind = 'SCHEMA'
  UNION ALL SELECT 'pg_statistic_ext'::regclass, asked.oid, 0 FROM asked WHERE kind = 'STATISTICS'
)
SELECT 'sql', detail || ' ' || coalesce(quote_literal(d.description), 'NULL')
FROM asked JOIN address ON true
LEFT JOIN pg_description d ON d.classoid = address.class AND d.objoid = address.oid AND d.objsubid = address.part
)sql";

// Whose, where, and with which rights: what every kind of object has.
constexpr auto objects = R"sql(
object(class, oid, owner, schema, acl, granted) AS (
  SELECT 'relation', oid, relowner, relnamespace, relacl, oid::regclass::text FROM pg_class
  UNION ALL SELECT 'function', oid, proowner, pronamespace, proacl,
    CASE prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || oid::regprocedure FROM pg_proc
  UNION ALL SELECT 'type', oid, typowner, typnamespace, typacl, 'TYPE ' || oid::regtype FROM pg_type
  UNION ALL SELECT 'schema', oid, nspowner, oid, nspacl, 'SCHEMA ' || quote_ident(nspname) FROM pg_namespace
  UNION ALL SELECT 'statistics', oid, stxowner, stxnamespace, NULL, NULL FROM pg_statistic_ext
), found AS (
  SELECT object.*, asked.detail, asked.part FROM asked JOIN object ON object.oid = asked.oid AND object.class =
    CASE WHEN kind IN ('FUNCTION', 'PROCEDURE', 'ROUTINE') THEN 'function' WHEN kind IN ('TYPE', 'DOMAIN') THEN 'type'
         WHEN kind = 'SCHEMA' THEN 'schema' WHEN kind = 'STATISTICS' THEN 'statistics' ELSE 'relation' END
)
)sql";

// What the new owner had been granted becomes the owner's, also on the way back.
constexpr auto owner = R"sql(
, heir AS (SELECT r.oid FROM asked JOIN pg_roles r ON r.rolname = asked.part),
of_heir AS (
  SELECT '' AS col, granted, part, owner, x.privilege_type AS priv, x.is_grantable, false AS owners_too
  FROM found, heir, aclexplode(acl) x WHERE x.grantee = heir.oid AND heir.oid <> owner
  UNION ALL
  SELECT format(' (%I)', a.attname), granted, part, owner, x.privilege_type, x.is_grantable,
    EXISTS (SELECT FROM aclexplode(a.attacl) y WHERE y.grantee = owner AND y.privilege_type = x.privilege_type)
  FROM heir, found JOIN pg_attribute a ON class = 'relation' AND a.attrelid = found.oid AND NOT a.attisdropped, aclexplode(a.attacl) x
  WHERE x.grantee = heir.oid AND heir.oid <> owner
)
SELECT word, line FROM (
  SELECT 1 AS n, 'sql' AS word, detail || ' ' || quote_ident(pg_get_userbyid(owner)) AS line FROM found
  UNION ALL SELECT 2, 'sql', format('REVOKE %s%s ON %s FROM %I', priv, col, granted, pg_get_userbyid(owner)) FROM of_heir
  WHERE col <> '' AND NOT owners_too
  UNION ALL SELECT 3, 'sql', format('GRANT %s%s ON %s TO %I%s', priv, col, granted, part,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) FROM of_heir
) lines ORDER BY n, line
)sql";

constexpr auto tablespace = R"sql(
place AS (SELECT dattablespace FROM pg_database WHERE datname = current_database())
SELECT 'sql', detail || ' ' || quote_ident(s.spcname) FROM asked JOIN pg_class c ON c.oid = asked.oid, place, pg_tablespace s
WHERE s.oid = coalesce(nullif(c.reltablespace, 0), dattablespace)
)sql";

constexpr auto options = R"sql(
had AS (
  SELECT c.oid::regclass AS relation, o FROM asked JOIN pg_class c ON c.oid = asked.oid, unnest(c.reloptions) o
  UNION ALL SELECT c.oid::regclass, 'toast.' || o FROM asked JOIN pg_class c ON c.oid = asked.oid
  JOIN pg_class t ON t.oid = c.reltoastrelid, unnest(t.reloptions) o
)
SELECT 'sql', format('ALTER %s %s ', kind, asked.oid::regclass) ||
  CASE WHEN o IS NULL THEN format('RESET (%s)', name) ELSE format('SET (%s = %L)', name, substr(o, strpos(o, '=') + 1)) END
FROM asked, LATERAL unnest(string_to_array(detail, ', ')) name LEFT JOIN had ON split_part(o, '=', 1) = name
)sql";

constexpr auto sequence = R"sql(
q AS (SELECT s.*, s.seqrelid::regclass AS name FROM asked JOIN pg_sequence s ON s.seqrelid = asked.oid)
SELECT 'sql', format('ALTER SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', name,
  format_type(seqtypid, NULL), seqincrement, seqmin, seqmax, seqstart, seqcache, CASE WHEN seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
  || CASE WHEN d.deptype = 'i' THEN '' WHEN d.deptype = 'a' THEN format(' OWNED BY %s.%I', d.refobjid::regclass, a.attname)
          ELSE ' OWNED BY NONE' END
FROM q LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = q.seqrelid AND d.refclassid = 'pg_class'::regclass
  AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
)sql";

constexpr auto replica_identity = R"sql(
i AS (SELECT x.relname FROM asked JOIN pg_index i ON i.indrelid = asked.oid AND i.indisreplident JOIN pg_class x ON x.oid = i.indexrelid)
SELECT 'sql', format('ALTER TABLE %s REPLICA IDENTITY ', c.oid::regclass) ||
  CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN coalesce('USING INDEX ' || quote_ident(i.relname), 'DEFAULT')
    ELSE 'DEFAULT' END
FROM asked JOIN pg_class c ON c.oid = asked.oid LEFT JOIN i ON true
)sql";

constexpr auto clustered = R"sql(
i AS (SELECT x.relname FROM asked JOIN pg_index i ON i.indrelid = asked.oid AND i.indisclustered JOIN pg_class x ON x.oid = i.indexrelid)
SELECT 'sql', format('ALTER TABLE %s %s', c.oid::regclass, coalesce('CLUSTER ON ' || quote_ident(i.relname), 'SET WITHOUT CLUSTER'))
FROM asked JOIN pg_class c ON c.oid = asked.oid LEFT JOIN i ON true
)sql";

constexpr auto enabled_words =
    "CASE enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE "
    "ALWAYS' ELSE 'ENABLE' END";

// Of a constraint's own triggers only ALL speaks.
std::string triggers_enabled() {
  return tree + std::string(R"sql(
, one AS (SELECT t.tgrelid::regclass AS relation, t.tgname, t.tgenabled AS enabled
  FROM tree JOIN pg_trigger t ON t.tgrelid = tree.oid JOIN asked ON true
  WHERE (asked.part = '' OR t.tgname = asked.part) AND (NOT t.tgisinternal OR asked.detail LIKE '%All'))
SELECT 'found', '' FROM asked WHERE part = '' AND oid IS NOT NULL
UNION ALL SELECT 'sql', format('ALTER TABLE ONLY %s %s TRIGGER %I', relation, )sql") +
         enabled_words + ", tgname) FROM one";
}

std::string rules_enabled() {
  return std::string(R"sql(
one AS (SELECT r.ev_class::regclass AS relation, r.rulename, r.ev_enabled AS enabled
  FROM asked JOIN pg_rewrite r ON r.ev_class = asked.oid AND r.rulename = asked.part)
SELECT 'sql', format('ALTER TABLE %s %s RULE %I', relation, )sql") +
         enabled_words + ", rulename) FROM one";
}

constexpr auto bound = R"sql(
p AS (SELECT c.* FROM asked JOIN pg_class c ON c.oid = asked.oid AND c.relispartition)
SELECT 'sql', format('ALTER TABLE %s ATTACH PARTITION %s %s', i.inhparent::regclass, p.oid::regclass, pg_get_expr(p.relpartbound, p.oid))
FROM p JOIN pg_inherits i ON i.inhrelid = p.oid
)sql";

constexpr auto domain_default = R"sql(
d AS (SELECT t.* FROM asked JOIN pg_type t ON t.oid = asked.oid AND t.typtype = 'd')
SELECT 'sql', format('ALTER DOMAIN %s %s', d.oid::regtype, coalesce('SET DEFAULT ' || d.typdefault, 'DROP DEFAULT')) FROM d
)sql";

}  // namespace

std::string setting_sql(About about, int server_version) {
  switch (about) {
    case About::exists:
      return exists;
    case About::column_default:
      return of_columns(former_default);
    case About::column_type:
      return column_type();
    case About::column_setting:
      return column_setting(server_version);
    case About::domain_default:
      return domain_default;
    case About::comment:
      return comment;
    case About::owner:
      return std::string(objects) + owner;
    case About::schema:
      return std::string(objects) +
             "SELECT 'sql', detail || ' ' || quote_ident(n.nspname) FROM found JOIN pg_namespace n "
             "ON n.oid = found.schema";
    case About::tablespace:
      return tablespace;
    case About::options:
      return options;
    case About::sequence:
      return sequence;
    case About::replica_identity:
      return replica_identity;
    case About::clustered:
      return clustered;
    case About::triggers_enabled:
      return triggers_enabled();
    case About::rules_enabled:
      return rules_enabled();
    case About::bound:
      return bound;
    case About::rights:
      return rights_sql();
    case About::view:
    case About::function:
    case About::trigger:
    case About::rule:
    case About::policy:
    case About::statistics:
    case About::type:
    case About::index:
    case About::constraint:
    case About::validation:
    case About::domain_constraint:
      return "";
  }
  __builtin_unreachable();
}

}  // namespace runbookd::daemon
