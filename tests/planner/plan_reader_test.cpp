#include "planner/plan_reader.h"

#include <doctest/doctest.h>

#include "tests/planner/source_files.h"

using namespace runbookd::planner;
using namespace std::chrono_literals;

namespace {

Plan plan_of(std::string const& text, FileLookup const& lookup = {}) {
  auto read = read_plan(text, "p", lookup);
  INFO(listed(read.findings));
  REQUIRE(read.plan);
  return *read.plan;
}

// A plan around one step, whose keys are given indented by eight.
std::string with_step(std::string const& keys, std::string const& above = "") {
  return "runbook: 1\nname: p\n" + above + "phases:\n  - name: one\n    steps:\n      - name: s\n" +
         keys;
}
Step step_of(std::string const& keys, std::string const& above = "") {
  return plan_of(with_step(keys, above)).phases.at(0).steps.at(0);
}
Check check_of(std::string const& expect, std::string const& above = "") {
  auto const plan =
      plan_of(with_step("        wait: 1s\n", above) +
              "final_checks:\n  - {name: c, sql: SELECT 1, expect: " + expect + "}\n");
  return plan.final_checks.at(0);
}
std::vector<std::string> rules(Findings const& findings) {
  std::vector<std::string> all;
  for (auto const& finding : findings) {
    all.push_back(finding.rule);
  }
  return all;
}

}  // namespace

TEST_CASE("a step takes lock and timeout from the defaults unless it says otherwise") {
  std::string const defaults =
      "defaults: {lock: {stall_budget: 1s, give_up_after: 2m}, statement_timeout: 5s}\n";
  auto const plain =
      step_of("        sql: DROP TABLE t\n        rollback: CREATE TABLE t (a int)\n", defaults);
  auto const own = step_of(
      "        sql: DROP TABLE t\n        rollback: CREATE TABLE t (a int)\n        lock: "
      "{stall_budget: 3s}\n"
      "        statement_timeout: 0\n",
      defaults);
  CHECK(std::get<SqlAction>(plain.forward).lock == LockPolicy{1s, 2min});
  CHECK(std::get<SqlAction>(plain.forward).statement_timeout == 5s);
  CHECK(std::get<SqlAction>(own.forward).lock == LockPolicy{3s, 2min});
  CHECK(std::get<SqlAction>(own.forward).statement_timeout == 0s);
  CHECK(std::get<SqlAction>(own.backward).lock == LockPolicy{3s, 2min});
}

TEST_CASE("defaults hold wherever they stand in the file") {
  auto const plan = plan_of(with_step("        sql: SELECT 1\n        irreversible: why\n") +
                            "defaults: {statement_timeout: 7s}\nvariables: {}\n");
  CHECK(std::get<SqlAction>(plan.phases[0].steps[0].forward).statement_timeout == 7s);
}

TEST_CASE("a concurrent statement has no statement timeout") {
  auto const step = step_of(
      "        sql: CREATE INDEX CONCURRENTLY i ON t (a)\n        rollback: DROP INDEX "
      "CONCURRENTLY i\n"
      "        statement_timeout: 5s\n");
  CHECK(std::get<SqlAction>(step.forward).statement_timeout == 0s);
  CHECK_FALSE(std::get<SqlAction>(step.forward).transactional());
}

TEST_CASE("a script is split into its statements with their own places") {
  auto const step = step_of(
      "        sql: |\n          SELECT 1;\n          SELECT 2;\n        irreversible: why\n");
  auto const& statements = std::get<SqlAction>(step.forward).statements;
  REQUIRE(statements.size() == 2);
  CHECK(statements[0].sql.place == Place{"p", 8, 11});
  CHECK(statements[1].sql.place == Place{"p", 9, 11});
}

TEST_CASE("white space at the end of SQL makes no other plan") {
  auto const block = step_of("        sql: |\n          SELECT 1\n        irreversible: why\n");
  auto const line = step_of("        sql: SELECT 1\n        irreversible: why\n");
  CHECK(std::get<SqlAction>(block.forward) == std::get<SqlAction>(line.forward));
}

