// Checks that did not pass, in words. Private to planner/view*.cpp.
#pragma once

#include <string>
#include <vector>

#include "planner/gate.h"

namespace runbookd::planner::view {

// The first that did not pass; null where all did.
CheckResult const* first_failed(std::vector<CheckResult> const& results);
// "expected value 0, found value 17", each cut to a sensible width.
std::string expected_and_found(CheckResult const& result);
// "; 2 others did not pass: nulls, rows", or nothing.
std::string others_failed(std::vector<CheckResult> const& results);

}  // namespace runbookd::planner::view
