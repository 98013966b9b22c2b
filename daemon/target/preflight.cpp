#include <string>
#include <utility>
#include <vector>

#include "daemon/target/definitions.h"
#include "daemon/target/marker.h"
#include "daemon/target/procedures.h"
#include "daemon/target/rights.h"
#include "planner/plan_needs.h"

namespace runbookd::daemon {
namespace {

using planner::Need;
using planner::PlanNeed;

constexpr auto about_server = R"sql(
  SELECT pg_is_in_recovery(), current_setting('server_version'), quote_ident(current_user),
         to_regnamespace('runbookd') IS NOT NULL, current_setting('default_transaction_read_only'),
         (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = 'runbookd' AND c.relkind = 'r')
)sql";

SqlFailure refusal(std::string sqlstate, std::string message) {
  return {.sqlstate = std::move(sqlstate), .message = std::move(message)};
}

SqlResult<void> check_server(std::vector<Cell> const& facts, Session const& session,
                             planner::Plan const& plan) {
  if (facts[0] == "t") {
    return tl::unexpected(
        refusal("25006",
                "the target is a standby in recovery, which refuses every change; name the "
                "primary in the configuration"));
  }
  if (facts[4] == "on") {
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

// What proves the steps is written with the role's own rights.
std::vector<PlanNeed> needs_of_ours(std::vector<Cell> const& facts) {
  std::vector<PlanNeed> needs;
  auto const add = [&needs](Need need) {
    needs.push_back({.need = std::move(need), .role = "", .where = {"runbookd's own record"}});
  };
  if (facts[3] != "t") {
    add({.kind = Need::Kind::create_in_database});
    return needs;
  }
  for (auto const table : our_tables) {
    for (auto const kind : {Need::Kind::select, Need::Kind::insert, Need::Kind::update}) {
      add({.kind = kind, .schema = "runbookd", .name = std::string(table)});
    }
  }
  if (std::stoul(facts[5].value_or("0")) < our_tables.size()) {
    add({.kind = Need::Kind::create_in_schema, .schema = "runbookd"});
  }
  return needs;
}

std::string told(MissingRights const& missing, std::string const& role) {
  std::string message = "role " + role +
                        " lacks rights that the plan needs; the statements below give them. Let "
                        "the owners, or an administrator, run them; then start the run again";
  if (missing.in_fingerprint) {
    message += ". Mind that a change of owner, an extension and a grant to another role than " +
               role +
               " are part of the schema: a run that began on this database before them stops at "
               "them when it is rolled back, and shows them";
  }
  for (auto const& line : missing.remedies) {
    message += "\n  " + line;
  }
  return message;
}

// What our parser does not know the server itself must; it may lack what the plan makes first.
SqlResult<void> check_unread(Session& session, planner::Plan const& plan) {
  constexpr std::string_view syntax_error = "42601";
  for (auto const& [sql, where] : planner::unread_sql(plan)) {
    auto const read = session.parse(sql.text);
    if (!read && (read.error().sqlstate == syntax_error || !session.alive())) {
      auto failure = read.error();
      failure.message = where + ": the target (PostgreSQL " +
                        std::to_string(session.server_version() / 10000) +
                        ") does not know this SQL: " + failure.message;
      return tl::unexpected(std::move(failure));
    }
  }
  return {};
}

}  // namespace

SqlResult<void> check_target(Session& session, planner::Plan const& plan) {
  auto const asked = session.run(about_server);
  if (!asked) {
    return tl::unexpected(asked.error());
  }
  auto const& facts = asked->rows.front();
  if (auto const fit = check_server(facts, session, plan); !fit) {
    return fit;
  }
  if (auto const known = check_unread(session, plan); !known) {
    return known;
  }
  if (auto const back = check_ways_back(session, plan); !back) {
    return back;
  }
  auto needs = needs_of_ours(facts);
  auto const of_plan = planner::needs_of_plan(plan);
  needs.insert(needs.end(), of_plan.begin(), of_plan.end());
  auto const missing = missing_rights(session, needs);
  if (!missing) {
    return tl::unexpected(missing.error());
  }
  if (missing->remedies.empty()) {
    return {};
  }
  return tl::unexpected(refusal("42501", told(*missing, facts[2].value_or(""))));
}

}  // namespace runbookd::daemon
