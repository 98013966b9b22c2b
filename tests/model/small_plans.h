// Plans as values for the model tests: small enough to explore completely.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"

namespace runbookd::tests {

planner::Action ddl(std::string const& name);         // one transaction, changes the schema
planner::Action concurrent(std::string const& name);  // cannot stand in a transaction
planner::Action backfill();
planner::Action by_hand();
planner::Action pause_of(planner::Duration duration);
planner::Check check(std::string const& name);

struct NamedPlan {
  std::string what;
  planner::Plan plan;
};
// Every shape that the rules speak of: approvals, timers, soaks with watches, manual steps both
// ways, backfills, concurrent statements, points of no return, rollback on failure, going on after
// a restart.
std::vector<NamedPlan> small_plans();

}  // namespace runbookd::tests
