// Who waits for whom on a target. Private to daemon/.
#pragma once

#include <string>
#include <vector>

#include "daemon/target/session.h"
#include "planner/lock_tree.h"

namespace runbookd::daemon {

// Columns from `first` on: pid, user, application, kind of backend, age of the transaction in
// milliseconds, state, query.
planner::LockSession lock_session(std::vector<Cell> const& row, std::size_t first);

// What concerns these sessions of ours. Costs the server's lock manager something: to be asked
// where somebody waits, and not in a fast loop.
SqlResult<planner::LockGraph> read_locks(Session& session, std::vector<int> const& ours);

// The same for every session whose application name begins so. Where nobody on the server waits for
// a lock, the lock manager is not asked at all.
SqlResult<planner::LocksSeen> read_run_locks(Session& session, std::string const& name);

}  // namespace runbookd::daemon
