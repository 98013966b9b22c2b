// What people ask about a run and no decision needs: folded from the same events as the state.
#include <algorithm>

#include "planner/run_rules.h"
#include "planner/view.h"
#include "planner/view_back.h"
#include "planner/view_book.h"
#include "planner/view_checks.h"
#include "planner/view_event_words.h"
#include "planner/view_fill.h"
#include "planner/view_words.h"

namespace runbookd::planner {
namespace {

using view::failure_words;
using view::in_a_line;
using view::person_words;

std::string stage_words(Plan const& plan, CheckStage stage, int phase) {
  switch (stage) {
    case CheckStage::requirements:
      return "a requirement of phase " + view::phase_label(plan, phase);
    case CheckStage::validation:
      return "the validation of phase " + view::phase_label(plan, phase);
    case CheckStage::watch:
      return "the watch over phase " + view::phase_label(plan, phase);
    case CheckStage::final_checks:
      return "the final checks";
  }
  __builtin_unreachable();
}

// What one phase has shown is looked at again before the next: then that one has not begun.
std::string where_it_stands(Plan const& plan, ChecksJudged const& e, CheckResult const* found) {
  auto const asked = checks_of(plan, e.stage, e.phase);
  auto const i = static_cast<std::size_t>(found - e.results.data());
  bool const placed = i < e.which.size() && e.which[i] >= 0 && e.which[i] < std::ssize(asked);
  auto const& place = placed ? asked[static_cast<std::size_t>(e.which[i])] : PlacedCheck{};
  if (!placed || place.stage == e.stage) {
    return stage_words(plan, e.stage, e.phase);
  }
  return stage_words(plan, place.stage, place.phase) + ", judged again before phase " +
         view::phase_label(plan, e.phase) + " begins";
}

std::string what_failed(Plan const& plan, ChecksJudged const& e) {
  auto const* found = view::first_failed(e.results);
  if (found == nullptr) {
    return stage_words(plan, e.stage, e.phase) + " did not pass";
  }
  return "check " + in_a_line(found->name) + " (" + where_it_stands(plan, e, found) +
         ") failed: " + view::expected_and_found(*found) + view::others_failed(e.results);
}

struct Remembering {
  Plan const& plan;
  History& history;
  RunState const& before;
  Event const& event;
  view::Book book{.plan = plan, .history = history, .event = event};

