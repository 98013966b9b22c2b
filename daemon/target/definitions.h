// What a target's catalog tells of a step's things as they are now, as SQL that brings them back:
// the half of `rollback: auto` that no text tells.
#pragma once

#include <vector>

#include "daemon/target/session.h"
#include "planner/way_back.h"

namespace runbookd::daemon {

// Changes nothing. The names mean what they mean to the step: its settings are set before.
SqlResult<std::vector<planner::Definition>> read_definitions(
    Session& session, planner::CatalogQuestions const& asked);

// The way back of a step that is about to run. The session must be outside a transaction.
SqlResult<planner::DerivedWayBack> way_back_now(Session& session,
                                                std::vector<planner::Statement> const& step);

// Of each step whose way back only the catalog tells, as it would be now. What steps before it
// change is not seen yet, so that it may be refused here and told later.
struct StepWayBack {
  planner::StepRef ref;
  planner::DerivedWayBack derived;
};
SqlResult<std::vector<StepWayBack>> ways_back_now(Session& session, planner::Plan const& plan);

// A failure of the first of these that is refused and that no step before it can change.
SqlResult<void> check_ways_back(Session& session, planner::Plan const& plan);

}  // namespace runbookd::daemon
