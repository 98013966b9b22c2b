// The rules of lint as people look them up: the catalogue page, SARIF and the findings themselves
// take their words from here. Pure values; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/diagnostic.h"

namespace runbookd::planner {

struct LintRule {
  // Optional ones are policies, off unless asked for by name.
  enum class Use { always, optional };
  // A rule by size is mild on a table that is known to be small, and stern on a large one.
  enum class Weight { fixed, by_size };

  std::string_view id;
  Severity severity = Severity::warning;
  std::string_view title;  // what it finds
  std::string_view why;    // what happens
  std::string_view fix;    // what to write instead
  std::string_view like;   // rules of other tools: "squawk require-timeout, eugene E9"
  Weight weight = Weight::fixed;
  Use use = Use::always;
};

std::vector<LintRule> const& all_rules();  // by id
LintRule const* find_rule(std::string_view id);
// "policy/serial", "policy" or "all" switches an optional rule on.
bool wanted(LintRule const& rule, std::vector<std::string> const& optional);
// planner/lint/RULES.md
std::string rules_page();

}  // namespace runbookd::planner
