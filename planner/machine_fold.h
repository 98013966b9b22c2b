// What several parts of the reducer do alike, and the part about gates. Private to
// planner/machine_*.cpp.
#pragma once

#include "planner/event.h"
#include "planner/plan.h"
#include "planner/state.h"

namespace runbookd::planner {

// The first stage from `stage` on that has something to do. Soak and done always have.
Stage settle(Plan const& plan, RunState const& state, Stage stage);
bool stopping(RunState const& state);
// Failing ends a pause (nothing runs any more), but never a cancel.
void fail(RunState& state);
void forget_timers(RunState& state);

// The stage after those checks, which have passed or are taken as passed.
void pass_checks(Plan const& plan, RunState& state, CheckStage stage);

// Signatures and overrides, each as its event tells. (machine_gate.cpp)
void fold_signature(RunState& state, Event const& event, PhaseApproved const& e);
void fold_signature(RunState& state, Event const& event, ApprovalWithdrawn const& e);
void fold_signature(RunState& state, Event const& event, OverrideAsked const& e);
void fold_signature(RunState& state, Event const& event, OverrideWithdrawn const& e);
void fold_override(Plan const& plan, RunState& state, Event const& event, Overridden const& e);
// What the failed ones of a pass are, by their place in the plan.
std::set<CheckPlace> failed_places(Plan const& plan, ChecksJudged const& judged);
// What was overridden from here on is work that lies ahead again.
void forget_overrides(RunState& state, int phase, Stage stage);

}  // namespace runbookd::planner
