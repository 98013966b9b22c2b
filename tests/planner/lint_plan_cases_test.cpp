// Rules over whole plans, by cases that are data: tests/planner/lint/plans.txt. A line `=== RULE …`
// begins a plan and names what is found in it; `=== safe` is a plan without findings.
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "planner/lint.h"
#include "planner/lint/rule.h"
#include "planner/plan_reader.h"

using namespace runbookd::planner;

namespace {

struct PlanCase {
  int line = 0;
  std::set<std::string> expected;
  std::string text = "runbook: 1\nname: a-case\n";
};

std::vector<PlanCase> plan_cases() {
  std::vector<PlanCase> cases;
  std::ifstream in(RUNBOOKD_SOURCE_DIR "/tests/planner/lint/plans.txt");
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.starts_with("=== ")) {
      cases.back().text += line + "\n";
      continue;
    }
    cases.push_back({.line = number, .expected = {}});
    std::istringstream words(line.substr(4));
    for (std::string word; words >> word;) {
      if (word != "safe") {
        cases.back().expected.insert(word);
      }
    }
  }
  return cases;
}

std::string joined(std::set<std::string> const& ids) {
  std::string text;
  for (auto const& id : ids) {
    text += id + " ";
  }
  return text.empty() ? "nothing " : text;
}

std::set<std::string> found_in(PlanCase const& one) {
  auto const read = read_plan(one.text, "plan.yaml", {});
  std::set<std::string> found;
  auto all = read.findings;
  if (read.plan) {
    auto const linted = lint(*read.plan);
    all.insert(all.end(), linted.begin(), linted.end());
  }
  for (auto const& finding : all) {
    if (finding.acknowledged.empty()) {
      found.insert(finding.rule);
    }
  }
  return found;
}

}  // namespace

TEST_CASE("every plan case finds the rules that it names, and no other") {
  std::string wrong;
  for (auto const& one : plan_cases()) {
    auto const found = found_in(one);
    if (found != one.expected) {
      wrong += "plans.txt:" + std::to_string(one.line) + " finds " + joined(found) + "instead of " +
               joined(one.expected) + "\n";
    }
  }
  CHECK_MESSAGE(wrong.empty(), wrong);
}

TEST_CASE("every rule over plans is found in some case") {
  std::set<std::string> named;
  for (auto const& one : plan_cases()) {
    named.insert(one.expected.begin(), one.expected.end());
  }
  for (auto const& rule : all_rules()) {
    auto const group = rule.id.substr(0, rule.id.find('/'));
    bool const of_plans = group == "plan" || group == "check" || group == "throttle" ||
                          group == "rollback" || rule.id.starts_with("data/backfill");
    bool const needs_sizes = rule.id == "plan/timeout-too-short";
    CAPTURE(std::string(rule.id));
    CHECK((!of_plans || needs_sizes || named.contains(std::string(rule.id))));
  }
}

TEST_CASE("a statement that its timeout will end is told where sizes are known") {
  auto const read = read_plan(
      "runbook: 1\nname: a\nphases:\n  - name: e\n    steps:\n      - {name: v, sql: ALTER TABLE t "
      "VALIDATE CONSTRAINT c, rollback: {nothing: x}, statement_timeout: 30s}\n",
      "plan.yaml", {});
  REQUIRE(read.plan);
  auto const rules_for = [&](std::int64_t bytes) {
    Catalog catalog;
    catalog.complete = true;
    Relation table{.name = {"public", "t"}, .rows = 1'000'000, .bytes = bytes, .heap_bytes = bytes};
    table.columns.push_back({.name = "a", .type = {.schema = "", .name = "int4"}});
    table.constraints.push_back({.kind = Constraint::Kind::check, .name = "c", .validated = false});
    catalog.put(table);
    std::set<std::string> ids;
    for (auto const& finding : lint(*read.plan, {.catalog = catalog})) {
      ids.insert(finding.rule);
    }
    return ids;
  };
  CHECK(rules_for(1LL << 40).contains("plan/timeout-too-short"));
  CHECK_FALSE(rules_for(1LL << 20).contains("plan/timeout-too-short"));
}

