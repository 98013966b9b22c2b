#include "planner/limited_text.h"

#include <doctest/doctest.h>

#include "planner/gate.h"
#include "planner/view_checks.h"

namespace runbookd::tests {
namespace {

using namespace planner;

TEST_CASE("a text that fits is left alone, a longer one is cut and says its true size") {
  CHECK(limited("value 17", 20) == "value 17");
  CHECK(limited(std::string(500'000, 'x'), 3) == "xxx… (500000 bytes)");
}

TEST_CASE("a character is never cut in the middle") {
  CHECK(limited("aüü", 2) == "a… (5 bytes)");
  CHECK(limited("aüü", 3) == "aü… (5 bytes)");
}

TEST_CASE("a text that was cut before keeps its true size, however often it is cut") {
  auto const once = limited(std::string(9'000, 'x'), 4'096);
  CHECK(limited(once, 4'096) == once);
  CHECK(limited(once, 2) == "xx… (9000 bytes)");
  CHECK(limited("aaaa… (7 miles)", 2) == "aa… (17 bytes)");
}

CheckResult judged(std::string const& value, std::string const& expected) {
  Check check;
  check.name = "large";
  check.expect = ValueIs{expected};
  return judge_check(check, {.columns = {"v"}, .rows = {{value}}, .total_rows = 1}, {});
}

TEST_CASE("of a check's result at most 4 KiB a side are kept, and the verdict is of the whole") {
  std::string const large(500'000, 'x');
  auto const same = judged(large, large);
  CHECK(same.verdict == Verdict::passed);
  CHECK(same.actual.size() < 4'200);
  CHECK(same.expected.size() < 4'200);
  CHECK(same.actual.ends_with("x… (500006 bytes)"));
  CHECK(judged(large, large + "y").verdict == Verdict::failed);
}

TEST_CASE("a sentence about a check shows a line of it") {
  auto const words = view::expected_and_found(judged("a\nb" + std::string(500'000, 'x'), "1"));
  CHECK(words.starts_with("expected value 1, found value a bxxx"));
  CHECK(words.ends_with("x… (500009 bytes)"));
  CHECK(words.size() < 220);
}

}  // namespace
}  // namespace runbookd::tests
