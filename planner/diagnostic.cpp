#include "planner/diagnostic.h"

#include <algorithm>

namespace runbookd::planner {
namespace {

std::string prefix_of(Place const& place) {
  std::string text = place.file;
  if (place.line > 0) {
    text.append(text.empty() ? "line " : ":").append(std::to_string(place.line));
    if (place.column > 0) {
      text.append(":").append(std::to_string(place.column));
    }
  }
  return text.empty() ? text : text + ": ";
}

}  // namespace

bool has_error(Findings const& findings) {
  return std::any_of(findings.begin(), findings.end(), [](Finding const& f) {
    return f.severity == Severity::error && f.acknowledged.empty();
  });
}

bool acknowledges(Acknowledgement const& word, Finding const& finding) {
  bool const named = word.rule == finding.rule || word.rule == finding.rule + "@" + finding.step;
  return named && !word.reason.empty();
}

std::string_view to_text(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  __builtin_unreachable();
}

std::string to_text(Finding const& finding) {
  auto const place = prefix_of(finding.place);
  std::string text = place.empty() && !finding.step.empty() ? finding.step + ": " : place;
  text += to_text(finding.severity);
  text += ": " + finding.message + " [" + finding.rule + "]";
  if (!finding.acknowledged.empty()) {
    text += "\n  acknowledged: " + finding.acknowledged;
  } else if (!finding.fix.empty()) {
    text += "\n  fix: " + finding.fix;
  }
  return text;
}

}  // namespace runbookd::planner
