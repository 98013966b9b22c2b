// When the next try for a lock comes, and when to give up. Pure arithmetic; jitter comes in as an
// argument.
#pragma once

#include <optional>

#include "planner/plan.h"

namespace runbookd::planner {

// Doubling from 2 x stall_budget, capped at 30 s, times 0.5..1.5 by jitter in [0,1).
Duration lock_backoff(LockPolicy const& policy, int tries_so_far, double jitter);
// The moment of the next try after `pause`, or nothing: the policy's give_up_after would have
// passed by then.
std::optional<Moment> next_try(LockPolicy const& policy, Moment first_try, Moment now,
                               Duration pause);

}  // namespace runbookd::planner
