#include "planner/machine_standing.h"

#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

bool rests(RunMode mode) {
  return mode == RunMode::waiting || mode == RunMode::paused || mode == RunMode::failed;
}

template <typename... Asks>
bool is_one_of(Ask const& ask) {
  return (std::holds_alternative<Asks>(ask) || ...);
}

// Whoever asks for these wants the run to go on from where it stands.
bool goes_on(Ask const& ask) { return is_one_of<Advance, Evaluate, Resume, Retry>(ask); }

// What is wanted of the step at hand; what a person says of the world is not put into their mouth.
bool about_the_step(Ask const& ask) { return goes_on(ask) || is_one_of<Skip, Resolve>(ask); }

bool entered_before(Plan const& plan, RunState const& state, Ask const& ask) {
  auto const* advance = std::get_if<Advance>(&ask);
  int const phase = advance == nullptr ? -1 : plan.phase_index(advance->to_phase);
  return phase >= 0 && phase < state.phase;
}

std::string way_on_at_gate(Plan const& plan, RunState const& state, Ask const& ask, Moment now) {
  auto const& phase = plan.phases[state.phase].name;
  auto const needs = gate_needs(plan, state, now);
  if (!goes_on(ask) || entered_before(plan, state, ask)) {
    return "status";
  }
  if (needs.empty()) {
    return "advance --to " + phase;
  }
  return needs.front().kind == "approval" ? "approve --phase " + phase : "status";
}

std::string way_on_when_paused(Plan const& plan, RunState const& state, Ask const& ask) {
  bool const by_hand = state.current && std::holds_alternative<ManualAction>(
                                            action_of(plan, *state.current, state.direction));
  bool const confirms = by_hand && is_one_of<Confirm>(ask);
  bool const resume = state.in_doubt || about_the_step(ask) || confirms || is_one_of<Start>(ask);
  return resume ? "resume" : "status";
}

std::string way_on_when_failed(Plan const& plan, RunState const& state, Ask const& ask) {
  bool const unmended = state.mismatch && is_one_of<RollBack>(ask);
  if (!about_the_step(ask) && !unmended) {
    return "status";
  }
  return state.checks_failed ? "evaluate"
                             : "retry" + (state.current ? " " + plan.label(*state.current) : "");
}

std::string way_on_by_evidence(Plan const& plan, RunState const& state, Ask const& ask) {
  auto const ref = state.lost.empty() ? state.current : state.lost.front();
  if (!about_the_step(ask) && !is_one_of<RollBack>(ask)) {
    return "status";
  }
  return "resolve" + (ref ? " " + plan.label(*ref) : "") + " --as succeeded|failed --evidence TEXT";
}

std::string way(Plan const& plan, RunState const& state, Ask const& ask, Moment now) {
  bool const back = is_one_of<RollBack>(ask);
  switch (state.mode) {
    case RunMode::pending:
      return back || is_one_of<Throttle>(ask) ? "status" : "start";
    case RunMode::running:
      return back ? "pause" : "watch";
    case RunMode::pausing:
    case RunMode::cancelling:
      return "watch";
    case RunMode::waiting:
      if (at_gate(state)) {
        return way_on_at_gate(plan, state, ask, now);
      }
      return goes_on(ask) && state.current ? "confirm " + plan.label(*state.current) : "status";
    case RunMode::paused:
      return way_on_when_paused(plan, state, ask);
    case RunMode::failed:
      return way_on_when_failed(plan, state, ask);
    case RunMode::attention:
      return way_on_by_evidence(plan, state, ask);
    case RunMode::succeeded:
    case RunMode::rolled_back:
    case RunMode::cancelled:
      return "status";
  }
  __builtin_unreachable();
}

bool claims(std::string const& command) {
  return command.starts_with("start") || command.starts_with("resume") ||
         command.starts_with("retry");
}

}  // namespace

bool at_gate(RunState const& state) {
  return state.stage == Stage::gate && state.direction == Direction::forward &&
         (state.mode == RunMode::waiting || state.mode == RunMode::paused);
}

std::string standing(Plan const& plan, RunState const& state) {
  auto const mode = std::string{to_text(state.mode)};
  if (state.mode == RunMode::attention) {
    return "in need of attention";
  }
  if (state.in_doubt && state.current) {
    return mode + ", and how step " + plan.label(*state.current) + " ended is not known yet";
  }
  if (at_gate(state)) {
    return mode + " at the gate before phase " + plan.phases[state.phase].name;
  }
  if (state.mode == RunMode::failed && state.checks_failed) {
    return mode + (state.stage == Stage::gate ? " by a rejection" : " by a check");
  }
  bool const at_step = rests(state.mode) && state.current;
  return mode + (at_step ? " at step " + plan.label(*state.current) : "");
}

std::string way_on(Plan const& plan, RunState const& state, Ask const& ask, Moment now) {
  auto const command = way(plan, state, ask, now);
  if (!claims(command)) {
    return command;
  }
  return state.store_behind ? "cancel --confirm " + plan.name
         : state.held_by    ? command + " --take-over --reason TEXT"
                            : command;
}

}  // namespace runbookd::planner
