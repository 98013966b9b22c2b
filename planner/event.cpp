#include "planner/event.h"

namespace runbookd::planner {
namespace {

// By type and not by position: the order of the variant may change, these words never.
template <typename Body>
constexpr std::string_view kind = {};

template <>
constexpr std::string_view kind<RunCreated> = "run.created";
template <>
constexpr std::string_view kind<RunNoted> = "run.noted";
template <>
constexpr std::string_view kind<RunStarted> = "run.started";
template <>
constexpr std::string_view kind<BaselinesRecorded> = "baselines.recorded";
template <>
constexpr std::string_view kind<BaselinesFailed> = "baselines.failed";
template <>
constexpr std::string_view kind<GateReached> = "gate.reached";
template <>
constexpr std::string_view kind<PhaseApproved> = "phase.approved";
template <>
constexpr std::string_view kind<PhaseRejected> = "phase.rejected";
template <>
constexpr std::string_view kind<ApprovalWithdrawn> = "phase.approval_withdrawn";
template <>
constexpr std::string_view kind<OverrideAsked> = "override.asked";
template <>
constexpr std::string_view kind<OverrideWithdrawn> = "override.withdrawn";
template <>
constexpr std::string_view kind<Overridden> = "override.confirmed";
template <>
constexpr std::string_view kind<PhaseEntered> = "phase.entered";
template <>
constexpr std::string_view kind<ChecksStarted> = "checks.started";
template <>
constexpr std::string_view kind<ChecksJudged> = "checks.judged";
template <>
constexpr std::string_view kind<FingerprintTaken> = "fingerprint.taken";
template <>
constexpr std::string_view kind<FingerprintFailed> = "fingerprint.failed";
template <>
constexpr std::string_view kind<StepStarted> = "step.started";
template <>
constexpr std::string_view kind<StepSucceeded> = "step.succeeded";
template <>
constexpr std::string_view kind<StepRetryScheduled> = "step.retry_scheduled";
template <>
constexpr std::string_view kind<StepFailed> = "step.failed";
template <>
constexpr std::string_view kind<StepInterrupted> = "step.interrupted";
template <>
constexpr std::string_view kind<OutcomeLost> = "step.outcome_lost";
template <>
constexpr std::string_view kind<DoubtSettled> = "step.doubt_settled";
template <>
constexpr std::string_view kind<DoubtDeferred> = "step.doubt_deferred";
template <>
constexpr std::string_view kind<FingerprintMismatched> = "step.fingerprint_mismatched";
template <>
constexpr std::string_view kind<StepSkipped> = "step.skipped";
template <>
constexpr std::string_view kind<StepResolved> = "step.resolved";
template <>
constexpr std::string_view kind<SoakStarted> = "soak.started";
template <>
constexpr std::string_view kind<PhaseCompleted> = "phase.completed";
template <>
constexpr std::string_view kind<PauseRequested> = "run.pause_requested";
template <>
constexpr std::string_view kind<PauseEscalated> = "run.pause_escalated";
template <>
constexpr std::string_view kind<RunPaused> = "run.paused";
template <>
constexpr std::string_view kind<RunResumed> = "run.resumed";
template <>
constexpr std::string_view kind<RetryRequested> = "step.retry_requested";
template <>
constexpr std::string_view kind<EvaluationRequested> = "checks.requested";
template <>
constexpr std::string_view kind<RollbackStarted> = "rollback.started";
template <>
constexpr std::string_view kind<RollbackFinished> = "rollback.finished";
template <>
constexpr std::string_view kind<CancelRequested> = "run.cancel_requested";
template <>
constexpr std::string_view kind<RunCancelled> = "run.cancelled";
template <>
constexpr std::string_view kind<RunSucceeded> = "run.succeeded";
template <>
constexpr std::string_view kind<DaemonRestarted> = "daemon.restarted";
template <>
constexpr std::string_view kind<TargetHeld> = "target.held";
template <>
constexpr std::string_view kind<TargetTaken> = "target.taken_over";
template <>
constexpr std::string_view kind<TargetIdentified> = "target.identified";
template <>
constexpr std::string_view kind<TargetMoved> = "target.moved";
template <>
constexpr std::string_view kind<RunThrottled> = "run.throttled";
template <>
constexpr std::string_view kind<ThrottleLifted> = "run.throttle_lifted";

std::string_view verb(Start const&) { return "start"; }
std::string_view verb(Advance const&) { return "advance"; }
std::string_view verb(Approve const&) { return "approve"; }
std::string_view verb(Reject const&) { return "reject"; }
std::string_view verb(Withdraw const&) { return "withdraw"; }
std::string_view verb(Override const&) { return "override"; }
std::string_view verb(Countersign const&) { return "countersign"; }
std::string_view verb(Evaluate const&) { return "evaluate"; }
std::string_view verb(Confirm const&) { return "confirm"; }
std::string_view verb(Pause const&) { return "pause"; }
std::string_view verb(Throttle const&) { return "throttle"; }
std::string_view verb(Resume const&) { return "resume"; }
std::string_view verb(Retry const&) { return "retry"; }
std::string_view verb(Skip const&) { return "skip"; }
std::string_view verb(Resolve const&) { return "resolve"; }
std::string_view verb(RollBack const&) { return "rollback"; }
std::string_view verb(Cancel const&) { return "cancel"; }

}  // namespace

std::string_view kind_of(EventBody const& body) {
  return std::visit(
      []<typename Body>(Body const&) {
        static_assert(!kind<Body>.empty(), "every event needs its word");
        return kind<Body>;
      },
      body);
}

std::string_view verb_of(Ask const& ask) {
  return std::visit([](auto const& wish) { return verb(wish); }, ask);
}

std::string holder_words(ClaimHolder const& holder) {
  return "the daemon on " + holder.host + ", pid " + std::to_string(holder.pid) + ", since " +
         holder.since +
         (holder.session == 0 ? ", which has no session there now"
                              : ", whose session there has pid " + std::to_string(holder.session));
}

std::string_view to_text(BlockerKind kind) {
  switch (kind) {
    case BlockerKind::session:
      return "session";
    case BlockerKind::dump:
      return "dump";
    case BlockerKind::autovacuum:
      return "autovacuum";
    case BlockerKind::wraparound_vacuum:
      return "wraparound_vacuum";
    case BlockerKind::prepared:
      return "prepared";
    case BlockerKind::replication:
      return "replication";
    case BlockerKind::runbookd:
      return "runbookd";
  }
  __builtin_unreachable();
}

std::string_view to_text(CheckStage stage) {
  switch (stage) {
    case CheckStage::requirements:
      return "requirements";
    case CheckStage::validation:
      return "validation";
    case CheckStage::watch:
      return "watch";
    case CheckStage::final_checks:
      return "final_checks";
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner
