#include "planner/plan.h"

#include <doctest/doctest.h>

using namespace runbookd::planner;

namespace {
Plan two_phases() {
  Plan plan;
  plan.phases.resize(2);
  plan.phases[0].name = "expand";
  plan.phases[1].name = "contract";
  for (auto const* name : {"add", "same"}) {
    plan.phases[0].steps.push_back({.name = name});
  }
  for (auto const* name : {"drop", "same"}) {
    plan.phases[1].steps.push_back({.name = name});
  }
  return plan;
}
}  // namespace

TEST_CASE("a step is found by its label") {
  CHECK(two_phases().find_step("contract/same") == StepRef{1, 1});
  CHECK(two_phases().find_step("expand/same") == StepRef{0, 1});
}
TEST_CASE("a step is found by its name where the plan has it once") {
  CHECK(two_phases().find_step("drop") == StepRef{1, 0});
  CHECK_FALSE(two_phases().find_step("same"));
  CHECK_FALSE(two_phases().find_step("none"));
}
TEST_CASE("a label is the phase's name and the step's name") {
  CHECK(two_phases().label({1, 0}) == "contract/drop");
  CHECK(two_phases().step({1, 0}).name == "drop");
}
TEST_CASE("a phase is found by its name") {
  CHECK(two_phases().phase_index("contract") == 1);
  CHECK(two_phases().phase_index("none") == -1);
}

TEST_CASE("expectations are written as a person would say them") {
  CHECK(to_text(Expectation{ValueIs{"0"}}) == "value 0");
  CHECK(to_text(Expectation{ValueIs{}}) == "value NULL");
  CHECK(to_text(Expectation{RowIs{{"a", std::nullopt}}}) == "row (a, NULL)");
  CHECK(to_text(Expectation{RowsAre{{{"a"}, {"b"}}}}) == "rows (a) (b)");
  CHECK(to_text(Expectation{RowsAre{}}) == "no rows");
  CHECK(to_text(Expectation{IsEmpty{true}}) == "no rows");
  CHECK(to_text(Expectation{IsEmpty{false}}) == "at least one row");
  CHECK(to_text(Expectation{std::vector<Compares>{{Comparator::ge, "3"}, {Comparator::lt, "9"}}}) ==
        "value >= 3 and < 9");
  CHECK(to_text(Expectation{FailsWith{"not_null_violation", "23502"}}) ==
        "error not_null_violation");
  CHECK(to_text(Expectation{BaselineIs{"total", ""}}) == "baseline total");
  CHECK(to_text(Expectation{BaselineIs{"total", "1%"}}) == "baseline total within 1%");
}

TEST_CASE("actions and phases have names") {
  CHECK(kind_of(Action{NoAction{}}) == "none");
  CHECK(kind_of(Action{SqlAction{}}) == "sql");
  CHECK(kind_of(Action{BackfillAction{}}) == "backfill");
  CHECK(kind_of(Action{ManualAction{}}) == "manual");
  CHECK(kind_of(Action{WaitAction{}}) == "wait");
  CHECK(to_text(PhaseKind::enforce) == "enforce");
}

TEST_CASE("an offset of SQL is mapped to the author's line and column") {
  SqlText const sql{.text = "SELECT é,\n  b", .place = {"p", 10, 7}, .indent = 6};
  CHECK(sql.at(0) == Place{"p", 10, 7});
  CHECK(sql.at(9) == Place{"p", 10, 15});
  CHECK(sql.at(13) == Place{"p", 11, 9});
  CHECK(sql.at(999) == Place{"p", 11, 10});
}
