// What lint says of a backfill where the schema is known.
#include <algorithm>

#include <doctest/doctest.h>

#include "planner/effects.h"
#include "planner/lint.h"
#include "planner/plan_reader.h"

using namespace runbookd::planner;

TEST_CASE("a column that a backfill names has to be there, also one that the plan makes first") {
  Catalog nothing;
  nothing.complete = true;
  auto const schema = explain(
      {.text = "CREATE TABLE e (id int PRIMARY KEY, b int); CREATE TABLE u (id int, c int);"},
      nothing, 18);
  auto const judged = [&](std::string const& set, std::string const& where) {
    auto const read = read_plan(
        "runbook: 1\nname: p\nphases:\n  - name: expand\n    kind: expand\n    steps:\n"
        "      - {name: add, sql: ALTER TABLE e ADD COLUMN a int, rollback: auto}\n"
        "      - {name: fill, backfill: {table: e, from: u, set: {" +
            set + "}, where: \"" + where + "\"}}\n",
        "plan.yaml");
    REQUIRE(read.plan);
    auto const findings = lint(*read.plan, {.catalog = schema.catalog});
    return std::ranges::any_of(findings, [](Finding const& f) {
      return f.rule == "sql/no-such-column" && f.severity == Severity::error;
    });
  };
  CHECK_FALSE(judged("a: u.c", "u.id = e.id AND a IS NULL AND e.ctid IS NOT NULL"));
  CHECK_FALSE(judged("a: c", "u.id = e.id AND a IS NULL AND b IN (SELECT x FROM elsewhere)"));
  CHECK(judged("a: u.c", "u.id = e.id AND e.id > lo AND a IS NULL"));
  CHECK(judged("a: u.d", "u.id = e.id AND a IS NULL"));
  CHECK(judged("z: u.c", "u.id = e.id AND a IS NULL"));
}
