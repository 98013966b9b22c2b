// What should be going on now. Looks at the state alone, so that start-up needs no second program.
#include <algorithm>

#include "planner/machine.h"
#include "planner/mutant.h"
#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

std::vector<int> all_of(std::size_t count) {
  std::vector<int> which(count);
  for (std::size_t i = 0; i < count; ++i) {
    which[i] = static_cast<int>(i);
  }
  return which;
}

Intent doubt(RunState const& state) {
  auto const ref = *state.current;
  return ResolveDoubt{.ref = ref, .direction = state.direction, .attempt = state.at(ref).attempts};
}

Intent stop(RunState const& state) {
  if (state.in_doubt && !state.ask_doubt_at) {
    return doubt(state);
  }
  return Quiesce{.mode = state.interrupt ? StopMode::now : StopMode::safe_point,
                 .escalate_at = state.escalate_at};
}

Intent soak(RunState const& state, Moment now) {
  if (!state.not_until) {
    return DoNothing{};
  }
  std::vector<int> due;
  auto wake = *state.not_until;
  for (int i = 0; i < std::ssize(state.watch_due); ++i) {
    if (state.watch_due[i] <= now) {
      due.push_back(i);
    }
    wake = std::min(wake, state.watch_due[i]);
  }
  // the end of the soak is looked at with fresh eyes: what is due is run first
  if (!due.empty()) {
    return RunChecks{.stage = CheckStage::watch, .phase = state.phase, .which = std::move(due)};
  }
  return WaitUntil{wake};
}

bool lacks_way_back(Plan const& plan, RunState const& state, StepRef ref) {
  return std::holds_alternative<AutoAction>(plan.step(ref).backward) && !state.at(ref).way_back;
}

Intent step(Plan const& plan, RunState const& state, StepRef ref, Moment now) {
  auto const& step_state = state.at(ref);
  auto const& action = action_of(plan, ref, state.direction);
  if (state.trying) {
    return RunStep{.ref = ref, .direction = state.direction, .attempt = step_state.attempts};
  }
  if (state.not_until && (*state.not_until > now || !runs_on_target(action))) {
    return WaitUntil{*state.not_until};
  }
  bool const fresh = state.direction == Direction::forward && step_state.before.empty();
  if (fresh && lacks_way_back(plan, state, ref)) {
    return TakeFingerprint{.way_back_of = ref};
  }
  if (fresh && state.fingerprint.empty()) {
    return TakeFingerprint{};
  }
  if (!runs_on_target(action)) {
    return DoNothing{};
  }
  return RunStep{.ref = ref,
                 .direction = state.direction,
                 .attempt = mutant(Mutant::attempt_number_reused) ? 1 : step_state.attempts + 1};
}

Intent go_on(Plan const& plan, RunState const& state, Moment now) {
  if (state.in_doubt) {
    bool const later = state.ask_doubt_at && *state.ask_doubt_at > now;
    return later ? Intent{WaitUntil{*state.ask_doubt_at}} : doubt(state);
  }
  if (state.mismatch) {
    return TakeFingerprint{};
  }
  if (auto const ref = next_step(plan, state)) {
    return step(plan, state, *ref, now);
  }
  if (state.direction == Direction::backward) {
    return DoNothing{};
  }
  switch (state.stage) {
    case Stage::baselines:
      return RecordBaselines{};
    case Stage::soak:
      return soak(state, now);
    case Stage::requirements:
    case Stage::validation:
    case Stage::final_checks: {
      auto const which = *check_stage_of(state.stage);
      return RunChecks{.stage = which,
                       .phase = state.phase,
                       .which = all_of(checks_of(plan, which, state.phase).size())};
    }
    case Stage::gate:
    case Stage::steps:
    case Stage::done:
      return DoNothing{};
  }
  __builtin_unreachable();
}

}  // namespace

Intent intent(Plan const& plan, RunState const& state, Moment now) {
  switch (state.mode) {
    case RunMode::running:
      return go_on(plan, state, now);
    case RunMode::pausing:
    case RunMode::cancelling:
      return stop(state);
    case RunMode::pending:
    case RunMode::waiting:
    case RunMode::paused:
    case RunMode::failed:
    case RunMode::attention:
    case RunMode::succeeded:
    case RunMode::rolled_back:
    case RunMode::cancelled:
      return DoNothing{};
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner
