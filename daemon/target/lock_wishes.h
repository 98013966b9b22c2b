// Which locks the statements of a step are going to ask for.
#pragma once

#include <vector>

#include "daemon/target/lock_set.h"
#include "planner/plan.h"

namespace runbookd::daemon {

// Reading a whole catalog is dear beside one small statement, so the first try of a step goes by
// what its statements name.
enum class Foresight { names, catalog };
Foresight first_foresight(planner::SqlAction const& action);

// As far as it can be told beforehand. What is missing here is guarded by lock_timeout alone.
std::vector<LockWish> lock_wishes(Session& session, planner::SqlAction const& action,
                                  Foresight foresight);

}  // namespace runbookd::daemon
