#include "daemon/target/rights.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "planner/words.h"

namespace runbookd::daemon {
namespace {

using planner::joined;
using planner::Need;
using planner::PlanNeed;

// Joined by name: to_regclass would fail where a schema may not be used, and the search path that
// the server goes by leaves such schemas out. `wanted` stands before it: nr, kind, role, schema,
// name, col, right.
constexpr auto catalog_query = R"sql(,
path AS (
  SELECT n.oid, p.nr
  FROM regexp_split_to_table(current_setting('search_path'), '\s*,\s*') WITH ORDINALITY AS p(word, nr)
  JOIN pg_catalog.pg_namespace n
    ON n.nspname = CASE btrim(p.word, '" ') WHEN '$user' THEN current_user
                   ELSE btrim(p.word, '" ') END
),
asked AS (
  SELECT w.*, r.oid AS who, quote_ident(r.rolname) AS whom, r.rolinherit
  FROM wanted w
  JOIN pg_catalog.pg_roles r ON r.rolname = CASE w.role WHEN '' THEN current_user ELSE w.role END
),
relation AS (
  SELECT a.*, c.oid AS relation, c.relkind, c.relowner AS owner, n.oid AS nsp, n.nspowner,
         format('%I.%I', n.nspname, coalesce(t.relname, c.relname)) AS shown,
         CASE coalesce(t.relkind, c.relkind) WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
           WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE'
           ELSE 'TABLE' END AS what,
         coalesce(t.oid, c.oid) AS granted
  FROM asked a
  CROSS JOIN LATERAL (
    SELECT o.oid FROM pg_catalog.pg_class o
    JOIN pg_catalog.pg_namespace s ON s.oid = o.relnamespace
    LEFT JOIN path p ON p.oid = o.relnamespace
    WHERE o.relname = a.name AND CASE WHEN a.schema <> '' THEN s.nspname = a.schema
                                 ELSE pg_table_is_visible(o.oid) OR p.oid IS NOT NULL END
    ORDER BY pg_table_is_visible(o.oid) DESC, p.nr LIMIT 1) AS found
  JOIN pg_catalog.pg_class c ON c.oid = found.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  WHERE a.name <> ''
    AND a.kind NOT IN ('own_schema', 'own_type', 'own_function', 'extension')
),
owned AS (
  SELECT a.*, 'SCHEMA' AS what, quote_ident(n.nspname) AS shown, n.nspowner AS owner, n.oid AS nsp,
         pg_has_role(a.who, n.nspowner, 'USAGE') AS enough
  FROM asked a JOIN pg_catalog.pg_namespace n ON a.kind = 'own_schema' AND n.nspname = a.name
  UNION ALL
  SELECT a.*, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
         format('%I.%I', n.nspname, t.typname), t.typowner, n.oid,
         pg_has_role(a.who, t.typowner, 'USAGE') OR pg_has_role(a.who, n.nspowner, 'USAGE')
  FROM asked a
  JOIN pg_catalog.pg_type t ON a.kind = 'own_type' AND t.typname = a.name
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE CASE WHEN a.schema <> '' THEN n.nspname = a.schema ELSE pg_type_is_visible(t.oid) END
  UNION ALL  -- which one is meant, its arguments tell; one that is ours is enough
  (SELECT DISTINCT ON (a.nr) a.*, 'ROUTINE', p.oid::regprocedure::text, p.proowner, n.oid,
         pg_has_role(a.who, p.proowner, 'USAGE') OR pg_has_role(a.who, n.nspowner, 'USAGE') AS enough
  FROM asked a
  JOIN pg_catalog.pg_proc p ON a.kind = 'own_function' AND p.proname = a.name
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE CASE WHEN a.schema <> '' THEN n.nspname = a.schema ELSE pg_function_is_visible(p.oid) END
  ORDER BY a.nr, enough DESC)
),
-- where something is to be made
place AS (
  SELECT a.*, n.oid AS nsp
  FROM asked a
  JOIN pg_catalog.pg_namespace n ON CASE WHEN a.schema <> '' THEN n.nspname = a.schema
    WHEN current_schema() IS NOT NULL THEN n.nspname = current_schema()
    ELSE n.oid = (SELECT oid FROM path ORDER BY nr LIMIT 1) END
  WHERE a.kind = 'create_in_schema' AND a.name = ''
  UNION ALL
  SELECT nr, kind, role, schema, name, col, "right", who, whom, rolinherit, nsp
  FROM relation WHERE kind = 'create_in_schema'
),
lacking AS (
  SELECT nr, whom, kind, what, shown, owner, who, rolinherit, "right", '' AS col
  FROM relation
  WHERE kind IN ('owner', 'drop', 'maintain', 'vacuum')
    AND NOT (pg_has_role(who, owner, 'USAGE')
             OR (kind = 'drop' AND pg_has_role(who, nspowner, 'USAGE'))
             OR (kind = 'vacuum' AND pg_has_role(who, (SELECT datdba FROM pg_catalog.pg_database
                                                       WHERE datname = current_database()), 'USAGE'))
             OR (kind IN ('maintain', 'vacuum') AND "right" <> ''
                 AND CASE WHEN "right" <> '' THEN has_table_privilege(who, granted, "right") END))
  UNION ALL
  SELECT r.nr, r.whom, r.kind, r.what, r.shown, r.owner, r.who, r.rolinherit, r."right",
         coalesce(quote_ident(t.attname), '')
  FROM relation r
  LEFT JOIN pg_catalog.pg_attribute t ON t.attrelid = r.relation AND t.attname = r.col
    AND r.col <> '' AND NOT t.attisdropped
  WHERE r.kind IN ('insert', 'update', 'select', 'references', 'delete', 'truncate', 'trigger')
    AND NOT CASE
      WHEN has_table_privilege(r.who, r.relation, r."right") THEN true
      WHEN r.kind IN ('delete', 'truncate', 'trigger') THEN false
      WHEN t.attname IS NOT NULL
        THEN has_column_privilege(r.who, r.relation, t.attnum, r."right")
      ELSE has_any_column_privilege(r.who, r.relation, r."right") END
  UNION ALL
  SELECT nr, whom, 'owner', what, shown, owner, who, rolinherit, '', '' FROM owned WHERE NOT enough
  UNION ALL
  SELECT p.nr, p.whom, 'schema', 'SCHEMA', quote_ident(n.nspname), n.nspowner, p.who, p.rolinherit,
         p."right", ''
  FROM (SELECT nr, whom, who, rolinherit, nsp, 'CREATE' AS "right" FROM place
        UNION ALL SELECT nr, whom, who, rolinherit, nsp, 'USAGE' FROM place
        UNION ALL SELECT nr, whom, who, rolinherit, nsp, 'USAGE' FROM relation
        UNION ALL SELECT nr, whom, who, rolinherit, nsp, 'USAGE' FROM owned WHERE what <> 'SCHEMA') p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.nsp
  WHERE NOT has_schema_privilege(p.who, p.nsp, p."right")
  UNION ALL
  SELECT a.nr, a.whom, 'database', 'DATABASE', quote_ident(d.datname), d.datdba, a.who, a.rolinherit,
         'CREATE', ''
  FROM asked a
  JOIN pg_catalog.pg_database d ON d.datname = current_database()
  LEFT JOIN pg_catalog.pg_available_extensions e ON a.kind = 'extension' AND e.name = a.name
  LEFT JOIN pg_catalog.pg_available_extension_versions v
    ON v.name = e.name AND v.version = e.default_version
  WHERE (a.kind = 'create_in_database'
         OR (v.name IS NOT NULL AND e.installed_version IS NULL AND (v.trusted OR NOT v.superuser)))
    AND NOT has_database_privilege(a.who, d.oid, 'CREATE')
  UNION ALL
  SELECT a.nr, a.whom, 'extension', 'EXTENSION', quote_ident(a.name), NULL, a.who, a.rolinherit, '', ''
  FROM asked a
  JOIN pg_catalog.pg_available_extensions e ON a.kind = 'extension' AND e.name = a.name
  JOIN pg_catalog.pg_available_extension_versions v
    ON v.name = e.name AND v.version = e.default_version
  JOIN pg_catalog.pg_roles r ON r.oid = a.who
  WHERE e.installed_version IS NULL AND v.superuser AND NOT v.trusted AND NOT r.rolsuper
)
SELECT l.nr, l.kind, l.whom, l.what, l.shown, l."right", l.col,
       coalesce(quote_ident(o.rolname), ''), coalesce(o.rolsuper OR o.rolname LIKE 'pg\_%', false),
       CASE WHEN o.oid IS NULL THEN false ELSE pg_has_role(l.who, o.oid, 'MEMBER') END, l.rolinherit
FROM lacking l
LEFT JOIN pg_catalog.pg_roles o ON o.oid = l.owner
ORDER BY CASE l.kind WHEN 'database' THEN 1 WHEN 'schema' THEN 2 ELSE 3 END, l.nr, l."right"
)sql";

struct Missing {
  std::size_t need = 0;
  std::string kind, role, what, shown, right, column, owner;
  bool owner_cannot_be_granted = false;  // a superuser's rights are not to be handed on
  bool member = false, inherits = true;
};

Missing to_missing(std::vector<Cell> const& row) {
  auto const text = [&row](std::size_t i) { return row[i].value_or(""); };
  return {.need = std::stoul(text(0)),
          .kind = text(1),
          .role = text(2),
          .what = text(3),
          .shown = text(4),
          .right = text(5),
          .column = text(6),
          .owner = text(7),
          .owner_cannot_be_granted = row[8] == "t",
          .member = row[9] == "t",
          .inherits = row[10] == "t"};
}

struct KindText {
  Need::Kind kind;
  std::string_view text, right;
};
constexpr std::array<KindText, 17> kinds{{
    {Need::Kind::owner, "owner", ""},
    {Need::Kind::drop, "drop", ""},
    {Need::Kind::maintain, "maintain", "MAINTAIN"},
    {Need::Kind::vacuum, "vacuum", "MAINTAIN"},
    {Need::Kind::insert, "insert", "INSERT"},
    {Need::Kind::update, "update", "UPDATE"},
    {Need::Kind::remove, "delete", "DELETE"},
    {Need::Kind::truncate, "truncate", "TRUNCATE"},
    {Need::Kind::select, "select", "SELECT"},
    {Need::Kind::references, "references", "REFERENCES"},
    {Need::Kind::trigger, "trigger", "TRIGGER"},
    {Need::Kind::create_in_schema, "create_in_schema", "CREATE"},
    {Need::Kind::create_in_database, "create_in_database", "CREATE"},
    {Need::Kind::own_schema, "own_schema", ""},
    {Need::Kind::own_type, "own_type", ""},
    {Need::Kind::own_function, "own_function", ""},
    {Need::Kind::extension, "extension", ""},
}};

// MAINTAIN is a right of its own since PostgreSQL 17; before, only owners had it.
std::string right_of(KindText const& kind, Session const& session) {
  constexpr int knows_maintain = 170000;
  bool const unknown = kind.right == "MAINTAIN" && session.server_version() < knows_maintain;
  return unknown ? "" : std::string(kind.right);
}

std::string wanted_sql(Session const& session, std::vector<PlanNeed> const& needs) {
  std::string values;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    auto const& [need, role, where] = needs[i];
    auto const& kind = *std::ranges::find(kinds, need.kind, &KindText::kind);
    values += (i == 0 ? "(" : ", (") + std::to_string(i);
    for (auto const& text : {std::string(kind.text), role, need.schema, need.name, need.column,
                             right_of(kind, session)}) {
      values += ", " + session.quote_literal(text);
    }
    values += ")";
  }
  return "WITH wanted(nr, kind, role, schema, name, col, \"right\") AS (VALUES " + values + ")" +
         catalog_query;
}

