// The reducer. Total: an event that does not fit (another plan's, a damaged store's) changes
// nothing.
#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "planner/machine.h"
#include "planner/machine_fold.h"
#include "planner/run_rules.h"

namespace runbookd::planner {

RunState initial_state(Plan const& plan) {
  RunState state;
  for (auto const& phase : plan.phases) {
    state.steps.emplace_back(phase.steps.size());
  }
  state.completed_at.resize(plan.phases.size());
  return state;
}

namespace {

struct Fold {
  Plan const& plan;
  RunState& state;
  Event const& event;

  bool at_step(StepRef ref) const { return known(plan, ref); }

  void operator()(RunCreated const& e) {
    state.creator = event.actor;
    state.uploader = e.uploader;
  }
  void operator()(RunNoted const&) {}
  void operator()(RunStarted const& e) {
    state.mode = RunMode::running;
    state.stage = Stage::baselines;
    state.acknowledged.clear();
    for (auto const& word : e.acknowledged) {
      state.acknowledged.insert(word.rule);
    }
  }
  void operator()(BaselinesRecorded const&) {
    state.stage = Stage::gate;
    state.phase = 0;
    state.acknowledged.clear();
    state.found.clear();
  }
  void operator()(BaselinesFailed const& e) {
    state.store_behind = e.failure.sqlstate == store_behind_code;
    state.acknowledged.clear();
    state.found.clear();
    for (auto const& finding : e.findings) {
      state.found.insert(finding.rule + "@" + finding.step);
    }
    if (state.mode != RunMode::cancelling) {
      state.mode = RunMode::pending;  // nothing was touched: the run is as it was before `start`
    }
  }
  void operator()(GateReached const& e) {
    if (e.phase < 0 || e.phase >= std::ssize(plan.phases)) {
      return;
    }
    state.mode = RunMode::waiting;
    state.stage = Stage::gate;
    state.phase = e.phase;
    ++state.gate;
    state.approvers.clear();
    state.current.reset();
    forget_timers(state);
  }
  void operator()(PhaseApproved const& e) { fold_signature(state, event, e); }
  void operator()(ApprovalWithdrawn const& e) { fold_signature(state, event, e); }
  void operator()(OverrideAsked const& e) { fold_signature(state, event, e); }
  void operator()(OverrideWithdrawn const& e) { fold_signature(state, event, e); }
  void operator()(Overridden const& e) { fold_override(plan, state, event, e); }
  void operator()(PhaseRejected const&) {
    fail(state);
    state.checks_failed = true;
    state.approvers.clear();
  }
  void operator()(PhaseEntered const& e) {
    if (e.phase < 0 || e.phase >= std::ssize(plan.phases)) {
      return;
    }
    state.mode = RunMode::running;
    state.phase = e.phase;
    bool const nothing_asked = e.fresh ? checks_of(plan, CheckStage::requirements, e.phase).empty()
                                       : plan.phases[e.phase].requirements.empty();
    state.stage = settle(plan, state, nothing_asked ? Stage::steps : Stage::requirements);
    state.fingerprint.clear();  // others may have changed the schema while the gate stood shut
    state.current.reset();
  }
  void operator()(ChecksStarted const&) {}
  void operator()(ChecksJudged const& e) {
    if (e.stage == CheckStage::watch) {
      for (int const i : e.which) {
        if (i >= 0 && i < std::ssize(state.watch_due)) {
          state.watch_due[i] = event.at + plan.phases[state.phase].watch[i].every;
        }
      }
    }
    if (!e.passed) {
      fail(state);
      state.checks_failed = true;
      state.failed_checks = failed_places(plan, e);
      stand_still();
      return;
    }
    pass_checks(plan, state, e.stage);
  }
  void operator()(FingerprintTaken const& e) {
    state.fingerprint = e.digest;
    if (e.way_back && at_step(e.way_back->ref)) {
      state.at(e.way_back->ref).way_back = true;
    }
  }
  void operator()(FingerprintFailed const&) {
    fail(state);
    if (!state.mismatch) {
      state.current = next_step(plan, state);
    }
  }
  void operator()(StepStarted const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    auto& step = state.at(e.ref);
    auto const& action = action_of(plan, e.ref, e.direction);
    step.attempts = std::max(step.attempts, e.attempt);
    if (step.series == 0 || step.series_direction != e.direction) {
      step.series = e.attempt;
      step.series_direction = e.direction;
    }
    if (step.first_try == Moment{}) {
      step.first_try = event.at;
    }
    if (e.direction == Direction::forward) {
      step.status = StepStatus::running;
      step.started = step.started || leaves_traces(action);
      if (step.before.empty()) {
        step.before = state.fingerprint;
      }
    } else {
      step.status = StepStatus::reverting;
    }
    state.current = e.ref;
    state.trying = runs_on_target(action);
    forget_timers(state);
    if (std::holds_alternative<ManualAction>(action) && !stopping(state)) {
      state.mode = RunMode::waiting;
    }
    if (auto const* wait = std::get_if<WaitAction>(&action)) {
      state.not_until = event.at + wait->duration;
    }
  }
  void operator()(StepSucceeded const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    end_attempt();
    finish(e.ref, e.direction, e.fingerprint);
  }
  void operator()(StepRetryScheduled const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    state.trying = false;
    state.not_until = e.retry_at;
  }
  void operator()(StepFailed const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    end_attempt();
    state.current = e.ref;
    state.at(e.ref).status =
        e.direction == Direction::forward ? StepStatus::failed : StepStatus::revert_failed;
    forget_traces(e.ref, e.direction, e.traceless);
    fail(state);
  }
  void operator()(StepInterrupted const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    end_attempt();
    interrupted(e.ref, e.direction, e.traceless);
  }
  void operator()(OutcomeLost const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    state.trying = false;
    state.current = e.ref;
    state.in_doubt = true;
    state.fingerprint.clear();
    state.at(e.ref).status = StepStatus::unknown;
    ++state.at(e.ref).losses;
  }
  void operator()(DoubtSettled const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    state.ask_doubt_at.reset();
    switch (e.answer) {
      case Doubt::applied:
        end_attempt();
        finish(e.ref, e.direction, e.fingerprint);
        return;
      case Doubt::not_applied: {
        end_attempt();
        if (auto& step = state.at(e.ref); got_further(step, e.filled)) {
          step.losses = 0;
          step.filled = e.filled->scanned;
        }
        bool const as_before =
            !e.fingerprint.empty() && e.fingerprint == state.at(e.ref).before.text();
        interrupted(e.ref, e.direction, as_before);
        return;
      }
      case Doubt::unknowable:
        state.in_doubt = true;
        state.interrupt = false;
        state.restarted = false;
        state.escalate_at.reset();
        if (state.mode != RunMode::cancelling) {
          state.mode = RunMode::attention;
        }
        return;
    }
  }
  void operator()(DoubtDeferred const& e) { state.ask_doubt_at = e.ask_again_at; }
  void operator()(FingerprintMismatched const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    end_attempt();
    state.current = e.ref;
    state.mismatch = true;
    state.fingerprint = e.actual;
    state.difference = e.difference;
    state.at(e.ref).status = StepStatus::revert_failed;
    fail(state);
  }
  void operator()(StepSkipped const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    bool const reversed = state.mismatch;  // it was undone, only not to the same schema
    if (reversed && !state.difference.empty()) {
      state.accepted.insert(state.difference);
    }
    end_attempt();
    auto& step = state.at(e.ref);
    step.first_try = {};
    state.throttle = {};
    if (e.direction == Direction::forward) {
      step.status = StepStatus::skipped;
      state.stage = settle(plan, state, state.stage);
    } else {
      step.status = reversed ? StepStatus::reverted : StepStatus::skipped;
      step.started = false;
      step.kept = !reversed;
    }
    if (state.mode == RunMode::failed || state.mode == RunMode::waiting) {
      state.mode = RunMode::running;
    }
  }
  void operator()(StepResolved const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    if (auto const lost = std::ranges::find(state.lost, e.ref); lost != state.lost.end()) {
      state.lost.erase(lost);
      if (!e.succeeded) {
        as_it_was_before(e.ref);
      }
      state.mode = state.lost.empty() ? RunMode::paused : state.mode;
      return;
    }
    end_attempt();
    if (e.succeeded) {
      finish(e.ref, e.direction, "");
      state.mode = RunMode::paused;
      return;
    }
    state.current = e.ref;
    state.at(e.ref).status =
        e.direction == Direction::forward ? StepStatus::failed : StepStatus::revert_failed;
    state.mode = RunMode::failed;
  }
  void operator()(SoakStarted const& e) {
    state.stage = Stage::soak;
    state.not_until = e.until;
    state.watch_due.assign(plan.phases[state.phase].watch.size(), event.at);
  }
  void operator()(PhaseCompleted const& e) {
    if (e.phase < 0 || e.phase >= std::ssize(plan.phases)) {
      return;
    }
    if (state.completed_at[e.phase] == Moment{}) {
      state.completed_at[e.phase] = event.at;
    }
    forget_timers(state);
    state.watch_due.clear();
    state.current.reset();
    if (e.phase + 1 < std::ssize(plan.phases)) {
      state.phase = e.phase + 1;
      state.stage = Stage::gate;
      return;
    }
    state.stage = settle(plan, state, Stage::final_checks);
  }
  void operator()(PauseRequested const& e) {
    state.mode = RunMode::pausing;
    state.escalate_at = e.escalate_at;
    if (e.mode == StopMode::now) {
      interrupt();
    }
  }
  void operator()(PauseEscalated const&) {
    interrupt();
    state.escalate_at.reset();
  }
  void operator()(RunPaused const& e) {
    rest_in(RunMode::paused);
    state.store_behind = e.store_behind;
  }
  void operator()(RunThrottled const& e) {
    state.throttle.say({.percent = e.percent,
                        .exempt = e.exempt,
                        .since = event.at,
                        .until = e.until,
                        .actor = event.actor,
                        .reason = event.reason});
  }
  void operator()(ThrottleLifted const&) { state.throttle = {}; }
  void operator()(RunResumed const&) {
    // after a restart a run that was not paused goes on: its timers have never stood still
    if (auto const left = state.time_left; left || state.mode == RunMode::paused) {
      forget_timers(state);
      state.not_until = left ? std::optional{event.at + *left} : std::nullopt;
    }
    for (auto& due : state.watch_due) {
      due = event.at;
    }
    state.restarted = false;
    state.fingerprint.clear();
    if (state.current && known(plan, *state.current)) {
      state.at(*state.current).first_try = {};
      state.at(*state.current).losses = 0;
    }
    state.mode = waits_for_person() ? RunMode::waiting : RunMode::running;
  }
  void operator()(RetryRequested const& e) {
    if (!at_step(e.ref)) {
      return;
    }
    state.mode = RunMode::running;
    state.at(e.ref).first_try = {};
    state.at(e.ref).losses = 0;
    forget_timers(state);
    if (!state.mismatch) {
      state.fingerprint.clear();
    }
  }
  void operator()(EvaluationRequested const& e) {
    state.checks_failed = false;
    state.failed_checks.clear();
    if (state.stage == Stage::gate &&
        e.stage == CheckStage::requirements) {  // a rejected gate opens again
      state.mode = RunMode::waiting;
      ++state.gate;
      state.approvers.clear();
      return;
    }
    state.mode = RunMode::running;
    if (e.stage == CheckStage::validation && e.phase >= 0 && e.phase < std::ssize(plan.phases)) {
      state.phase = e.phase;
      state.stage = settle(plan, state, Stage::validation);
    }
    if (e.stage == CheckStage::watch) {
      state.not_until = event.at + state.time_left.value_or(Duration{});
      state.time_left.reset();
      for (auto& due : state.watch_due) {
        due = event.at;
      }
    }
  }
  void operator()(RollbackStarted const& e) {
    if (!at_step(e.to)) {
      return;
    }
    state.direction = Direction::backward;
    state.rollback_to = e.to;
    state.mode = RunMode::running;
    state.checks_failed = false;
    state.failed_checks.clear();
    state.current.reset();
    state.approvers.clear();
    state.watch_due.clear();
    forget_timers(state);
    for (auto& phase : state.steps) {
      for (auto& step : phase) {
        step.first_try = {};
        step.losses = 0;
        step.filled = 0;
        if (step.status == StepStatus::reverting) {  // a person was to undo it by hand: asked anew
          step.status = StepStatus::succeeded;
        }
      }
    }
  }
  void operator()(RollbackFinished const& e) {
    if (!at_step(e.to)) {
      return;
    }
    // skipped steps of the undone part are open again
    for (int p = e.to.phase; p < std::ssize(state.steps); ++p) {
      for (int i = p == e.to.phase ? e.to.step : 0; i < std::ssize(state.steps[p]); ++i) {
        auto& step = state.steps[p][i];
        if (step.status != StepStatus::reverted && !step.kept) {
          step.status = StepStatus::pending;
        }
      }
    }
    state.direction = Direction::forward;
    state.current.reset();
    state.throttle = {};
    forget_timers(state);
    stand_no_further_than(e.to.phase, e.to.step == 0 ? Stage::gate : Stage::steps);
    state.mode = e.to == StepRef{} ? RunMode::rolled_back : RunMode::paused;
  }
  void operator()(CancelRequested const&) {
    state.mode = RunMode::cancelling;
    interrupt();
    state.escalate_at.reset();
  }
  void operator()(RunCancelled const&) {
    leave_no_step_running();
    state.mode = RunMode::cancelled;
    state.interrupt = false;
    forget_timers(state);
  }
  void operator()(RunSucceeded const&) {
    state.mode = RunMode::succeeded;
    state.current.reset();
  }
  void operator()(DaemonRestarted const&) { state.restarted = true; }
  void operator()(TargetIdentified const& e) { state.target = e.target; }
  void operator()(TargetHeld const& e) { state.held_by = e.by; }
  void operator()(TargetTaken const& e) {
    state.held_by.reset();
    state.taken_from = e.from.id;
  }
  void operator()(TargetMoved const& e) {
    state.target = e.target;
    state.fingerprint.clear();
    state.approvers.clear();  // they were for what that server held
    // what an earlier failover took away stays in question until a person has settled it
    std::ranges::copy_if(e.lost, std::back_inserter(state.lost), [this](StepRef ref) {
      return at_step(ref) && std::ranges::find(state.lost, ref) == state.lost.end();
    });
    std::ranges::sort(state.lost);
    if (!state.lost.empty() && state.mode != RunMode::cancelling) {
      rest_in(RunMode::attention);
    }
  }

