#include <algorithm>
#include <utility>
#include <variant>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {
namespace {

using planner::Need;

constexpr auto about_server = R"sql(
  SELECT pg_is_in_recovery(), current_setting('server_version'), quote_ident(current_user),
         quote_ident(current_database()), to_regnamespace('runbookd') IS NOT NULL,
         has_database_privilege(current_database(), 'CREATE'), current_setting('default_transaction_read_only')
)sql";

// Joined by name: to_regclass would fail where a schema may not be used.
constexpr auto missing_rights = R"sql(
  SELECT w.kind, format('%I.%I', n.nspname, c.relname), quote_ident(pg_get_userbyid(c.relowner)),
         quote_ident(n.nspname), has_schema_privilege(n.oid, 'USAGE')
  FROM wanted w
  JOIN pg_catalog.pg_class c ON c.relname = w.name
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE w.kind <> 'create' AND CASE WHEN w.schema = '' THEN pg_table_is_visible(c.oid) ELSE n.nspname = w.schema END
    AND NOT (has_schema_privilege(n.oid, 'USAGE') AND CASE w.kind
      WHEN 'owner' THEN pg_has_role(c.relowner, 'USAGE')
      WHEN 'delete' THEN has_table_privilege(c.oid, 'DELETE')
      WHEN 'insert' THEN has_table_privilege(c.oid, 'INSERT') OR has_any_column_privilege(c.oid, 'INSERT')
      WHEN 'update' THEN has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE')
      ELSE has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT') END)
  UNION
  SELECT w.kind, NULL, NULL, quote_ident(n.nspname), true
  FROM wanted w
  JOIN pg_catalog.pg_namespace n ON n.nspname = CASE WHEN w.schema = '' THEN current_schema() ELSE w.schema END
  WHERE w.kind = 'create' AND NOT has_schema_privilege(n.oid, 'CREATE')
  ORDER BY 2 NULLS LAST, 1
)sql";

std::string kind_text(Need::Kind kind) {
  switch (kind) {
    case Need::Kind::owner:
      return "owner";
    case Need::Kind::insert:
      return "insert";
    case Need::Kind::update:
      return "update";
    case Need::Kind::remove:
      return "delete";
    case Need::Kind::select:
      return "select";
    case Need::Kind::create_in_schema:
      return "create";
  }
  __builtin_unreachable();
}

SqlFailure refusal(std::string sqlstate, std::string message) {
  return {.sqlstate = std::move(sqlstate), .message = std::move(message)};
}

// A backfill needs what the UPDATE of one of its batches needs.
std::vector<planner::Statement> statements_of(planner::BackfillAction const& backfill) {
  std::string text = "UPDATE " + backfill.table + "\n SET ";
  for (std::size_t i = 0; i < backfill.set.size(); ++i) {
    text += (i == 0 ? "" : ", ") + backfill.set[i].first + "\n = " + backfill.set[i].second + "\n";
  }
  text += backfill.from.empty() ? "" : " FROM " + backfill.from + "\n";
  text += backfill.where.empty() ? "" : " WHERE " + backfill.where;
  return planner::read_sql({.text = text}).statements;
}
std::vector<planner::Statement> statements_of(planner::SqlAction const& action) {
  return action.statements;
}
template <typename Other>
std::vector<planner::Statement> statements_of(Other const&) {
  return {};
}

std::vector<planner::Statement> every_statement(planner::Plan const& plan) {
  std::vector<planner::Statement> all;
  auto const collect = [&all](planner::Action const& action) {
    auto const some = std::visit([](auto const& a) { return statements_of(a); }, action);
    all.insert(all.end(), some.begin(), some.end());
  };
  for (auto const& phase : plan.phases) {
    for (auto const& step : phase.steps) {
      collect(step.forward);
      if (step.reversible()) {
        collect(step.backward);
      }
    }
  }
  return all;
}

// What the plan makes itself cannot be asked about yet.
std::vector<Need> needs_of_plan(planner::Plan const& plan) {
  auto const statements = every_statement(plan);
  std::vector<std::pair<std::string, std::string>> made;
  std::vector<Need> needs;
  for (auto const& statement : statements) {
    auto const created = planner::created_by(statement);
    made.insert(made.end(), created.begin(), created.end());
  }
  for (auto const& statement : statements) {
    for (auto& need : planner::needs_of(statement)) {
      bool const own = std::ranges::find(made, std::pair(need.schema, need.name)) != made.end();
      if (!own && std::ranges::find(needs, need) == needs.end()) {
        needs.push_back(std::move(need));
      }
    }
  }
  return needs;
}