  void operator()(RunCreated const& e) {
    history.created = event.at;
    history.creator = event.actor;
    history.target = e.target;
    history.note = e.note;
    history.digest = e.plan;
  }
  void operator()(RunNoted const& e) {
    history.notes.push_back({.at = event.at, .actor = event.actor, .text = e.text});
  }
  void operator()(ApprovalWithdrawn const& e) { std::erase(history.approvals[e.phase], e.of); }
  void operator()(OverrideAsked const&) {}
  void operator()(OverrideWithdrawn const&) {}
  void operator()(Overridden const& e) {
    history.overrides.push_back(
        {.what = e, .by = event.actor, .comment = event.reason, .at = event.at});
    at_peace();
  }
  void operator()(RunStarted const&) { begin_anew(); }
  void operator()(BaselinesRecorded const& e) {
    history.baselines = e.values;
    history.findings = e.findings;
    at_peace();
  }
  void operator()(BaselinesFailed const& e) {
    history.problem = view::not_started_words(e, history.target);
    history.details =
        e.findings.empty() ? view::further_lines(e.failure) : view::finding_lines(e.findings);
    history.findings = e.findings;
  }
  void operator()(GateReached const& e) {
    history.approvals.erase(e.phase);
    begin_anew();
  }
  void operator()(PhaseApproved const& e) {
    auto& names = history.approvals[e.phase];
    if (std::ranges::find(names, event.actor) == names.end()) {
      names.push_back(event.actor);
    }
  }
  void operator()(PhaseRejected const& e) {
    history.approvals.erase(e.phase);
    history.problem = "phase " + view::phase_label(plan, e.phase) + " was rejected" + by_whom();
  }
  void operator()(PhaseEntered const& e) {
    std::erase_if(history.checks, [&](SeenCheck const& seen) { return about(seen, e.phase); });
    at_peace();
  }
  void operator()(ChecksStarted const&) {}
  void operator()(ChecksJudged const& e) {
    book.judged(e);
    if (!e.passed) {
      history.problem = what_failed(plan, e);
    }
  }
  void operator()(FingerprintTaken const& e) {
    if (e.way_back) {
      history.ways_back[e.way_back->ref] = e.way_back->sql;
    }
  }
  void operator()(FingerprintFailed const& e) {
    history.problem = view::not_looked_words(plan, e);
    history.details = view::further_lines(e.failure);
  }
  void operator()(StepStarted const& e) {
    book.open(e.ref, e.direction, e.attempt);
    if (e.direction == Direction::forward) {
      history.cause.clear();
    }
  }
  void operator()(StepSucceeded const& e) {
    if (auto* attempt = ended(e, "succeeded")) {
      attempt->rows = e.rows;
      attempt->filled = e.filled;
      attempt->note = e.note;
      times(*attempt, e.took, e.lock_wait);
    }
    at_peace();
  }
  void operator()(StepRetryScheduled const& e) { failed(e, "retry_scheduled"); }
  void operator()(StepFailed const& e) {
    failed(e, "failed");
    history.problem = doing(e.ref, e.direction) + " failed: " + failure_words(e.failure) +
                      held_by(e.blockers) + view::and_so_far(e.filled);
    history.details = view::further_lines(e.failure);
  }
  void operator()(StepInterrupted const& e) {
    if (auto* attempt = ended(e, "interrupted")) {
      attempt->note = e.why;
      attempt->filled = e.filled;
    }
  }
  void operator()(OutcomeLost const& e) {
    if (auto* attempt = ended(e, "lost")) {
      attempt->note = e.why;
      attempt->filled = e.filled;
    }
    history.problem = "nobody heard how " + doing(e.ref, e.direction) + " ended" + colon(e.why);
  }
  void operator()(DoubtSettled const& e) {
    if (auto* attempt = ended(e, result_of(e.answer))) {
      attempt->note = e.evidence;
      attempt->filled = e.filled ? e.filled : attempt->filled;
    }
    if (e.answer != Doubt::unknowable) {
      at_peace();
      return;
    }
    history.problem =
        "nobody knows how " + doing(e.ref, e.direction) + " ended" + colon(e.evidence);
  }
  void operator()(DoubtDeferred const& e) {
    history.problem = "how step " + view::step_label(plan, e.ref) +
                      " ended is not known yet: " + failure_words(e.failure);
  }
  void operator()(FingerprintMismatched const& e) {
    book.ended(e.ref, Direction::backward, e.attempt, "mismatch");
    history.mismatch_expected = e.expected;
    history.mismatch_actual = e.actual;
    history.problem = "step " + view::step_label(plan, e.ref) +
                      " was taken back, but the schema is not what it was before it: the reversal "
                      "is incomplete, or somebody else changed the schema meanwhile";
  }
  void operator()(StepSkipped const& e) {
    book.skipped(e);
    at_peace();
  }
  void operator()(StepResolved const& e) {
    auto const number = known(plan, e.ref) ? before.at(e.ref).attempts : 0;
    if (auto* attempt =
            book.ended(e.ref, e.direction, number, e.succeeded ? "succeeded" : "failed")) {
      attempt->note = e.evidence;
    }
    auto const word = e.succeeded ? " was declared done" : " was declared failed";
    auto const said = doing(e.ref, e.direction) + word + by_whom(e.evidence);
    at_peace();
    if (auto still = before.lost; std::erase(still, e.ref) > 0) {
      history.problem = view::lost_words(plan, still);
      history.because = ": " + said;
      return;
    }
    if (e.succeeded) {
      history.because = ": " + said;
      return;
    }
    history.problem = said;
  }
  void operator()(SoakStarted const&) { at_peace(); }
  void operator()(PhaseCompleted const&) { at_peace(); }
  void operator()(PauseRequested const&) {
    at_peace();
    history.because = by_whom();
  }
  void operator()(PauseEscalated const&) {}
  void operator()(RunPaused const& e) {
    close_tries();
    history.quiesced_at = event.at;
    if (!e.why.empty()) {
      history.problem = in_a_line(e.why);
    }
  }
  void operator()(RunThrottled const&) {}
  void operator()(ThrottleLifted const&) {}
  void operator()(RunResumed const&) {
    begin_anew();
    if (before.direction == Direction::forward) {
      history.cause.clear();
    }
  }
  void operator()(RetryRequested const&) { at_peace(); }
  void operator()(EvaluationRequested const& e) {
    if (e.stage == CheckStage::requirements &&
        before.stage == Stage::gate) {  // a rejected gate opens again
      history.approvals.erase(e.phase);
    }
    at_peace();
  }
  void operator()(RollbackStarted const&) {
    close_current();
    // what the plan takes back by itself, it takes back because of the problem
    bool const by_itself = event.actor.empty();
    history.going_back = by_itself ? "" : by_whom();
    history.because.clear();
    if (before.direction == Direction::forward) {
      history.cause = by_itself || before.mode == RunMode::failed ? history.problem : "";
    }
    at_peace();
  }
  void operator()(RollbackFinished const& e) {
    int const first =
        e.to.step == 0 ? e.to.phase : e.to.phase + 1;  // the first gate that lies ahead again
    history.approvals.erase(history.approvals.lower_bound(first), history.approvals.end());
    std::erase_if(history.checks,
                  [&](SeenCheck const& seen) { return lies_ahead(seen, e.to.phase, first); });
    at_peace();
    if (known(plan, e.to)) {
      history.because = " after a rollback: " + view::taken_back_words(plan, before, e.to) +
                        view::rollback_begun(history);
    }
  }
  void operator()(CancelRequested const&) { history.because = by_whom(); }
  void operator()(RunCancelled const&) {
    close_current();
    history.quiesced_at = event.at;
  }
  void operator()(RunSucceeded const&) { at_peace(); }
  void operator()(DaemonRestarted const&) {}
  void operator()(TargetIdentified const&) {}
  void operator()(TargetHeld const&) {}
  void operator()(TargetTaken const&) {}
  void operator()(TargetMoved const& e) {
    history.approvals.clear();
    history.problem = view::lost_words(plan, e.lost);
  }

