#include "planner/view_checks.h"

#include <algorithm>
#include <ranges>

#include "planner/limited_text.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {
namespace {

constexpr std::size_t shown_side = 160;
constexpr std::size_t most_names = 5;

bool is_bad(CheckResult const& result) { return result.verdict != Verdict::passed; }

}  // namespace

std::string shown_before(Plan const& plan, int phase, std::vector<int> const& which) {
  bool const known = phase > 0 && phase < std::ssize(plan.phases);
  auto const own = known ? std::ssize(plan.phases[phase].requirements) : 0;
  bool const looks_back = std::ranges::any_of(which, [=](int i) { return i >= own; });
  if (!known || !looks_back) {
    return "";
  }
  bool const looks_ahead = std::ranges::any_of(which, [=](int i) { return i < own; });
  return "what phase " + phase_label(plan, phase - 1) + " has shown" +
         (looks_ahead ? " and what phase " + phase_label(plan, phase) + " requires" : "");
}

CheckResult const* first_failed(std::vector<CheckResult> const& results) {
  auto const found = std::ranges::find_if(results, is_bad);
  return found == results.end() ? nullptr : &*found;
}

std::string expected_and_found(CheckResult const& result) {
  return "expected " + in_a_line(limited(result.expected, shown_side)) + ", found " +
         in_a_line(limited(result.actual, shown_side));
}

std::string others_failed(std::vector<CheckResult> const& results) {
  std::vector<std::string> names;
  for (auto const& result : results | std::views::filter(is_bad)) {
    names.push_back(in_a_line(result.name, 60));
  }
  if (names.size() < 2) {
    return "";
  }
  auto const others = std::ssize(names) - 1;
  std::string list;
  for (auto const& name : names | std::views::drop(1) | std::views::take(most_names)) {
    list += (list.empty() ? "" : ", ") + name;
  }
  bool const all_named = others <= static_cast<std::ptrdiff_t>(most_names);
  return "; " + count_words(others, "other") + " did not pass: " + list + (all_named ? "" : ", …");
}

}  // namespace runbookd::planner::view
