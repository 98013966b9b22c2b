// The run as a pure machine. No I/O, no clock, no chance of its own.
//   decide: a wish; may be refused.        judge: a fact; never refused.
//   evolve: the reducer; total.            intent: what should be going on now, from the state
//   alone.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "planner/command.h"
#include "planner/error.h"
#include "planner/event.h"
#include "planner/outcome.h"
#include "planner/plan.h"
#include "planner/state.h"

namespace runbookd::planner {

RunState initial_state(Plan const& plan);

Result<Events> decide(Plan const& plan, RunState const& state, Command const& command, Moment now);
Events judge(Plan const& plan, RunState const& state, Outcome const& outcome, Moment now);
RunState evolve(Plan const& plan, RunState state, Event const& event);
RunState evolve(Plan const& plan, RunState state, Events const& events);

// Level-triggered: the conductor compares the intent with what is in flight.
struct DoNothing {};  // final, paused, or only a person can move it
struct WaitUntil {
  Moment at{};
};
struct RecordBaselines {};
struct RunChecks {
  CheckStage stage = CheckStage::validation;
  int phase = 0;
  std::vector<int> which;
};
// `way_back_of`: together with what takes this step back, where only the catalog tells.
struct TakeFingerprint {
  std::optional<StepRef> way_back_of;
};
struct RunStep {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
};
struct ResolveDoubt {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
};
struct Quiesce {  // end what is in flight; answer Quiesced (or its outcome) when nothing of ours is
                  // active
  StopMode mode = StopMode::safe_point;
  std::optional<Moment> escalate_at;
};
using Intent = std::variant<DoNothing, WaitUntil, RecordBaselines, RunChecks, TakeFingerprint,
                            RunStep, ResolveDoubt, Quiesce>;

Intent intent(Plan const& plan, RunState const& state, Moment now);

// The event that must be durable before an intent is acted on; empty for those that touch nothing.
Events announce(RunState const& state, Intent const& wanted, Moment now);

// For people: the verbs that would change something, and why the others would not. Same rules as
// decide, asked with no further detail.
struct VerbState {
  std::string verb;
  bool allowed = false;
  std::string why_not;
};
// `asker` is compared with those who must not do it themselves; empty: nobody in particular.
std::vector<VerbState> actions(Plan const& plan, RunState const& state, Moment now,
                               std::string const& asker = {}, HouseRules const& house = {});
// As asked by `asker`, who gives every reason, so that only the state decides.
Command if_asked(Ask ask, std::string const& asker = {}, HouseRules const& house = {});
// One way of asking for each verb.
std::vector<Ask> representative_asks(Plan const& plan, RunState const& state);

// Whose word counts now for the gate before `state.phase`.
std::vector<std::string> valid_approvers(RunState const& state, Moment now);
bool gate_is_overridden(RunState const& state, Moment now);
// What keeps the gate before `state.phase` shut: approvals, not_before. Empty = advance is open.
struct GateNeed {
  std::string kind;     // "approval", "timer"
  std::string message;  // one sentence
  std::optional<Moment> until;
};
std::vector<GateNeed> gate_needs(Plan const& plan, RunState const& state, Moment now);

// The steps a rollback to `to` would undo, newest first; an error names the point of no return.
Result<std::vector<StepRef>> rollback_steps(Plan const& plan, RunState const& state, StepRef to);
Result<StepRef> rollback_target(Plan const& plan, RunState const& state, RollBack const& ask);

}  // namespace runbookd::planner