 private:
  static std::string result_of(Doubt answer) {
    switch (answer) {
      case Doubt::applied:
        return "succeeded";
      case Doubt::not_applied:
        return "interrupted";
      case Doubt::unknowable:
        return "lost";
    }
    __builtin_unreachable();
  }
  static std::string colon(std::string const& why) {
    return why.empty() ? "" : ": " + in_a_line(why);
  }
  static bool about(SeenCheck const& seen, int phase) {
    return seen.phase == phase && seen.stage != CheckStage::final_checks;
  }
  // What was checked after the place that a rollback led to says nothing about the schema any more.
  static bool lies_ahead(SeenCheck const& seen, int phase, int first_gate) {
    if (seen.stage == CheckStage::final_checks) {
      return true;
    }
    return seen.stage == CheckStage::requirements ? seen.phase >= first_gate : seen.phase >= phase;
  }

  void at_peace() {
    history.problem.clear();
    history.details.clear();
  }
  static std::string held_by(std::vector<Blocker> const& blockers) {
    return blockers.empty() ? "" : "; held by " + view::blocker_words(blockers.front());
  }
  void begin_anew() {
    at_peace();
    history.because.clear();
  }
  std::string by_whom() const { return person_words(event.actor, event.reason); }
  std::string by_whom(std::string const& evidence) const {
    return person_words(event.actor, evidence.empty() ? event.reason : evidence);
  }
  std::string doing(StepRef ref, Direction direction) const {
    return (direction == Direction::forward ? "step " : "the reversal of step ") +
           view::step_label(plan, ref);
  }

  Attempt* ended(auto const& e, std::string const& result) {
    return book.ended(e.ref, e.direction, e.attempt, result);
  }
  void failed(auto const& e, std::string const& result) {
    if (auto* attempt = ended(e, result)) {
      attempt->failure = e.failure;
      attempt->blockers = e.blockers;
      attempt->behind = e.behind;
      attempt->filled = e.filled;
      times(*attempt, e.took, e.lock_wait);
    }
  }
  static void times(Attempt& attempt, Duration took, Duration lock_wait) {
    attempt.took = took > Duration{} ? took : attempt.took;
    attempt.lock_wait = lock_wait;
  }
  void close_current() {
    if (before.current) {
      book.close(*before.current);
    }
  }
  // A manual step stays begun while the run is paused; what the database does has ended.
  void close_tries() {
    if (before.current && known(plan, *before.current) &&
        runs_on_target(action_of(plan, *before.current, before.direction))) {
      book.close(*before.current);
    }
  }
};

}  // namespace

void remember(Plan const& plan, History& history, RunState const& before, RunState const& after,
              Event const& event) {
  view::make_room(plan, history);
  ++history.revision;
  history.last_change = event.at;
  if (before.mode != after.mode || history.revision == 1) {
    history.state_since = event.at;
  }
  bool const acts = !std::holds_alternative<RunNoted>(event.body);
  history.acted = acts ? history.revision : history.acted;
  if (!event.actor.empty() && acts) {
    history.last_actor = event.actor;
    history.last_reason = event.reason;
  }
  std::visit(Remembering{.plan = plan, .history = history, .before = before, .event = event},
             event.body);
  if (!after.mismatch) {
    history.mismatch_expected.clear();
    history.mismatch_actual.clear();
  }
}

}  // namespace runbookd::planner
