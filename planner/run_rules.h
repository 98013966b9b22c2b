// Questions about a run that several machine functions ask. Private to planner/machine_*.cpp and
// actions.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/event.h"
#include "planner/plan.h"
#include "planner/state.h"

namespace runbookd::planner {

bool known(Plan const& plan, StepRef ref);
Action const& action_of(Plan const& plan, StepRef ref, Direction direction);
// The database does the work of these; the others are a person's, a timer's or nobody's.
bool runs_on_target(Action const& action);
bool changes_schema(Action const& action);
// May leave something behind without having succeeded.
bool leaves_traces(Action const& action);

// How the step has ended, where the target can be asked about it: done, or taken back there.
std::optional<Direction> ended_on_target(Plan const& plan, RunState const& state, StepRef ref);

// Has something to undo: succeeded, or begun without being one transaction.
bool executed(StepState const& step);
bool executed_anything(RunState const& state);
bool forward_done(StepState const& step);
std::optional<StepRef> next_forward(Plan const& plan, RunState const& state);
std::optional<StepRef> next_backward(Plan const& plan, RunState const& state);
std::optional<StepRef> next_step(Plan const& plan, RunState const& state);

// A backfill whose session was lost, but not before it had done more than when it was last lost.
bool got_further(StepState const& step, std::optional<Filled> const& filled);

// Whether somebody may sign is said by roles; who belongs to a group that a plan names, nobody
// says.
inline constexpr std::string_view names_are_taken_as_given =
    " (a name for people: who may sign is said by roles)";

struct PlacedCheck : CheckPlace {
  Check const* check = nullptr;
  std::string name;  // with its phase where that is another one: "expand/nothing-left"
};
// What one pass over a stage judges; ChecksStarted::which and the like count in this order. What a
// phase requires is more than its own list: all that the phase before has shown has to hold still.
std::vector<PlacedCheck> checks_of(Plan const& plan, CheckStage stage, int phase);
std::optional<CheckStage> check_stage_of(Stage stage);

// What follows by itself from a state, without asking the world: manual steps begin, empty stages
// pass, soaks start, phases end, rollbacks finish. Ends when something must be done or waited for.
Events onward(Plan const& plan, RunState const& state, Moment now);

}  // namespace runbookd::planner