// The owner's rights reach the role by membership; a superuser's must not, so its object changes
// hands instead.
std::string ownership(Missing const& one, Session const& session) {
  auto const hand_over = "ALTER " + one.what + " " + one.shown + " OWNER TO " + one.role + ";";
  if (one.owner_cannot_be_granted) {
    return hand_over;
  }
  auto const or_alone = " (or, for this one alone: " + hand_over + ")";
  if (one.inherits && !one.member) {
    return "GRANT " + one.owner + " TO " + one.role + ";" + or_alone;
  }
  constexpr int knows_inherit = 160000;
  if (session.server_version() >= knows_inherit) {
    return "GRANT " + one.owner + " TO " + one.role + " WITH INHERIT TRUE;" + or_alone;
  }
  return (one.member ? "" : "GRANT " + one.owner + " TO " + one.role + ";") +
         std::string(one.member ? "begin" : " and begin") + " the step with SET LOCAL ROLE " +
         one.owner + ";" + or_alone;
}

bool is_ownership(Missing const& one) {
  return one.kind == "owner" || one.kind == "drop" ||
         ((one.kind == "maintain" || one.kind == "vacuum") && one.right.empty());
}

// A fingerprint leaves out what our own role was granted, and knows no rights on the database.
bool shows_in_fingerprint(Missing const& one, PlanNeed const& need) {
  bool const grant_to_us = !is_ownership(one) && need.role.empty();
  return one.kind == "extension" || (one.kind != "database" && !grant_to_us);
}

