// The rights that a plan asks for and its role lacks, looked up in the catalogs in one query, each
// with the statement that gives no more than it. Private to daemon/target.
#pragma once

#include <string>
#include <vector>

#include "daemon/target/session.h"
#include "planner/plan_needs.h"

namespace runbookd::daemon {

// "GRANT UPDATE (b) ON public.u TO mover;  -- backfill/fill"
SqlResult<std::vector<std::string>> missing_rights(Session& session,
                                                   std::vector<planner::PlanNeed> const& needs);

}  // namespace runbookd::daemon
