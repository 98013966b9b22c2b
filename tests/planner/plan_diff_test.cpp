#include "planner/plan_diff.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/planner/generated_plan.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;

namespace {

Plan plan_of(std::string const& phases) {
  auto const read = read_plan("runbook: 1\nname: p\nphases:\n" + phases, "p");
  INFO(listed(read.findings));
  REQUIRE(read.plan);
  return *read.plan;
}
std::string phase(std::string const& name, std::string const& steps) {
  return "  - {name: " + name + ", steps: [" + steps + "]}\n";
}
std::string step(std::string const& name, std::string const& sql) {
  return "{name: " + name + ", sql: " + sql + ", rollback: {nothing: why}}, ";
}

std::string told(Plan const& before, Plan const& after) {
  std::string text;
  for (auto const& change : diff(before, after)) {
    text += std::string(to_text(change.kind)) + " " + change.place +
            (change.key.empty() ? "" : " " + change.key) + "\n";
    for (auto const& line : change.lines) {
      text += std::string("  ") + line.sign + line.text + "\n";
    }
  }
  return text;
}

}  // namespace

TEST_CASE("steps that were added, removed and changed are told by name") {
  auto const before = plan_of(phase("a", step("one", "SELECT 1") + step("two", "SELECT 2")));
  auto const after = plan_of(phase("a", step("one", "SELECT 9") + step("three", "SELECT 3")));
  CHECK(told(before, after) ==
        "removed step a/two\n  -SELECT 2\n"
        "changed step a/one sql\n  -SELECT 1\n  +SELECT 9\n"
        "added step a/three\n  +SELECT 3\n");
}

TEST_CASE("a step in another place has moved") {
  auto const before = plan_of(phase("a", step("one", "SELECT 1") + step("two", "SELECT 2")) +
                              phase("b", step("x", "SELECT 0")));
  auto const order = plan_of(phase("a", step("two", "SELECT 2") + step("one", "SELECT 1")) +
                             phase("b", step("x", "SELECT 0")));
  CHECK(told(before, order) == "moved steps of a order\n  -one\n   two\n  +one\n");
  auto const other = plan_of(phase("a", step("one", "SELECT 1")) +
                             phase("b", step("x", "SELECT 0") + step("two", "SELECT 2")));
  CHECK(told(before, other) == "moved step b/two phase\n  -a\n  +b\n");
}

TEST_CASE("settings are told with their path") {
  auto const before = *read_plan("runbook: 1\nname: p\nmetadata: {author: ana}\nphases:\n" +
                                     phase("a", step("one", "SELECT 1")),
                                 "p")
                           .plan;
  auto after = before;
  after.metadata.author = "ben";
  CHECK(told(before, after) == "changed plan metadata.author\n  -ana\n  +ben\n");
}

TEST_CASE("two plans differ exactly where their digests do") {
  CHECK(rc::check([] {
    auto const one = generated_plan();
    auto const other = generated_plan();
    bool const same = canonical_json(one) == canonical_json(other);
    RC_ASSERT(diff(one, one).empty());
    RC_ASSERT(diff(one, other).empty() == same);
    auto changed = one;
    changed.phases.back().steps.back().description += "!";
    RC_ASSERT(diff(one, changed).size() == 1);
  }));
}

TEST_CASE("lines that both have are kept in a change") {
  auto const lines = diff_lines("a\nb\nc", "a\nx\nc");
  CHECK(lines == std::vector<DiffLine>{{' ', "a"}, {'-', "b"}, {'+', "x"}, {' ', "c"}});
}