// Rights on one thing become one GRANT: {"SELECT", {}}, {"UPDATE", {"a", "b"}}.
struct Grant {
  std::string on, to;
  std::vector<std::pair<std::string, std::vector<std::string>>> rights;
};
void add_right(Grant& grant, std::string const& right, std::string const& column) {
  auto found = std::ranges::find_if(grant.rights, [&](auto const& r) { return r.first == right; });
  if (found == grant.rights.end()) {
    grant.rights.push_back({right, {}});
    found = std::prev(grant.rights.end());
  }
  if (!column.empty() && std::ranges::find(found->second, column) == found->second.end()) {
    found->second.push_back(column);
  }
}

std::string to_text(Grant const& grant) {
  std::vector<std::string> rights;
  for (auto const& [right, columns] : grant.rights) {
    rights.push_back(columns.empty() ? right : right + " (" + joined(columns) + ")");
  }
  return "GRANT " + joined(rights) + " ON " + grant.on + " TO " + grant.to + ";";
}

struct Remedy {
  std::string statement;  // empty where `grant` says it
  std::optional<Grant> grant;
  std::vector<std::string> where;
};

std::string on_what(Missing const& one) {
  bool const relation = one.kind != "schema" && one.kind != "database";
  return relation && one.what != "SEQUENCE" ? one.shown : one.what + " " + one.shown;
}

Remedy& remedy_for(std::vector<Remedy>& remedies, Missing const& one, Session const& session) {
  bool const grants = !is_ownership(one) && one.kind != "extension";
  auto const statement =
      grants ? ""
      : one.kind == "extension"
          ? "CREATE EXTENSION " + one.shown +
                ";  -- once, by an administrator; the step then needs IF NOT EXISTS"
          : ownership(one, session);
  auto const on = on_what(one);
  auto const same = [&](Remedy const& known) {
    return known.grant ? grants && known.grant->on == on && known.grant->to == one.role
                       : !grants && known.statement == statement;
  };
  auto found = std::ranges::find_if(remedies, same);
  if (found == remedies.end()) {
    auto grant = grants ? std::optional(Grant{.on = on, .to = one.role}) : std::nullopt;
    remedies.push_back({.statement = statement, .grant = std::move(grant)});
    found = std::prev(remedies.end());
  }
  return *found;
}

std::string to_text(Remedy const& remedy) {
  constexpr std::size_t shown = 3;
  auto where = remedy.where;
  auto const more = where.size() > shown ? where.size() - shown : 0;
  where.resize(where.size() - more);
  return (remedy.grant ? to_text(*remedy.grant) : remedy.statement) + "  -- " + joined(where) +
         (more == 0 ? "" : " and " + std::to_string(more) + " more");
}

}  // namespace

SqlResult<MissingRights> missing_rights(Session& session, std::vector<PlanNeed> const& needs) {
  if (needs.empty()) {
    return MissingRights{};
  }
  auto const rows = session.run(wanted_sql(session, needs));
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  MissingRights missing;
  std::vector<Remedy> remedies;
  for (auto const& row : rows->rows) {
    auto const one = to_missing(row);
    missing.in_fingerprint |= shows_in_fingerprint(one, needs[one.need]);
    auto& remedy = remedy_for(remedies, one, session);
    if (remedy.grant) {
      add_right(*remedy.grant, one.right, one.column);
    }
    for (auto const& where : needs[one.need].where) {
      if (std::ranges::find(remedy.where, where) == remedy.where.end()) {
        remedy.where.push_back(where);
      }
    }
  }
  for (auto const& remedy : remedies) {
    missing.remedies.push_back(to_text(remedy));
  }
  return missing;
}

}  // namespace runbookd::daemon
