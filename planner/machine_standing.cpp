#include "planner/machine_standing.h"

namespace runbookd::planner {
namespace {

bool rests(RunMode mode) {
  return mode == RunMode::waiting || mode == RunMode::paused || mode == RunMode::failed;
}

std::string fits_at_gate(Plan const& plan, RunState const& state, Moment now) {
  auto const& phase = plan.phases[state.phase].name;
  auto const needs = gate_needs(plan, state, now);
  if (needs.empty()) {
    return "advance --to " + phase;
  }
  bool const approval = needs.front().kind == "approval";
  return approval ? "approve --phase " + phase : "";
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

std::string fits_now(Plan const& plan, RunState const& state, Moment now) {
  auto const step = state.current ? " " + plan.label(*state.current) : "";
  switch (state.mode) {
    case RunMode::pending:
      return "start";
    case RunMode::running:
      return "pause";
    case RunMode::waiting:
      return at_gate(state) ? fits_at_gate(plan, state, now) : "confirm" + step;
    case RunMode::pausing:
      return state.interrupt ? "" : "pause --now";
    case RunMode::paused:
      return "resume";
    case RunMode::failed:
      return state.checks_failed ? "evaluate" : "retry" + step;
    case RunMode::attention:
      return "resolve" + (state.lost.empty() ? step : " " + plan.label(state.lost.front())) +
             " --as succeeded|failed --evidence TEXT";
    case RunMode::cancelling:
    case RunMode::succeeded:
    case RunMode::rolled_back:
    case RunMode::cancelled:
      return "";
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner
