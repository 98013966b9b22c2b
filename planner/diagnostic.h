// A finding about a plan or its SQL: collected, never thrown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runbookd::planner {

// Where something stands in a text that a person wrote; line and column from 1, 0 = not known.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  bool operator==(Place const&) const = default;
};

enum class Severity { error, warning, note };

struct Finding {
  std::string rule;  // stable id, such as "plan/unknown-key" or "sql/syntax"
  Severity severity = Severity::error;
  Place place;
  std::string message;  // what is wrong and why it matters
  std::string fix;      // what to write instead; may be empty
  std::string step;     // "phase/step" where the finding is about one step; may be empty
  bool operator==(Finding const&) const = default;
};
using Findings = std::vector<Finding>;

bool has_error(Findings const& findings);
// "plan.yaml:12:5: error: message [rule]" and, on a second line, the fix.
std::string to_text(Finding const& finding);
std::string_view to_text(Severity severity);

}  // namespace runbookd::planner
