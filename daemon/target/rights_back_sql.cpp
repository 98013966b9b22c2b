// The rights that a GRANT or REVOKE is about to change, and what makes them again what they are.
#include "daemon/target/definitions_sql.h"

namespace runbookd::daemon {

// `said`: the statement. `object`: what it names; kind ALL TABLE and the like: each in the schema.
// `want`: each right that it speaks of, also on a column. A right on the whole table that is taken
// away takes those on its columns along.
std::string rights_sql() {
  return R"sql(
said AS (SELECT asked.*, detail::json AS it FROM asked),
object AS (
  SELECT c.oid, c.oid::regclass::text AS name, c.relacl AS acl, c.relowner AS owner,
    CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS letter
  FROM said JOIN pg_class c ON kind IN ('TABLE', 'SEQUENCE') AND c.oid = said.oid
    OR kind = 'ALL TABLE' AND c.relnamespace = said.oid AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
    OR kind = 'ALL SEQUENCE' AND c.relnamespace = said.oid AND c.relkind = 'S'
  UNION ALL
  SELECT p.oid, CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure, p.proacl, p.proowner, 'f'
  FROM said JOIN pg_proc p ON kind IN ('FUNCTION', 'PROCEDURE', 'ROUTINE') AND p.oid = said.oid
    OR p.pronamespace = said.oid AND (kind = 'ALL ROUTINE' OR kind = 'ALL PROCEDURE' AND p.prokind = 'p'
                                      OR kind = 'ALL FUNCTION' AND p.prokind <> 'p')
  UNION ALL
  SELECT n.oid, format('SCHEMA %I', n.nspname), n.nspacl, n.nspowner, 'n' FROM said JOIN pg_namespace n ON kind = 'SCHEMA' AND n.oid = said.oid
  UNION ALL
  SELECT t.oid, 'TYPE ' || t.oid::regtype, t.typacl, t.typowner, 'T' FROM said JOIN pg_type t ON kind IN ('TYPE', 'DOMAIN') AND t.oid = said.oid
),
grantee AS (
  SELECT CASE g WHEN '' THEN 0 ELSE coalesce((SELECT oid FROM pg_roles WHERE rolname = g), 0) END AS oid,
    CASE g WHEN '' THEN 'PUBLIC' ELSE quote_ident(g) END AS name, g <> '' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = g) AS missing
  FROM said, json_array_elements_text(it -> 'grantees') g
),
priv AS (
  SELECT p ->> 'name' AS name, NULLIF(c, '') AS col FROM said, json_array_elements(it -> 'privileges') p
  LEFT JOIN LATERAL json_array_elements_text(p -> 'columns') c ON true
),
want AS (
  SELECT DISTINCT o.oid AS object, coalesce(x.privilege_type, priv.name) AS name, priv.col
  FROM object o JOIN priv ON true
  LEFT JOIN LATERAL aclexplode(acldefault(o.letter, o.owner)) x ON priv.name = 'ALL' AND priv.col IS NULL AND x.grantee = o.owner
),
columns AS (
  SELECT a.attrelid AS object, a.attname::text AS col, x.* FROM object o
  JOIN pg_attribute a ON o.letter = 'r' AND a.attrelid = o.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped, aclexplode(a.attacl) x
),
wanted AS (
  SELECT object, name, col FROM want WHERE name <> 'ALL'
  UNION SELECT object, c, col FROM want, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) c WHERE name = 'ALL' AND col IS NOT NULL
),
-- each right that is spoken of, and whether it was there
one AS (
  SELECT o.name AS object, g.name AS grantee, w.name AS priv, w.col, x.privilege_type IS NOT NULL AS had,
    coalesce(x.is_grantable, false) AS grantable
  FROM wanted w JOIN object o ON o.oid = w.object JOIN grantee g ON NOT g.missing
  LEFT JOIN LATERAL (
    SELECT privilege_type, bool_or(is_grantable) AS is_grantable FROM (
      SELECT a.privilege_type, a.is_grantable, a.grantee FROM aclexplode(coalesce(o.acl, acldefault(o.letter, o.owner))) a WHERE w.col IS NULL
      UNION ALL SELECT c.privilege_type, c.is_grantable, c.grantee FROM columns c WHERE c.object = w.object AND c.col = w.col
    ) a WHERE a.privilege_type = w.name AND a.grantee = g.oid GROUP BY privilege_type) x ON true
),
-- a grant on a column that goes with the one on the table
below AS (
  SELECT o.name AS object, g.name AS grantee, c.privilege_type AS priv, c.col, c.is_grantable AS grantable
  FROM wanted w JOIN object o ON o.oid = w.object JOIN grantee g ON NOT g.missing
  JOIN columns c ON w.col IS NULL AND c.object = w.object AND c.privilege_type = w.name AND c.grantee = g.oid
),
line AS (
  SELECT 1 AS n, 'REVOKE ' AS verb, one.object, one.grantee, priv, col, ' FROM ' AS preposition, '' AS tail
  FROM one, said WHERE (it ->> 'gives')::bool AND NOT had
  UNION ALL SELECT 2, 'REVOKE GRANT OPTION FOR ', one.object, one.grantee, priv, col, ' FROM ', ''
  FROM one, said WHERE (it ->> 'gives')::bool AND (it ->> 'option')::bool AND had AND NOT grantable
  UNION ALL SELECT 3, 'GRANT ', one.object, one.grantee, priv, col, ' TO ', CASE WHEN grantable THEN ' WITH GRANT OPTION' ELSE '' END
  FROM one, said WHERE NOT (it ->> 'gives')::bool AND had
  UNION ALL SELECT 4, 'GRANT ', object, grantee, priv, col, ' TO ', CASE WHEN grantable THEN ' WITH GRANT OPTION' ELSE '' END FROM below
)
SELECT word, text FROM (
  SELECT 0 AS n, 'found' AS word, '' AS text FROM said WHERE oid IS NOT NULL
  UNION ALL SELECT 0, 'refused', 'role ' || name || ' is not there' FROM grantee WHERE missing
  UNION ALL SELECT n, 'sql', verb || string_agg(priv || coalesce(' (' || quote_ident(col) || ')', ''), ', ' ORDER BY priv, col) || ' ON '
    || object || preposition || grantee || tail
  FROM line GROUP BY n, verb, object, preposition, grantee, tail
) lines ORDER BY n, text
)sql";
}

}  // namespace runbookd::daemon