TEST_CASE("what a plan acknowledges stops nobody, and its reason is stored with the plan") {
  auto const text = [](std::string const& reason) {
    return "runbook: 1\nname: a\nacknowledge:\n  - {rule: lock/create-index-not-concurrent, "
           "reason: "
           "\"" +
           reason +
           "\"}\nphases:\n  - name: e\n    steps:\n      - {name: i, sql: CREATE INDEX i ON t (a), "
           "rollback: DROP INDEX CONCURRENTLY i}\n";
  };
  auto const read = read_plan(text("ten rows"), "plan.yaml", {});
  REQUIRE(read.plan);
  auto const findings = lint(*read.plan);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::error);
  CHECK(findings[0].acknowledged == "ten rows");
  CHECK_FALSE(has_error(findings));
  auto const canonical = canonical_json(*read.plan);
  CHECK(canonical.find("ten rows") != std::string::npos);
  auto const again = read_plan(canonical, "plan.json", {});
  REQUIRE(again.plan);
  CHECK(canonical_json(*again.plan) == canonical);
  CHECK_FALSE(read_plan(text(""), "plan.yaml", {}).plan);
}

TEST_SUITE("by size") {
  static Findings of_table(std::int64_t bytes, std::string const& sql) {
    LintOptions options{.timeouts_given = true};
    options.catalog.complete = true;
    Relation table{
        .name = {"public", "t"}, .rows = bytes / 100, .bytes = bytes, .heap_bytes = bytes};
    table.columns.push_back({.name = "a", .type = {.schema = "", .name = "int4"}});
    options.catalog.put(table);
    return lint_sql({.text = sql, .place = {"a.sql", 1, 1}}, options).findings;
  }
  TEST_CASE("what is fatal for a large table is worth a note for a small one") {
    auto const sql = "CREATE INDEX i ON t (a)";
    REQUIRE(of_table(8192, sql).size() == 1);
    CHECK(of_table(8192, sql)[0].severity == Severity::note);
    CHECK(of_table(1LL << 30, sql)[0].severity == Severity::error);
    CHECK(of_table(1LL << 30, sql)[0].message.find("1.0 GB") != std::string::npos);
  }
}

TEST_CASE("a finding is at its own part of its own statement, wherever that stands") {
  auto const sql = "SELECT 1;\n\nALTER TABLE t\n  ADD COLUMN a text,\n  ADD COLUMN b json;";
  for (std::string const& text : {std::string(sql), std::string(sql) + " BROKEN;"}) {
    auto const found =
        lint_sql({.text = text, .place = {"a.sql", 1, 1}}, {.timeouts_given = true}).findings;
    REQUIRE_FALSE(found.empty());
    CHECK(found[0].rule == "type/json");
    CHECK(found[0].place == Place{"a.sql", 5, 14});
  }
}

TEST_SUITE("mending") {
  static std::string mended(std::string const& text) {
    LintOptions const options{.timeouts_given = true};
    auto const found = lint_sql({.text = text, .place = {"a.sql", 1, 1}}, options).findings;
    return mend(text, "a.sql", found).text;
  }
  TEST_CASE("CONCURRENTLY is added where the statement is free to stand alone") {
    CHECK(mended("CREATE INDEX i ON t (a);\ndrop index j;") ==
          "CREATE INDEX CONCURRENTLY i ON t (a);\ndrop index CONCURRENTLY j;");
    CHECK(mended("REINDEX TABLE t") == "REINDEX TABLE CONCURRENTLY t");
    auto const inside = "BEGIN; CREATE INDEX i ON t (a); COMMIT;";
    CHECK(mended(inside) == inside);
  }
  TEST_CASE("a constraint is added NOT VALID and validated after it") {
    CHECK(mended("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);\nSELECT 1;") ==
          "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE "
          "CONSTRAINT c;\nSELECT 1;");
  }
  TEST_CASE("what was mended is found no more") {
    for (auto const* text : {"CREATE INDEX i ON t (a)", "DROP INDEX IF EXISTS i",
                             "/* ä */ CREATE UNIQUE INDEX i ON t (a);",
                             "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id)"}) {
      CAPTURE(std::string(text));
      LintOptions const options{.timeouts_given = true};
      CHECK(mended(text) != text);
      CHECK(lint_sql({.text = mended(text)}, options).findings.empty());
    }
  }
  TEST_CASE("an acknowledged finding is left as it is") {
    auto const text =
        "-- runbookd:ignore lock/create-index-not-concurrent: ten rows\n"
        "CREATE INDEX i ON t (a);";
    CHECK(mended(text) == text);
  }
  TEST_CASE("an edit is made only where the text still says what it said") {
    Findings const found{{.rule = "a/b",
                          .place = {"a.sql", 1, 1},
                          .edits = {{{"a.sql", 1, 8}, "INDEX", "INDEX CONCURRENTLY"}}}};
    CHECK(mend("CREATE INDEX i", "a.sql", found).edits == 1);
    CHECK(mend("create table i", "a.sql", found).edits == 0);
    CHECK(mend("CREATE INDEX i", "b.sql", found).edits == 0);
  }
}
