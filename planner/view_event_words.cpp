#include "planner/view_event_words.h"

#include <algorithm>

#include "planner/run_rules.h"
#include "planner/view_checks.h"
#include "planner/view_fill.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {
namespace {

struct Words {
  Plan const& plan;

  std::string phase(int index) const { return "phase " + phase_label(plan, index); }
  std::string step(StepRef ref) const { return "step " + step_label(plan, ref); }
  std::string doing(StepRef ref, Direction direction) const {
    return (direction == Direction::forward ? "" : "the reversal of ") + step(ref);
  }
  static std::string after(std::string const& separator, std::string const& text) {
    return text.empty() ? "" : separator + in_a_line(text);
  }
  static std::string recorded_late(bool late) {
    return late ? " (recorded late: the store took no events then)" : "";
  }
  // What batches committed stays, also where nobody could ask how much it is.
  static std::string goes_on(std::optional<Filled> const& filled) {
    return (filled ? and_so_far(filled) : "; what its batches committed stays") +
           (filled && filled->scanned == 0 ? "" : ", and it goes on from there");
  }
  static std::string held_by(std::vector<Blocker> const& blockers) {
    return blockers.empty() ? "" : "; held by " + blocker_words(blockers.front());
  }
  std::string checks(CheckStage stage, int index, std::vector<int> const& which) const {
    switch (stage) {
      case CheckStage::requirements: {
        auto const before = shown_before(plan, index, which);
        return before.empty() ? "the requirements of " + phase(index) : before;
      }
      case CheckStage::validation:
        return "the validation of " + phase(index);
      case CheckStage::watch:
        return "the watch over " + phase(index);
      case CheckStage::final_checks:
        return "the final checks";
    }
    __builtin_unreachable();
  }

