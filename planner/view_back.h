// What a rollback took back and what it did not, in words. Private to planner/view*.cpp.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"
#include "planner/state.h"
#include "planner/view.h"

namespace runbookd::planner::view {

// What of the database the step's SQL destroys, as far as its text tells: "column public.t.v". It
// is back only as far as the plan's reversal brings it.
std::vector<std::string> destroyed_by(Step const& step);
// Of everything from step `to` on, as the run stands now.
std::string taken_back_words(Plan const& plan, RunState const& state, StepRef to);
// "; the rollback was begun by ana: p99 is up, after step expand/add failed: …", or nothing
std::string rollback_begun(History const& history);
// "rolling back by ana: p99 is up"
std::string rolling_back_words(History const& history);

}  // namespace runbookd::planner::view
