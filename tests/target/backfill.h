// Short ways to run a backfill on a Target.
#pragma once

#include <string>

#include "daemon/target/backfill_sql.h"
#include "tests/target/target.h"

namespace runbookd::testing {

void make_counters(Target const& target, int rows);

// Batches of 300 rows however slow the machine is: the target time is never missed.
planner::BackfillAction fill(std::string const& table, std::string const& column,
                             std::string const& expression, std::string const& where = "");
planner::BackfillAction with_workers(planner::BackfillAction action, int workers);

// As the daemon lends sessions to further workers.
daemon::BackfillHelp help(Target const& target, daemon::AttemptTag const& tag);
daemon::AttemptResult run(Target const& target, planner::BackfillAction const& what,
                          int attempt = 1, int since = 1);
// Stopped once one batch is committed.
daemon::AttemptResult run_until_first_batch(Target const& target,
                                            planner::BackfillAction const& what);

}  // namespace runbookd::testing
