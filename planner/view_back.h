// What a rollback took back and what it did not, in words. Private to planner/view*.cpp.
#pragma once

#include <string>

#include "planner/plan.h"
#include "planner/state.h"

namespace runbookd::planner::view {

// Of everything from step `to` on, as the run stands now.
std::string taken_back_words(Plan const& plan, RunState const& state, StepRef to);
// "; the rollback was begun after step expand/add failed: …", or nothing
std::string begun_after(std::string const& cause);

}  // namespace runbookd::planner::view