TEST_CASE("backfill and wait need no way back") {
  auto const fill = step_of("        backfill: {table: t, set: {a: '1'}, where: a IS NULL}\n");
  CHECK(std::get<NoAction>(fill.backward).reason == "the filled values stay; nothing to undo");
  auto const wait = step_of("        wait: 5m\n");
  CHECK(std::get<WaitAction>(wait.forward).duration == 5min);
  CHECK_FALSE(std::get<NoAction>(wait.backward).reason.empty());
  CHECK(wait.reversible());
}

TEST_CASE("a backfill has gentle batches unless it says otherwise") {
  auto const plain = std::get<BackfillAction>(
      step_of("        backfill: {table: t, set: {a: b}, where: a IS NULL}\n").forward);
  CHECK(plain.batch == Batch{500ms, 20'000, 0ms});
  auto const own =
      std::get<BackfillAction>(step_of("        backfill: {table: s.t, set: {b: x.b, a: '1'}, "
                                       "from: x, where: 't.id = x.id AND a IS NULL',\n"
                                       "          batch: {target: 1s, max_rows: 10, pause: 0}}\n")
                                   .forward);
  CHECK(own.batch == Batch{1s, 10, 0s});
  CHECK(own.from == "x");
  CHECK(own.set == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "x.b"}});
}

TEST_CASE("every way back is understood") {
  std::string const sql = "        sql: SELECT 1\n";
  CHECK(kind_of(step_of(sql + "        rollback: SELECT 2\n").backward) == "sql");
  CHECK(kind_of(step_of(sql + "        rollback: {sql: SELECT 2}\n").backward) == "sql");
  CHECK(kind_of(step_of(sql + "        rollback_manual: call Ana\n").backward) == "manual");
  CHECK(kind_of(step_of(sql + "        rollback: {manual: call Ana}\n").backward) == "manual");
  CHECK(std::get<NoAction>(step_of(sql + "        rollback: {nothing: harmless}\n").backward)
            .reason == "harmless");
  CHECK(
      kind_of(step_of(sql +
                      "        rollback: {backfill: {table: t, set: {a: '1'}, where: a IS NULL}}\n")
                  .backward) == "backfill");
  auto const step = step_of(sql + "        irreversible: gone for good\n");
  CHECK_FALSE(step.reversible());
  CHECK(step.irreversible == "gone for good");
}

TEST_CASE("SQL of files beside the plan has its place there") {
  FileLookup const files = [](std::string const& name) -> std::optional<std::string> {
    return name == "sql/up.sql" ? "\xEF\xBB\xBFSELECT 1;\r\nSELECT 2;\r\n"
           : name == "down.sql" ? "SELECT 3"
                                : std::optional<std::string>{};
  };
  auto const plan =
      plan_of(with_step("        sql_file: sql/up.sql\n        rollback_file: down.sql\n"), files);
  auto const& forward = std::get<SqlAction>(plan.phases[0].steps[0].forward);
  CHECK(forward.source.text == "SELECT 1;\nSELECT 2;");
  CHECK(forward.statements.at(1).sql.place == Place{"sql/up.sql", 2, 1});
  CHECK(std::get<SqlAction>(plan.phases[0].steps[0].backward).source.text == "SELECT 3");
}

TEST_CASE("variables are put into SQL, names and durations") {
  auto const plan = plan_of(
      "runbook: 1\nname: p\nvariables: {table: users, short: 3s}\nphases:\n  - name: "
      "fill-${table}\n    soak: ${short}\n"
      "    steps:\n      - {name: s, sql: \"DROP TABLE ${table}\", irreversible: 'text "
      "$${table}'}\n");
  CHECK(plan.phases[0].name == "fill-users");
  CHECK(plan.phases[0].soak == 3s);
  CHECK(std::get<SqlAction>(plan.phases[0].steps[0].forward).source.text == "DROP TABLE users");
  CHECK(plan.phases[0].steps[0].irreversible == "text ${table}");
}