  std::string operator()(RunCreated const& e) const {
    return "run of plan " + in_a_line(e.plan_name) + " created for target " + in_a_line(e.target);
  }
  std::string operator()(RunStarted const& e) const {
    auto const count = std::ssize(e.acknowledged);
    return count == 0 ? "run started"
                      : "run started with " + count_words(count, "finding") + " acknowledged";
  }
  std::string operator()(BaselinesRecorded const& e) const {
    return count_words(std::ssize(e.values), "baseline") + " recorded" +
           (e.findings.empty()
                ? ""
                : "; the target makes " + count_words(std::ssize(e.findings), "finding"));
  }
  std::string operator()(BaselinesFailed const& e) const { return not_started_words(e, ""); }
  std::string operator()(GateReached const& e) const {
    return "the gate before " + phase(e.phase) + " is reached";
  }
  std::string operator()(PhaseApproved const& e) const {
    bool const there = e.phase >= 0 && e.phase < std::ssize(plan.phases);
    auto const* approval =
        there && plan.phases[e.phase].approval ? &*plan.phases[e.phase].approval : nullptr;
    auto const for_whom = approval == nullptr ? ""
                                              : " for " + in_a_line(approval->from, 60) +
                                                    std::string(names_are_taken_as_given);
    return phase(e.phase) + " approved" + for_whom;
  }
  std::string operator()(PhaseRejected const& e) const { return phase(e.phase) + " rejected"; }
  std::string operator()(PhaseEntered const& e) const { return phase(e.phase) + " entered"; }
  std::string operator()(ChecksStarted const& e) const {
    return checks(e.stage, e.phase, e.which) + ": " + count_words(std::ssize(e.which), "check") +
           " begun";
  }
  std::string operator()(ChecksJudged const& e) const {
    auto const* bad = first_failed(e.results);
    if (e.passed || bad == nullptr) {
      return checks(e.stage, e.phase, e.which) + (e.passed ? ": passed" : ": not passed");
    }
    return checks(e.stage, e.phase, e.which) + ": check " + in_a_line(bad->name) + " failed, " +
           expected_and_found(*bad) + others_failed(e.results);
  }
  std::string operator()(FingerprintTaken const& e) const {
    return e.way_back ? "the way back of " + step(e.way_back->ref) + " was written"
                      : std::string("the schema was looked at");
  }
  std::string operator()(FingerprintFailed const& e) const { return not_looked_words(plan, e); }
  std::string operator()(StepStarted const& e) const {
    // the numbers go on from the way there
    return doing(e.ref, e.direction) + " begun, attempt " + std::to_string(e.attempt) +
           (e.direction == Direction::forward ? "" : " of this step");
  }
  std::string operator()(StepSucceeded const& e) const {
    auto const done = e.direction == Direction::forward ? " done" : " taken back";
    auto text = step(e.ref) + done;
    text += e.took > Duration{} ? " in " + to_text(e.took) : "";
    text += e.rows >= 0 ? ", " + count_words(e.rows, "row") + " changed" : "";
    bool const earlier = e.filled && e.filled->changed > std::max<std::int64_t>(e.rows, 0);
    text += earlier ? " (" + std::to_string(e.filled->changed) + " by all its attempts)" : "";
    return text + after(": ", e.note);
  }
  std::string operator()(StepRetryScheduled const& e) const {
    return doing(e.ref, e.direction) + " did not get its lock (" + failure_words(e.failure) +
           held_by(e.blockers) + ")" + and_so_far(e.filled) + "; the next try is at " +
           to_rfc3339(e.retry_at);
  }
  std::string operator()(StepFailed const& e) const {
    return doing(e.ref, e.direction) + " failed: " + failure_words(e.failure) +
           held_by(e.blockers) + and_so_far(e.filled);
  }
  std::string operator()(StepInterrupted const& e) const {
    return doing(e.ref, e.direction) + " interrupted" + after(": ", e.why) + and_so_far(e.filled);
  }
  std::string operator()(OutcomeLost const& e) const {
    return "nobody heard how " + doing(e.ref, e.direction) + " ended" + after(": ", e.why) +
           and_so_far(e.filled);
  }
  std::string operator()(DoubtSettled const& e) const {
    auto const who = doing(e.ref, e.direction);
    switch (e.answer) {
      case Doubt::applied:
        return who + " had taken effect" + after(": ", e.evidence);
      case Doubt::not_applied:
        return is_backfill(plan, e.ref, e.direction)
                   ? who + " was cut off" + after(": ", e.evidence) + goes_on(e.filled)
                   : who + " had not taken effect" + after(": ", e.evidence);
      case Doubt::unknowable:
        return "whether " + who + " took effect cannot be told" + after(": ", e.evidence);
    }
    __builtin_unreachable();
  }
  std::string operator()(DoubtDeferred const& e) const {
    return "how " + step(e.ref) + " ended is not known yet (" + failure_words(e.failure) +
           "); asked again at " + to_rfc3339(e.ask_again_at);
  }
  std::string operator()(FingerprintMismatched const& e) const {
    return step(e.ref) +
           " was taken back, but the schema is not what it was before it: the "
           "reversal is incomplete, or somebody else changed the schema meanwhile";
  }
  std::string operator()(StepSkipped const& e) const {
    if (e.direction == Direction::forward) {
      return step(e.ref) + " skipped: it is not run";
    }
    return e.reversed ? step(e.ref) + " is taken back; the schema is taken as it is now"
                      : doing(e.ref, e.direction) + " left out: the step stands";
  }
  std::string operator()(StepResolved const& e) const {
    return doing(e.ref, e.direction) + (e.succeeded ? " declared done" : " declared failed") +
           after(": ", e.evidence);
  }
  std::string operator()(SoakStarted const& e) const {
    return phase(e.phase) + " soaks until " + to_rfc3339(e.until);
  }
  std::string operator()(PhaseCompleted const& e) const { return phase(e.phase) + " completed"; }
  std::string operator()(PauseRequested const& e) const {
    std::string const how = e.mode == StopMode::now ? "pause requested, at once"
                                                    : "pause requested, at the next safe point";
    return (e.escalate_at ? how + ", by force at " + to_rfc3339(*e.escalate_at) : how) +
           recorded_late(e.late);
  }
  std::string operator()(PauseEscalated const& e) const {
    return "what executes is interrupted now" + recorded_late(e.late);
  }
  std::string operator()(RunPaused const& e) const { return "run paused" + after(": ", e.why); }
  std::string operator()(RunThrottled const& e) const {
    auto const what = e.exempt ? std::string("no signal slows the backfill now")
                      : e.percent == 0
                          ? std::string("the backfill is to stand still")
                          : "the backfill is slowed to " + std::to_string(e.percent) + " %";
    return what + (e.until ? ", until " + to_rfc3339(*e.until) : "");
  }
  std::string operator()(ThrottleLifted const&) const {
    return "the backfill is not held back by hand any more";
  }
  std::string operator()(RunResumed const&) const { return "run resumed"; }
  std::string operator()(RetryRequested const& e) const {
    return doing(e.ref, e.direction) + " is to be tried again";
  }
  std::string operator()(EvaluationRequested const& e) const {
    return checks(e.stage, e.phase, {}) + ": to be looked at again";
  }
  std::string operator()(RollbackStarted const& e) const {
    return "rollback begun: what was done from " + step(e.to) + " on is to be taken back";
  }
  std::string operator()(RollbackFinished const& e) const {
    return "rollback finished: the run stands before " + step(e.to) + " again";
  }
  std::string operator()(CancelRequested const& e) const {
    return "cancel requested" + recorded_late(e.late);
  }
  std::string operator()(RunCancelled const&) const {
    return "run cancelled; what was done stays as it is";
  }
  std::string operator()(RunSucceeded const&) const { return "run succeeded"; }
  std::string operator()(DaemonRestarted const&) const {
    return "the daemon was restarted while the run was under way";
  }
  std::string operator()(TargetIdentified const& e) const {
    return "the run works in " + identity_words(e.target);
  }
  std::string operator()(TargetHeld const& e) const {
    return e.by ? "another daemon has claimed the target: " + in_a_line(holder_words(*e.by))
                : "no other daemon holds the target any more";
  }
  std::string operator()(TargetTaken const& e) const {
    return "the target is taken over from " + in_a_line(holder_words(e.from));
  }
  std::string operator()(TargetMoved const& e) const {
    auto const found = "a new session found " + identity_words(e.target) + ": ";
    return found + (e.lost.empty() ? "the target has failed over, every finished step is there"
                                   : lost_words(plan, e.lost));
  }
};

}  // namespace

