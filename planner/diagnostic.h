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

// A change of the text at a place: `was` stands there, within one line, and becomes `now`.
struct Edit {
  Place at;
  std::string was, now;
  bool operator==(Edit const&) const = default;
};

// A person's word that a finding is known and why it may stand.
struct Acknowledgement {
  std::string rule;  // the finding's rule id, optionally "rule@phase/step"
  std::string reason;
  bool operator==(Acknowledgement const&) const = default;
};

struct Finding {
  std::string rule;  // stable id, such as "plan/unknown-key" or "sql/syntax"
  Severity severity = Severity::error;
  Place place;
  std::string message;       // what is wrong and why it matters
  std::string fix;           // what to write instead; may be empty
  std::string step;          // "phase/step" where the finding is about one step; may be empty
  std::string acknowledged;  // the reason why it may stand, given beside the SQL or in the plan
  std::vector<Edit> edits;   // the fix, where a machine may make it
  bool operator==(Finding const&) const = default;
};
using Findings = std::vector<Finding>;

bool has_error(Findings const& findings);  // that nobody has acknowledged
bool acknowledges(Acknowledgement const& word, Finding const& finding);
// "plan.yaml:12:5: error: message [rule]" and, on a second line, the fix.
std::string to_text(Finding const& finding);
std::string_view to_text(Severity severity);

}  // namespace runbookd::planner
