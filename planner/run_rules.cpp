#include "planner/run_rules.h"

#include <algorithm>

#include "planner/machine.h"
#include "planner/mutant.h"

namespace runbookd::planner {

bool known(Plan const& plan, StepRef ref) {
  return ref.phase >= 0 && ref.phase < std::ssize(plan.phases) && ref.step >= 0 &&
         ref.step < std::ssize(plan.phases[ref.phase].steps);
}

Action const& action_of(Plan const& plan, StepRef ref, Direction direction) {
  auto const& step = plan.step(ref);
  return direction == Direction::forward ? step.forward : step.backward;
}

bool runs_on_target(Action const& action) {
  return std::holds_alternative<SqlAction>(action) ||
         std::holds_alternative<BackfillAction>(action) ||
         std::holds_alternative<AutoAction>(action);
}

bool changes_schema(Action const& action) {
  if (auto const* sql = std::get_if<SqlAction>(&action)) {
    return std::ranges::any_of(sql->statements, &Statement::changes_schema);
  }
  return std::holds_alternative<ManualAction>(action) || std::holds_alternative<AutoAction>(action);
}

bool leaves_traces(Action const& action) {
  if (auto const* sql = std::get_if<SqlAction>(&action)) {
    return !sql->transactional();
  }
  return std::holds_alternative<BackfillAction>(action);
}

std::optional<Direction> ended_on_target(Plan const& plan, RunState const& state, StepRef ref) {
  auto const status = state.at(ref).status;
  if (status == StepStatus::succeeded && runs_on_target(plan.step(ref).forward)) {
    return Direction::forward;
  }
  bool const undone = status == StepStatus::reverted && runs_on_target(plan.step(ref).backward);
  return undone ? std::optional{Direction::backward} : std::nullopt;
}

bool executed(StepState const& step) {
  switch (step.status) {
    case StepStatus::succeeded:
    case StepStatus::reverting:
    case StepStatus::revert_failed:
      return true;
    case StepStatus::pending:
    case StepStatus::reverted:
      return false;
    case StepStatus::running:
    case StepStatus::failed:
    case StepStatus::interrupted:
    case StepStatus::unknown:
      return step.started;
    case StepStatus::skipped:
      return step.started || mutant(Mutant::skipped_is_taken_back);
  }
  __builtin_unreachable();
}

bool executed_anything(RunState const& state) {
  return std::ranges::any_of(
      state.steps, [](auto const& phase) { return std::ranges::any_of(phase, executed); });
}

bool forward_done(StepState const& step) {
  return step.status == StepStatus::succeeded || step.status == StepStatus::skipped;
}

std::optional<StepRef> next_forward(Plan const& plan, RunState const& state) {
  auto const& phase = plan.phases[state.phase];
  for (int i = 0; i < std::ssize(phase.steps); ++i) {
    if (!forward_done(state.steps[state.phase][i])) {
      return StepRef{.phase = state.phase, .step = i};
    }
  }
  return std::nullopt;
}

std::optional<StepRef> next_backward(Plan const& plan, RunState const& state) {
  if (mutant(Mutant::rollback_in_order)) {
    for (int i = 0; i < std::ssize(plan.phases[state.rollback_to.phase].steps); ++i) {
      if (executed(state.steps[state.rollback_to.phase][i])) {
        return StepRef{.phase = state.rollback_to.phase, .step = i};
      }
    }
  }
  for (int p = static_cast<int>(std::ssize(plan.phases)) - 1; p >= state.rollback_to.phase; --p) {
    int const first = p == state.rollback_to.phase ? state.rollback_to.step : 0;
    for (int i = static_cast<int>(std::ssize(plan.phases[p].steps)) - 1; i >= first; --i) {
      if (executed(state.steps[p][i])) {
        return StepRef{.phase = p, .step = i};
      }
    }
  }
  return std::nullopt;
}

std::optional<StepRef> next_step(Plan const& plan, RunState const& state) {
  if (state.direction == Direction::backward) {
    return next_backward(plan, state);
  }
  return state.stage == Stage::steps ? next_forward(plan, state) : std::nullopt;
}

bool got_further(StepState const& step, std::optional<Filled> const& filled) {
  return filled && filled->scanned > step.filled;
}

namespace {

std::vector<Check> const& list_of(Plan const& plan, CheckStage stage, int phase) {
  switch (stage) {
    case CheckStage::requirements:
      return plan.phases[phase].requirements;
    case CheckStage::validation:
      return plan.phases[phase].validate;
    case CheckStage::watch:
      return plan.phases[phase].watch;
    case CheckStage::final_checks:
      return plan.final_checks;
  }
  __builtin_unreachable();
}

}  // namespace

std::vector<PlacedCheck> checks_of(Plan const& plan, CheckStage stage, int phase) {
  std::vector<PlacedCheck> all;
  if (phase < 0 || phase >= std::ssize(plan.phases)) {
    return all;
  }
  auto const add = [&](CheckStage from, int of, std::string const& prefix) {
    auto const& list = list_of(plan, from, of);
    for (int i = 0; i < std::ssize(list); ++i) {
      all.push_back({{.stage = from, .phase = of, .index = i}, &list[i], prefix + list[i].name});
    }
  };
  add(stage, stage == CheckStage::final_checks ? 0 : phase, "");
  // a gate may stand for days: what was seen before it is no proof of what is
  bool const looks_back = phase > 0 && !mutant(Mutant::gate_opens_on_old_evidence);
  if (stage == CheckStage::requirements && looks_back) {
    auto const prefix = plan.phases[phase - 1].name + "/";
    add(CheckStage::validation, phase - 1, prefix);
    add(CheckStage::watch, phase - 1, prefix);
  }
  return all;
}

std::optional<CheckStage> check_stage_of(Stage stage) {
  switch (stage) {
    case Stage::requirements:
      return CheckStage::requirements;
    case Stage::validation:
      return CheckStage::validation;
    case Stage::soak:
      return CheckStage::watch;
    case Stage::final_checks:
      return CheckStage::final_checks;
    case Stage::baselines:
    case Stage::gate:
    case Stage::steps:
    case Stage::done:
      return std::nullopt;
  }
  __builtin_unreachable();
}

namespace {

std::optional<EventBody> begin_by_itself(Plan const& plan, RunState const& state, StepRef ref) {
  auto const& action = action_of(plan, ref, state.direction);
  auto const& step = state.at(ref);
  if (runs_on_target(action) || step.status == StepStatus::running ||
      step.status == StepStatus::reverting) {
    return std::nullopt;
  }
  // a forward step needs to know the schema that it will have to give back
  if (state.direction == Direction::forward && state.fingerprint.empty()) {
    return std::nullopt;
  }
  return StepStarted{.ref = ref, .direction = state.direction, .attempt = step.attempts + 1};
}

std::optional<EventBody> follow_step(Plan const& plan, RunState const& state, StepRef ref) {
  auto const& action = action_of(plan, ref, state.direction);
  auto const& step = state.at(ref);
  bool const begun = step.status == StepStatus::running || step.status == StepStatus::reverting;
  if (auto const* nothing = std::get_if<NoAction>(&action); nothing != nullptr && begun) {
    return StepSucceeded{.ref = ref,
                         .direction = state.direction,
                         .attempt = step.attempts,
                         .note = nothing->reason};
  }
  return begin_by_itself(plan, state, ref);
}

std::optional<EventBody> follow_stage(Plan const& plan, RunState const& state, Moment now) {
  switch (state.stage) {
    case Stage::soak:
      if (state.completed_at[state.phase] != Moment{}) {  // a gate was evaluated again
        bool const last = state.phase + 1 == std::ssize(plan.phases);
        return last ? EventBody{PhaseCompleted{state.phase}}
                    : EventBody{GateReached{state.phase + 1}};
      }
      if (state.not_until) {
        return std::nullopt;
      }
      if (auto const soak = plan.phases[state.phase].soak; soak > Duration{}) {
        return SoakStarted{.phase = state.phase, .until = now + soak};
      }
      return PhaseCompleted{state.phase};
    case Stage::gate:
      // the first phase needs no word from a person beyond `start`, unless the plan asks for one
      if (state.phase == 0 && gate_needs(plan, state, now).empty()) {
        return PhaseEntered{.phase = 0, .fresh = true};
      }
      return GateReached{state.phase};
    case Stage::done:
      return RunSucceeded{};
    case Stage::baselines:
    case Stage::requirements:
    case Stage::steps:
    case Stage::validation:
    case Stage::final_checks:
      return std::nullopt;
  }
  __builtin_unreachable();
}

std::optional<EventBody> follow(Plan const& plan, RunState const& state, Moment now) {
  if (state.mode != RunMode::running || state.in_doubt || state.trying || state.mismatch ||
      state.restarted) {
    return std::nullopt;
  }
  if (state.direction == Direction::backward) {
    auto const ref = next_backward(plan, state);
    return ref ? follow_step(plan, state, *ref) : RollbackFinished{state.rollback_to};
  }
  if (state.stage == Stage::steps) {
    auto const ref = next_forward(plan, state);
    return ref ? follow_step(plan, state, *ref) : std::nullopt;
  }
  return follow_stage(plan, state, now);
}

}  // namespace

Events onward(Plan const& plan, RunState const& state, Moment now) {
  Events events;
  auto body = follow(plan, state, now);
  if (!body) {
    return events;  // the usual case, and the state of a long plan is worth not copying
  }
  auto reached = state;
  for (; body; body = follow(plan, reached, now)) {
    events.push_back({.at = now, .actor = "", .reason = "", .body = std::move(*body)});
    reached = evolve(plan, std::move(reached), events.back());
  }
  return events;
}

}  // namespace runbookd::planner
