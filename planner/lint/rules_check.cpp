// Checks that say nothing about the database, or do something to it; limits of backfills.
#include <algorithm>
#include <array>
#include <utility>

#include "planner/lint/plan_site.h"
#include "planner/size.h"
#include "planner/sql.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::lint_rules {
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

constexpr auto rules = std::to_array<LintRule>({
    {.id = "check/side-effect",
     .severity = Severity::error,
     .title = "A check that does something",
     .why = "a check runs many times, and nothing takes its effects back",
     .fix = "do it in a step, and let the check only read"},
    {.id = "check/constant",
     .severity = Severity::warning,
     .title = "A check that cannot fail",
     .why = "its answer is the same whatever the database holds, so it guards nothing",
     .fix = "select what must be true from the table in question"},
    {.id = "check/error-cannot-come",
     .severity = Severity::warning,
     .title = "A check that waits for an error which its statement cannot raise",
     .why = "a statement of this kind never ends with that error, so the check never passes",
     .fix = "probe with the statement that must be refused, such as an INSERT"},
    {.id = "data/backfill-where-constant",
     .severity = Severity::warning,
     .title = "A backfill whose `where` is the same for every row",
     .why = "a new try writes every row again, and over what the application wrote meanwhile",
     .fix = "name the rows that are not done yet"},
    {.id = "data/backfill-never-empties",
     .severity = Severity::warning,
     .title = "A backfill whose rows still match when they are done",
     .why = "`where` does not look at a column that the backfill sets, so a new try writes rows "
            "again that are done, and over what the application wrote meanwhile",
     .fix = "name the rows that are not done yet"},
    {.id = "data/backfill-from-volatile",
     .severity = Severity::note,
     .title = "A backfill that sets what differs from try to try",
     .why = "a value such as random() or now() differs with each batch and each try",
     .fix = "set it from other columns, or acknowledge that the values need not agree"},
    {.id = "data/backfill-where-limited",
     .severity = Severity::error,
     .title = "A backfill whose `where` picks rows by a LIMIT",
     .why = "the inner query picks some rows anew in every batch, the batch fills those of them "
            "that lie in its range, and the backfill ends while others still need it",
     .fix = "write the inner query's condition as `where`, without the query: the batches are the "
            "backfill's own"},
    {.id = "throttle/never-goes",
     .severity = Severity::warning,
     .title = "A limit at which a backfill stands still",
     .why = "the backfill stands still most of the time",
     .fix = "raise the limit"},
    {.id = "throttle/never-stops",
     .severity = Severity::warning,
     .title = "A limit that holds nothing up",
     .why = "readers of the standbys see old data",
     .fix = "write what the application can bear"},
});
constexpr auto const& side_effect = rules[0];
constexpr auto const& constant_check = rules[1];
constexpr auto const& cannot_come = rules[2];
constexpr auto const& where_constant = rules[3];
constexpr auto const& never_empties = rules[4];
constexpr auto const& volatile_value = rules[5];
constexpr auto const& where_limited = rules[6];
constexpr auto const& never_goes = rules[7];
constexpr auto const& never_stops = rules[8];

struct Query {
  SqlText const& sql;
  std::string what;  // "check \"nothing-left\"", "baseline \"rows\""
  Expectation const* expect = nullptr;
};

Finding at(Query const& query, std::size_t offset, LintRule const& rule, std::string const& why,
           std::string fix = "") {
  return finding_of(rule, query.sql.at(offset), query.what + why, std::move(fix));
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

Findings judge_functions(Query const& query, pg::Every nodes) {
  bool const probe = query.expect != nullptr && std::holds_alternative<FailsWith>(*query.expect);
  for (auto const& node : nodes) {
    auto const function = function_of(node);
    if (acts(function, probe)) {
      auto const where = std::max<std::int64_t>(0, node.number("location"));
      return {at(query, static_cast<std::size_t>(where), side_effect,
                 " calls " + function +
                     "(), which does something rather than look; a check runs many times, and "
                     "nothing takes its effects back")};
    }
  }
  return {};
}

// Made of constants and operators alone.
bool constant(pg::Every nodes) {
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

Findings judge_meaning(Query const& query, Node select, pg::Every nodes) {
  if (!select.is("SelectStmt")) {
    return {};
  }
  if (constant(nodes)) {
    return {at(query, 0, constant_check,
               " asks for a constant, so its answer is the same whatever the database holds, and "
               "it guards nothing")};
  }
  if (query.expect != nullptr && counts(select) && any_count_passes(*query.expect)) {
    return {at(query, 0, constant_check, " cannot fail: a count is never below 0",
               "expect the number that is right, such as {value: 0} or {gt: 0}")};
  }
  return {};
}

// Reading breaks no constraint; a DELETE makes no duplicates and leaves nothing NULL.
Findings judge_error(Query const& query, Node node) {
  auto const* fails = query.expect == nullptr ? nullptr : std::get_if<FailsWith>(query.expect);
  if (fails == nullptr || !fails->sqlstate.starts_with("23")) {
    return {};
  }
  bool const calls = std::ranges::any_of(pg::every(node), [](Node const& one) {
    return one.is("FuncCall") || one.is("CommonTableExpr");
  });
  bool const reads = node.is("SelectStmt") && !calls;
  constexpr std::string_view of_new_rows[] = {"23502", "23505", "23514", "23P01"};
  bool const deletes = node.is("DeleteStmt") && !calls && holds(of_new_rows, fails->sqlstate);
  return reads || deletes ? Findings{at(query, 0, cannot_come,
                                        " waits for " + fails->condition +
                                            ", which this statement cannot raise, so it never "
                                            "passes")}
                          : Findings{};
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
  auto const errors = judge_error(query, node);
  findings.insert(findings.end(), errors.begin(), errors.end());
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

namespace {

bool looks_at(Node condition, BackfillAction const& backfill) {
  return std::ranges::any_of(pg::every(condition), [&](Node const& node) {
    auto const path =
        node.is("ColumnRef") ? pg::names(node.list("fields")) : std::vector<std::string>{};
    return !path.empty() && std::ranges::any_of(backfill.set, [&](auto const& one) {
      return quoted_identifier(path.back()) == one.first || path.back() == one.first;
    });
  });
}

std::string name_undone(BackfillAction const& backfill) {
  return "name the rows that are not done yet: where: " + backfill.set.front().first +
         " IS NULL, or IS DISTINCT FROM the new value";
}

// "id IN (SELECT id … LIMIT 500)". One that is worked out for each row, or gives one bound for all,
// is another thing.
bool picks_by_limit(Node condition) {
  return std::ranges::any_of(pg::every(condition), [](Node const& node) {
    auto const kind = node.text("subLinkType");
    return node.is("SubLink") &&
           (kind == "ANY_SUBLINK" || kind == "ALL_SUBLINK" || kind == "ARRAY_SUBLINK") &&
           node["subselect"].has("limitCount");
  });
}

Findings judge_where(BackfillAction const& backfill, Node condition, std::string const& step) {
  if (!condition) {
    return {};
  }
  if (picks_by_limit(condition)) {
    return {finding_of(where_limited, backfill.place, "", "", step)};
  }
  if (constant(pg::every(condition)) || equals_itself(condition)) {
    return {finding_of(where_constant, backfill.place,
                       "`where` of the backfill is the same for every row, also for those that are "
                       "filled already: a new try writes all of " +
                           backfill.table + " again, and over what the application wrote meanwhile",
                       name_undone(backfill), step)};
  }
  if (!looks_at(condition, backfill)) {
    return {finding_of(never_empties, backfill.place, "", name_undone(backfill), step)};
  }
  return {};
}

constexpr Duration looked_at_every{1'000};
constexpr Duration longest_sensible_lag{600'000};
constexpr std::int64_t one_batch_of_wal = 1LL << 20;

}  // namespace

Findings judge_backfill(BackfillAction const& backfill, Statement const& update,
                        std::string const& step) {
  auto const tree = pg::parse(update.sql.text);
  if (tree.statements.empty()) {
    return {};
  }
  auto const node = tree.statements[0].node;
  auto findings = judge_where(backfill, node["whereClause"], step);
  for (auto const target : node.list("targetList")) {
    if (pg::calls_volatile(target["val"], Catalog{})) {
      findings.push_back(finding_of(
          volatile_value, backfill.place,
          "column " + target.text("name") + ": " + std::string(volatile_value.why), "", step));
    }
  }
  return findings;
}

namespace {

// A relation of the UPDATE by the name that its columns are called by.
struct Source {
  std::string called;
  Relation const* relation = nullptr;
};

std::vector<Source> sources_of(Node update, Catalog const& catalog) {
  std::vector<Source> sources;
  auto const add = [&](Node one) {
    auto const alias = one["alias"].text("aliasname");
    bool const plain = one.is("RangeVar") || one.has("relname");
    sources.push_back({.called = alias.empty() ? one.text("relname") : alias,
                       .relation = plain ? catalog.find(pg::name_of(one)) : nullptr});
  };
  add(update["relation"]);
  for (auto const one : update.list("fromClause")) {
    add(one);
  }
  return sources;
}

bool has_column(Source const& source, std::string const& name) {
  constexpr auto of_the_system =
      std::to_array<std::string_view>({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"});
  return source.relation == nullptr || source.relation->columns.empty() ||
         source.relation->column(name) != nullptr || source.called == name ||
         std::ranges::find(of_the_system, name) != of_the_system.end();
}

}  // namespace

Findings judge_backfill_names(BackfillAction const& backfill, Node update, Catalog const& catalog,
                              std::string const& step) {
  auto const sources = sources_of(update, catalog);
  Findings findings;
  auto const judge = [&](std::string const& of, std::string const& name) {
    bool const known = std::ranges::any_of(sources, [&](Source const& source) {
      return (of.empty() || source.called == of) && has_column(source, name);
    });
    bool const asked =
        of.empty() || std::ranges::find(sources, of, &Source::called) != sources.end();
    if (!known && asked && findings.empty()) {
      auto const full = (of.empty() ? backfill.table : of) + "." + name;
      findings.push_back(finding_of(*find_rule("sql/no-such-column"), backfill.place,
                                    full + ", which the backfill names, is not there", "", step));
    }
  };
  if (!catalog.complete) {
    return findings;
  }
  for (auto const node : pg::every(update, "subselect")) {
    auto const path =
        node.is("ColumnRef") ? pg::names(node.list("fields")) : std::vector<std::string>{};
    if (path.size() == 1 || path.size() == 2) {
      judge(path.size() == 2 ? path.front() : "", path.back());
    }
  }
  for (auto const target : update.list("targetList")) {
    judge(sources.front().called, target.text("name"));
  }
  return findings;
}

Findings judge_throttle(BackfillAction const& backfill, std::string const& step) {
  Findings findings;
  auto const warn = [&](LintRule const& rule, std::string message, std::string fix) {
    findings.push_back(finding_of(rule, backfill.place, std::move(message), std::move(fix), step));
  };
  auto const& policy = backfill.throttle;
  if (policy.replica_lag && *policy.replica_lag < looked_at_every) {
    warn(never_goes,
         "`replica_lag: " + to_text(*policy.replica_lag) +
             "` is less than the time between two looks at the standbys: healthy ones reach it, "
             "and the backfill stands still most of the time",
         "write 2s or more");
  }
  if (policy.replica_lag && *policy.replica_lag > longest_sensible_lag) {
    warn(never_stops,
         "`replica_lag: " + to_text(*policy.replica_lag) +
             "` lets readers of the standbys see data that is older than ten minutes",
         "write what the application can bear, such as 5s; or off, if nobody reads there");
  }
  if (policy.wal_rate && *policy.wal_rate < one_batch_of_wal) {
    warn(never_goes,
         "`wal_rate: " + size_text(*policy.wal_rate) +
             "` a second is less than one batch writes: the backfill stands still most of the time",
         "write 1MB or more");
  }
  return findings;
}

std::span<LintRule const> check_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
