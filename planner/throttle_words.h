// A plan's limits for people; what comes of them is told by throttle.h.
#pragma once

#include <string>

#include "planner/throttle_policy.h"

namespace runbookd::planner {

// "replica_lag 5s, lock_waiters 1"; "nothing" where no signal is looked at
std::string limit_words(ThrottlePolicy const& policy);

}  // namespace runbookd::planner
