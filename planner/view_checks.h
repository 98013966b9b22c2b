// Checks that did not pass, in words. Private to planner/view*.cpp.
#pragma once

#include <string>
#include <vector>

#include "planner/gate.h"
#include "planner/plan.h"

namespace runbookd::planner::view {

// "what phase expand has shown and what phase backfill requires": of the checks before a phase;
// empty where none of `which` looks at the phase before.
std::string shown_before(Plan const& plan, int phase, std::vector<int> const& which);
// The first that did not pass; null where all did.
CheckResult const* first_failed(std::vector<CheckResult> const& results);
// "expected value 0, found value 17", each cut to a sensible width.
std::string expected_and_found(CheckResult const& result);
// "; 2 others did not pass: nulls, rows", or nothing.
std::string others_failed(std::vector<CheckResult> const& results);

}  // namespace runbookd::planner::view
