// Checks that say nothing about the database, or do something to it; backfills without an end.
#include <algorithm>
#include <array>
#include <utility>

#include "planner/lint_rules.h"
#include "planner/sql.h"

namespace runbookd::planner::rules {
namespace {

using pg::Node;

// What a read-only transaction lets pass, or a rollback does not take back.
constexpr auto acting_functions =
    std::to_array<std::string_view>({"nextval",
                                     "setval",
                                     "pg_advisory_lock",
                                     "pg_advisory_lock_shared",
                                     "pg_advisory_xact_lock",
                                     "pg_advisory_xact_lock_shared",
                                     "pg_try_advisory_lock",
                                     "pg_try_advisory_lock_shared",
                                     "pg_try_advisory_xact_lock",
                                     "pg_try_advisory_xact_lock_shared",
                                     "pg_advisory_unlock",
                                     "pg_advisory_unlock_all",
                                     "pg_terminate_backend",
                                     "pg_cancel_backend",
                                     "pg_notify",
                                     "pg_reload_conf",
                                     "pg_rotate_logfile",
                                     "pg_promote",
                                     "pg_switch_wal",
                                     "pg_create_restore_point",
                                     "pg_wal_replay_pause",
                                     "pg_wal_replay_resume",
                                     "pg_stat_reset",
                                     "pg_stat_reset_shared",
                                     "pg_stat_statements_reset",
                                     "pg_create_physical_replication_slot",
                                     "pg_create_logical_replication_slot",
                                     "pg_drop_replication_slot",
                                     "pg_replication_slot_advance",
                                     "pg_logical_slot_get_changes",
                                     "set_config",
                                     "lo_create",
                                     "lo_unlink",
                                     "lo_import",
                                     "lo_export",
                                     "pg_file_write",
                                     "dblink",
                                     "dblink_exec",
                                     "dblink_connect",
                                     "dblink_connect_u",
                                     "dblink_send_query"});

struct Query {
  SqlText const& sql;
  std::string what;  // "check \"nothing-left\"", "baseline \"rows\""
  Expectation const* expect = nullptr;
};

Finding at(Query const& query, std::size_t offset, Advice advice) {
  return {.rule = std::move(advice.rule),
          .severity = advice.severity,
          .place = query.sql.at(offset),
          .message = query.what + std::move(advice.why),
          .fix = std::move(advice.fix)};
}

std::string function_of(Node node) {
  auto const name =
      node.is("FuncCall") ? pg::names(node.list("funcname")) : std::vector<std::string>{};
  return name.empty() ? "" : name.back();
}

// A probe may use up a number of a sequence, as every INSERT that fails does.
bool acts(std::string const& function, bool probe) {
  return !(probe && function == "nextval") &&
         std::ranges::find(acting_functions, function) != acting_functions.end();
}

Findings judge_functions(Query const& query, std::vector<Node> const& nodes) {
  bool const probe = query.expect != nullptr && std::holds_alternative<FailsWith>(*query.expect);
  for (auto const& node : nodes) {
    auto const function = function_of(node);
    if (acts(function, probe)) {
      auto const where = std::max<std::int64_t>(0, node.number("location"));
      return {at(query, static_cast<std::size_t>(where),
                 {.rule = "check/side-effect",
                  .why = " calls " + function +
                         "(), which does something rather than look; a check runs many times, "
                         "and nothing takes its effects back",
                  .fix = "do it in a step, and let the check only read"})};
    }
  }
  return {};
}

// Made of constants and operators alone.
bool constant(std::vector<Node> const& nodes) {
  return std::ranges::none_of(nodes, [](Node const& node) {
    return node.is("ColumnRef") || node.is("FuncCall") || node.is("RangeVar") ||
           node.is("SubLink") || node.is("SQLValueFunction") || node.is("RangeFunction");
  });
}

bool counts(Node select) {
  auto const targets = select.list("targetList");
  return targets.size() == 1 && function_of(targets[0]["val"]) == "count" &&
         select.list("groupClause").empty() && !select.has("havingClause");
}

// "ge 0" of a count, whatever it counts.
bool any_count_passes(Expectation const& expect) {
  auto const* compares = std::get_if<std::vector<Compares>>(&expect);
  return compares != nullptr && !compares->empty() &&
         std::ranges::all_of(*compares, [](Compares const& one) {
           bool const negative = one.value.starts_with('-');
           return (one.op == Comparator::ge && (one.value == "0" || negative)) ||
                  (one.op == Comparator::gt && negative);
         });
}

Findings judge_meaning(Query const& query, Node select, std::vector<Node> const& nodes) {
  if (!select.is("SelectStmt")) {
    return {};
  }
  if (constant(nodes)) {
    return {at(query, 0,
               {.rule = "check/constant",
                .severity = Severity::warning,
                .why = " asks for a constant, so its answer is the same whatever the database "
                       "holds, and it guards nothing",
                .fix = "select what must be true from the table in question"})};
  }
  if (query.expect != nullptr && counts(select) && any_count_passes(*query.expect)) {
    return {at(query, 0,
               {.rule = "check/constant",
                .severity = Severity::warning,
                .why = " cannot fail: a count is never below 0",
                .fix = "expect the number that is right, such as {value: 0} or {gt: 0}"})};
  }
  return {};
}

Findings judge_query(Query const& query) {
  auto const tree = pg::parse(query.sql.text);
  if (tree.statements.empty()) {
    return {};
  }
  auto const node = tree.statements[0].node;
  auto const nodes = pg::every(node);
  auto findings = judge_functions(query, nodes);
  auto const more = judge_meaning(query, node, nodes);
  findings.insert(findings.end(), more.begin(), more.end());
  return findings;
}

std::string column_path(Node node) {
  std::string path;
  for (auto const& part : pg::names(node.list("fields"))) {
    path += "." + part;
  }
  return node.is("ColumnRef") ? path : "";
}

// "a = a": true for every row that has a value.
bool equals_itself(Node condition) {
  auto const left = column_path(condition["lexpr"]);
  auto const sign = pg::names(condition.list("name"));
  return condition.is("A_Expr") && sign == std::vector<std::string>{"="} && !left.empty() &&
         left == column_path(condition["rexpr"]);
}

}  // namespace

Findings judge_checks(std::vector<Check> const& checks) {
  Findings findings;
  for (auto const& check : checks) {
    auto const more = judge_query({check.sql, "check \"" + check.name + "\"", &check.expect});
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

Findings judge_baseline(Baseline const& baseline) {
  return judge_query({baseline.sql, "baseline \"" + baseline.name + "\""});
}

Findings judge_backfill(BackfillAction const& backfill, Statement const& update,
                        std::string const& step) {
  auto const tree = pg::parse(update.sql.text);
  auto const condition = tree.statements.empty() ? Node{} : tree.statements[0].node["whereClause"];
  if (!condition || !(constant(pg::every(condition)) || equals_itself(condition))) {
    return {};
  }
  return {{.rule = "data/backfill-where-constant",
           .severity = Severity::warning,
           .place = backfill.place,
           .message = "`where` of the backfill is the same for every row, also for those that are "
                      "filled already: a new try writes all of " +
                      backfill.table + " again, and over what the application wrote meanwhile",
           .fix = "name the rows that are not done yet: where: " + backfill.set.front().first +
                  " IS NULL, or IS DISTINCT FROM the new value",
           .step = step}};
}

}  // namespace runbookd::planner::rules
