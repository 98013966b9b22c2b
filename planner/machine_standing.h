// Where a run stands, for refusals. Private to planner/machine_*.cpp.
#pragma once

#include <string>

#include "planner/machine.h"

namespace runbookd::planner {

bool at_gate(RunState const& state);
// The state, and what tells it apart from others of the same name.
std::string standing(Plan const& plan, RunState const& state);
// What leads on towards that which was refused, without program and run: a verb where it is one
// that this person would want, else `watch` of what moves by itself, or `status`. A verb that fits
// the state and not the aim (`pause`, to somebody who confirms twice) is not offered.
std::string way_on(Plan const& plan, RunState const& state, Ask const& ask, Moment now);

}  // namespace runbookd::planner
