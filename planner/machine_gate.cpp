// The reducer's part about gates: signatures, and what two people have agreed to go past.
#include <algorithm>

#include "planner/gate.h"
#include "planner/machine_fold.h"
#include "planner/run_rules.h"

namespace runbookd::planner {

Stage settle(Plan const& plan, RunState const& state, Stage stage) {
  if (stage == Stage::steps && !next_forward(plan, state)) {
    stage = Stage::validation;
  }
  if (stage == Stage::validation && plan.phases[state.phase].validate.empty()) {
    stage = Stage::soak;
  }
  if (stage == Stage::final_checks && plan.final_checks.empty()) {
    stage = Stage::done;
  }
  return stage;
}

bool stopping(RunState const& state) {
  return state.mode == RunMode::pausing || state.mode == RunMode::cancelling;
}

void fail(RunState& state) {
  if (state.mode != RunMode::cancelling) {
    state.mode = RunMode::failed;
  }
  state.interrupt = false;
  state.restarted = false;
  state.escalate_at.reset();
}

void forget_timers(RunState& state) {
  state.not_until.reset();
  state.time_left.reset();
  state.ask_doubt_at.reset();
}

void pass_checks(Plan const& plan, RunState& state, CheckStage stage) {
  switch (stage) {
    case CheckStage::requirements:
      state.stage = settle(plan, state, Stage::steps);
      return;
    case CheckStage::validation:
      state.stage = Stage::soak;
      return;
    case CheckStage::final_checks:
      state.stage = Stage::done;
      return;
    case CheckStage::watch:
      return;
  }
}

void fold_signature(RunState& state, Event const& event, PhaseApproved const& e) {
  state.approvers[event.actor] = e.until;
}

void fold_signature(RunState& state, Event const&, ApprovalWithdrawn const& e) {
  state.approvers.erase(e.of);
}

void fold_signature(RunState& state, Event const& event, OverrideAsked const& e) {
  state.override_asked = OverrideWish{.by = event.actor, .why = event.reason, .until = e.until};
}

void fold_signature(RunState& state, Event const&, OverrideWithdrawn const&) {
  state.override_asked.reset();
}

void fold_override(Plan const& plan, RunState& state, Event const& event, Overridden const& e) {
  state.override_asked.reset();
  auto const stage = check_stage_of(state.stage);
  if (e.checks.empty() || !stage) {
    state.gate_overridden = e.until;
    return;
  }
  state.overridden.insert(e.checks.begin(), e.checks.end());
  state.checks_failed = false;
  state.failed_checks.clear();
  state.mode = RunMode::running;
  pass_checks(plan, state, *stage);
  if (*stage == CheckStage::watch) {  // what was watched for is settled: the soak is over
    state.not_until = event.at;
    state.time_left.reset();
    state.watch_due.clear();
  }
}

std::set<CheckPlace> failed_places(Plan const& plan, ChecksJudged const& judged) {
  std::set<CheckPlace> failed;
  auto const all = checks_of(plan, judged.stage, judged.phase);
  for (std::size_t i = 0; i < std::min(judged.which.size(), judged.results.size()); ++i) {
    bool const placed = judged.which[i] >= 0 && judged.which[i] < std::ssize(all);
    if (placed && judged.results[i].verdict != Verdict::passed) {
      failed.insert(all[static_cast<std::size_t>(judged.which[i])]);
    }
  }
  return failed;
}

void forget_overrides(RunState& state, int phase, Stage stage) {
  std::erase_if(state.overridden, [&](CheckPlace const& place) {
    bool const before_steps = place.stage == CheckStage::requirements && stage > Stage::gate;
    return place.stage == CheckStage::final_checks || place.phase > phase ||
           (place.phase == phase && !before_steps);
  });
}

}  // namespace runbookd::planner