TEST_CASE("every expectation is understood") {
  CHECK(std::get<ValueIs>(check_of("{value: 0}").expect).value == "0");
  CHECK(std::get<ValueIs>(check_of("{value: 1.50}").expect).value == "1.50");
  CHECK(std::get<RowIs>(check_of("{row: [a, ~, 1]}").expect).row ==
        std::vector<Cell>{"a", std::nullopt, "1"});
  CHECK(std::get<RowsAre>(check_of("{rows: [[a], [b]]}").expect).rows.size() == 2);
  CHECK(std::get<RowsAre>(check_of("{rows: []}").expect).rows.empty());
  CHECK_FALSE(std::get<IsEmpty>(check_of("{empty: false}").expect).empty);
  CHECK(std::get<std::vector<Compares>>(check_of("{lt: 9, ge: 3}").expect) ==
        std::vector<Compares>{{Comparator::lt, "9"}, {Comparator::ge, "3"}});
  CHECK(std::get<FailsWith>(check_of("{error: not_null_violation}").expect).sqlstate == "23502");
  CHECK(std::get<FailsWith>(check_of("{error: \"23502\"}").expect).sqlstate == "23502");
  CHECK(std::get<BaselineIs>(
            check_of("{baseline: b, tolerance: 0.5%}", "baselines: {b: SELECT 1}\n").expect) ==
        BaselineIs{"b", "0.5%"});
}

TEST_CASE("unquoted booleans and null are what the server prints, quoted ones are text") {
  CHECK(std::get<RowIs>(check_of("{row: [true, false, null, \"true\", 'null', yes]}").expect).row ==
        std::vector<Cell>{"t", "f", std::nullopt, "true", "null", "yes"});
}

TEST_CASE("a check takes its timeout from the defaults") {
  CHECK(check_of("{value: 1}").timeout == 30s);
  CHECK(check_of("{value: 1}", "defaults: {check_timeout: 9s}\n").timeout == 9s);
}

TEST_CASE("a wrong plan is no plan, a doubtful one is") {
  auto const wrong = read_plan("runbook: 1\n", "p");
  CHECK_FALSE(wrong.plan);
  CHECK(has_error(wrong.findings));
  auto const doubtful = read_plan(
      with_step(
          "        manual: look\n        rollback_manual: look\n        statement_timeout: 3s\n"),
      "p");
  CHECK(doubtful.plan);
  CHECK(rules(doubtful.findings) == std::vector<std::string>{"plan/no-effect"});
}

TEST_CASE("a finding about a step names it") {
  auto const read = read_plan(with_step("        sql: SELEC 1\n        irreversible: why\n"), "p");
  REQUIRE(read.findings.size() == 1);
  CHECK(read.findings[0].step == "one/s");
  CHECK(read.findings[0].place == Place{"p", 7, 14});
}

TEST_CASE("a plan that is not a mapping is told so") {
  for (auto const* text : {"[]", "text", "~", "42", "\"\""}) {
    CAPTURE(text);
    CHECK(rules(read_plan(text, "p").findings) == std::vector<std::string>{"plan/wrong-type"});
  }
}

TEST_CASE("no key may be of any wrong type without being told") {
  for (auto const* key :
       {"name", "title", "metadata", "database", "overview", "compatibility", "performance",
        "checklist", "variables", "defaults", "on_failure", "on_restart", "oncall_rollback",
        "baselines", "phases", "final_checks", "runbook"}) {
    for (auto const* value : {"[[[]]]", "{x: {y: z}}", "~"}) {
      CAPTURE(key);
      CAPTURE(value);
      CHECK(has_error(read_plan(std::string(key) + ": " + value + "\n", "p").findings));
    }
  }
}