std::string not_looked_words(Plan const& plan, FingerprintFailed const& failed) {
  auto const what = failed.way_back_of
                        ? "the way back of step " + step_label(plan, *failed.way_back_of) +
                              " could not be written: "
                        : std::string("the schema could not be looked at: ");
  return what + failure_words(failed.failure);
}

std::string not_started_words(BaselinesFailed const& failed, std::string const& target) {
  auto const where = target.empty() ? "the target" : "target " + in_a_line(target, 60);
  auto const why = ": " + failure_words(failed.failure);
  if (failed.name == "connection") {
    // the failure says itself which target it was, and where
    bool const told = failed.failure.message.starts_with("target ");
    return (told ? failure_words(failed.failure) : where + " could not be reached" + why) +
           "; see that the server is up and that the daemon's configuration of the target is right";
  }
  if (failed.name == "target check") {
    return where + " cannot carry this plan" + why;
  }
  if (failed.name == "schema runbookd") {
    return "schema runbookd could not be made in " + where + why;
  }
  if (failed.name == "target fence") {
    return where + " is not free for this run" + why;
  }
  if (failed.name == "findings") {
    return where + " makes the plan unsafe" + why;
  }
  auto const named = failed.name.starts_with("baseline ");
  return (named ? "" : "baseline ") + in_a_line(failed.name) + " could not be recorded" + why;
}

std::string finding_lines(Findings const& findings) {
  std::string lines;
  for (auto const& finding : findings) {
    lines += to_text(finding) + "\n";
  }
  return lines +
         "change the plan, or acknowledge each with its rule and a reason: "
         "start --acknowledge '" +
         (findings.empty() ? "RULE" : findings.front().rule) + "=REASON'";
}

std::string event_words(Plan const& plan, EventBody const& body) {
  return std::visit(Words{.plan = plan}, body);
}

}  // namespace runbookd::planner::view