std::string wanted_sql(Session const& session, std::vector<Need> const& needs) {
  std::string values;
  for (auto const& need : needs) {
    values += (values.empty() ? "(" : ", (") + session.quote_literal(kind_text(need.kind)) + ", " +
              session.quote_literal(need.schema) + ", " + session.quote_literal(need.name) + ")";
  }
  return "WITH wanted(kind, schema, name) AS (VALUES " + values + ")" + missing_rights;
}

std::string upper_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// "UPDATE on public.users: GRANT UPDATE ON public.users TO mover;"
std::string remedy(std::vector<Cell> const& row, std::string const& role) {
  auto const kind = row[0].value_or("");
  auto const relation = row[1].value_or("");
  auto const schema = row[3].value_or("");
  if (kind == "create") {
    return "CREATE in schema " + schema + ": GRANT CREATE ON SCHEMA " + schema + " TO " + role +
           ";";
  }
  if (row[4] != "t") {
    return "USAGE of schema " + schema + ": GRANT USAGE ON SCHEMA " + schema + " TO " + role + ";";
  }
  if (kind == "owner") {
    return "ownership of " + relation + ": GRANT " + row[2].value_or("") + " TO " + role +
           "; (or: ALTER TABLE " + relation + " OWNER TO " + role + ";)";
  }
  auto const right = upper_case(kind);
  return right + " on " + relation + ": GRANT " + right + " ON " + relation + " TO " + role + ";";
}

SqlResult<void> check_server(std::vector<Cell> const& facts, Session const& session,
                             planner::Plan const& plan) {
  if (facts[0] == "t") {
    return tl::unexpected(
        refusal("25006",
                "the target is a standby in recovery, which refuses every change; name the "
                "primary in the configuration"));
  }
  if (facts[6] == "on") {
    return tl::unexpected(
        refusal("25006",
                "default_transaction_read_only is on for this role or database, so every "
                "change would be refused; turn it off for the role of the target"));
  }
  if (session.server_version() / 10000 < plan.database.min_version) {
    return tl::unexpected(
        refusal("0A000", "the plan needs PostgreSQL " + std::to_string(plan.database.min_version) +
                             " or newer; the target is " + facts[1].value_or("?")));
  }
  return {};
}

SqlResult<std::vector<std::string>> what_is_missing(Session& session,
                                                    std::vector<Cell> const& facts,
                                                    planner::Plan const& plan) {
  std::vector<std::string> missing;
  auto const role = facts[2].value_or("");
  if (facts[4] != "t" && facts[5] != "t") {
    auto const database = facts[3].value_or("");
    missing.push_back("CREATE in database " + database +
                      " for schema runbookd, which proves what has been done: GRANT "
                      "CREATE ON DATABASE " +
                      database + " TO " + role + ";");
  }
  auto const needs = needs_of_plan(plan);
  if (needs.empty()) {
    return missing;
  }
  auto const rows = session.run(wanted_sql(session, needs));
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  for (auto const& row : rows->rows) {
    auto text = remedy(row, role);
    if (std::ranges::find(missing, text) == missing.end()) {
      missing.push_back(std::move(text));
    }
  }
  return missing;
}

}  // namespace

SqlResult<void> check_target(Session& session, planner::Plan const& plan) {
  auto const facts = session.run(about_server);
  if (!facts) {
    return tl::unexpected(facts.error());
  }
  if (auto const fit = check_server(facts->rows.front(), session, plan); !fit) {
    return fit;
  }
  auto const missing = what_is_missing(session, facts->rows.front(), plan);
  if (!missing) {
    return tl::unexpected(missing.error());
  }
  if (missing->empty()) {
    return {};
  }
  std::string message =
      "role " + facts->rows.front()[2].value_or("") + " lacks rights that the plan needs:";
  for (auto const& right : *missing) {
    message += "\n  " + right;
  }
  return tl::unexpected(refusal("42501", std::move(message)));
}

}  // namespace runbookd::daemon