 private:
  void rest_in(RunMode mode) {
    leave_no_step_running();
    state.mode = mode;
    state.interrupt = false;
    state.escalate_at.reset();
    state.restarted = false;
    stand_still();
  }
  // A failover has undone what the step did: done is open again, taken back is there again.
  void as_it_was_before(StepRef ref) {
    auto& step = state.at(ref);
    if (step.status == StepStatus::reverted) {
      step.status = StepStatus::succeeded;
      if (state.direction == Direction::forward) {
        state.stage = settle(plan, state, state.stage);
      }
      return;
    }
    step.status = StepStatus::pending;
    step.started = false;
    step.forget_before();
    step.first_try = {};
    // the batches that the failover has left are not filled in again
    bool const has_cursor = std::holds_alternative<BackfillAction>(plan.step(ref).forward);
    step.series = has_cursor ? step.series : 0;
    stand_no_further_than(ref.phase, Stage::steps);
  }
  // The forward cursor only ever goes back here: a rollback that ends behind what a failover has
  // opened leaves the run standing there, and never past a gate that was not passed.
  void stand_no_further_than(int phase, Stage stage) {
    forget_overrides(state, phase, stage);
    std::fill(state.completed_at.begin() + phase, state.completed_at.end(), Moment{});
    if (std::pair{phase, stage} < std::pair{state.phase, state.stage}) {
      state.phase = phase;
      state.stage = stage;
      state.approvers.clear();
      state.watch_due.clear();
      if (state.direction == Direction::forward) {
        forget_timers(state);
      }
    }
    if (state.stage == Stage::steps) {
      state.stage = settle(plan, state, Stage::steps);
    }
  }
  // What is in doubt is asked about once more, at once: a session left behind is ended by it.
  void interrupt() {
    state.interrupt = true;
    state.ask_doubt_at.reset();
  }
  void end_attempt() {
    state.trying = false;
    state.in_doubt = false;
    state.mismatch = false;
    state.ask_doubt_at.reset();
    state.not_until.reset();
  }
  void interrupted(StepRef ref, Direction direction, bool traceless = false) {
    auto& step = state.at(ref);
    state.current = ref;
    step.first_try = {};
    step.status = StepStatus::interrupted;
    if (direction == Direction::backward) {
      step.started = true;  // what it did forward is still there
    }
    forget_traces(ref, direction, traceless);
  }
  // A step between two tries for its lock is not running once the run has stopped.
  void leave_no_step_running() {
    if (!state.current || state.in_doubt || !known(plan, *state.current)) {
      return;
    }
    auto const status = state.at(*state.current).status;
    bool const begun = status == StepStatus::running || status == StepStatus::reverting;
    if (begun && runs_on_target(action_of(plan, *state.current, state.direction))) {
      interrupted(*state.current, state.direction);
      state.trying = false;
    }
  }
  void forget_traces(StepRef ref, Direction direction, bool traceless) {
    auto& step = state.at(ref);
    bool const nothing_there = traceless || !leaves_traces(plan.step(ref).forward);
    if (direction == Direction::forward && nothing_there) {
      step.started = false;
      step.forget_before();  // nothing happened: the next try looks at the schema afresh
      step.series = 0;
    }
  }
  void finish(StepRef ref, Direction direction, std::string const& fingerprint) {
    auto& step = state.at(ref);
    auto const& action = action_of(plan, ref, direction);
    step.first_try = {};
    step.losses = 0;
    if (std::holds_alternative<BackfillAction>(action)) {
      state.throttle = {};
    }
    if (!fingerprint.empty()) {
      state.fingerprint = fingerprint;
    } else if (changes_schema(action)) {
      state.fingerprint.clear();
    }
    if (direction == Direction::forward) {
      step.status = StepStatus::succeeded;
      state.current.reset();
      state.stage = settle(plan, state, state.stage);
    } else {
      step.status = StepStatus::reverted;
      step.started = false;
      step.forget_before();
      step.series = 0;
      state.current.reset();
    }
    if (state.mode == RunMode::waiting || state.mode == RunMode::attention) {
      state.mode = RunMode::running;
    }
  }
  // Soak and wait timers stop while nobody lets the run go on.
  void stand_still() {
    bool const keeps =
        state.stage == Stage::soak ||
        (state.current && known(plan, *state.current) &&
         std::holds_alternative<WaitAction>(action_of(plan, *state.current, state.direction)));
    if (keeps && state.not_until) {
      state.time_left = std::max(Duration{}, *state.not_until - event.at);
    }
    state.not_until.reset();
  }
  bool waits_for_person() const {
    if (state.direction == Direction::forward && state.stage == Stage::gate) {
      return true;
    }
    if (!state.current || !known(plan, *state.current)) {
      return false;
    }
    auto const status = state.at(*state.current).status;
    return std::holds_alternative<ManualAction>(action_of(plan, *state.current, state.direction)) &&
           (status == StepStatus::running || status == StepStatus::reverting);
  }
};

}  // namespace

// What two people agree to go past is this very moment of the run.
RunState evolve(Plan const& plan, RunState state, Event const& event) {
  auto const stood = std::tuple(state.mode, state.stage, state.phase);
  std::visit(Fold{.plan = plan, .state = state, .event = event}, event.body);
  if (stood != std::tuple(state.mode, state.stage, state.phase)) {
    state.override_asked.reset();
    state.gate_overridden.reset();
  }
  return state;
}

RunState evolve(Plan const& plan, RunState state, Events const& events) {
  for (auto const& event : events) {
    state = evolve(plan, std::move(state), event);
  }
  return state;
}

}  // namespace runbookd::planner
