// The request target ("/api/v1/runs/run_1?limit=5") taken apart and decoded, strictly.
#pragma once

#include <string_view>

#include "planner/error.h"
#include "web/http.h"

namespace runbookd::web {

// Fills request.target, segments and query. Refuses bad escapes, control characters and anything
// but a path.
planner::Result<Request> read_target(std::string_view method, std::string_view target);

// As a part of a path or of a query.
std::string percent_encoded(std::string_view text);

// Valid UTF-8 without control characters.
bool is_plain_text(std::string_view text);

}  // namespace runbookd::web
