// Error -> application/problem+json (RFC 9457). The only place that knows which status a refusal
// has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/error.h"
#include "web/http.h"

namespace runbookd::web {

struct ProblemKind {
  int status;
  std::string_view title;    // the same for every problem of this kind
  std::string_view meaning;  // for the help page: what happened
  std::string_view advice;   // for the help page: what to do about it
};
ProblemKind problem_kind(planner::ErrorCode code);
std::vector<planner::ErrorCode> all_problems();

Response problem(planner::Error const& error);

// The help page behind a problem's `type`, or nothing for an unknown slug.
std::optional<Response> problem_page(std::string_view slug);

// One self-contained HTML page; `body` is HTML already.
Response html_page(std::string_view title, std::string_view body);
std::string html_escaped(std::string_view text);

}  // namespace runbookd::web
