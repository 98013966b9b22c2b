// What each verb asks of its caller. With the state, since the on-call may slow a backfill down but
// not let it go faster again.
#pragma once

#include <vector>

#include "planner/access.h"
#include "planner/machine.h"

namespace runbookd::planner {

Capability needed_for(Ask const& ask, Plan const& plan, RunState const& state, Moment now);

// As `actions`, and what this caller may not do is not allowed.
std::vector<VerbState> actions_for(Principal const& caller, std::string const& target,
                                   Plan const& plan, RunState const& state, Moment now,
                                   HouseRules const& house = {});

}  // namespace runbookd::planner
