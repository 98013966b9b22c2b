// Where a run stands, for refusals. Private to planner/machine_*.cpp.
#pragma once

#include <string>

#include "planner/machine.h"

namespace runbookd::planner {

bool at_gate(RunState const& state);
// The state, and what tells it apart from others of the same name.
std::string standing(Plan const& plan, RunState const& state);
// The command that fits now, without program and run; empty where none moves the run.
std::string fits_now(Plan const& plan, RunState const& state, Moment now);

}  // namespace runbookd::planner
