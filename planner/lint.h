// What is unsafe for live traffic, or unwise, in a plan that reads well. Pure: judges by the text
// alone, so it does not know how large a table is; an error stops `start` until somebody
// acknowledges it with a reason.
#pragma once

#include "planner/diagnostic.h"
#include "planner/plan.h"

namespace runbookd::planner {

Findings lint(Plan const& plan);

}  // namespace runbookd::planner
