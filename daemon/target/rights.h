// The rights that a plan asks for and its role lacks, looked up in the catalogs in one query, each
// with the statement that gives no more than it. Private to daemon/target.
#pragma once

#include <string>
#include <vector>

#include "daemon/target/session.h"
#include "planner/plan_needs.h"

namespace runbookd::daemon {

struct MissingRights {
  std::vector<std::string> remedies;  // "GRANT UPDATE (b) ON public.u TO mover;  -- backfill/fill"
  bool in_fingerprint = false;        // some of them change what a fingerprint tells
};
SqlResult<MissingRights> missing_rights(Session& session,
                                        std::vector<planner::PlanNeed> const& needs);

}  // namespace runbookd::daemon
