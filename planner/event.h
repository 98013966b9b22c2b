// What has happened to a run: the only thing that is stored. State is the fold of these.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "planner/command.h"
#include "planner/gate.h"
#include "planner/ids.h"
#include "planner/outcome.h"
#include "planner/time.h"

namespace runbookd::planner {

struct RunCreated {
  PlanDigest plan;
  std::string plan_name;
  std::string target;
  std::string note;
  std::string uploader = {};  // of the plan
};
struct RunNoted {  // a remark; changes nothing
  std::string text;
};
struct RunStarted {
  std::vector<Acknowledgement> acknowledged;
};
struct BaselinesRecorded {
  BaselineValues values;
  Findings findings = {};  // that the target's schema and sizes make, beside those of the text
};
struct TargetIdentified {  // where the run works: every later session is compared with it
  TargetIdentity target;
};
struct TargetMoved {  // the same database on another timeline: after a failover or a restore
  TargetIdentity target;
  std::vector<StepRef> lost;  // finished steps that no marker proves there
};
struct TargetHeld {  // by another daemon that may still live; empty: not any more
  std::optional<ClaimHolder> by;
};
struct TargetTaken {  // a person lets this daemon take the target over from that one
  ClaimHolder from;
};
struct BaselinesFailed {
  std::string name;
  SqlFailure failure;
  Findings findings = {};  // the open ones among them, where those are why
};
struct GateReached {  // nothing executes until `phase` is advanced into
  int phase = 0;
};
struct PhaseApproved {
  int phase = 0;
  std::optional<Moment> until = {};
};
struct ApprovalWithdrawn {
  int phase = 0;
  std::string of;  // as the approval spells the name
};
// A check by its place in the plan: the `index`th of that stage of that phase.
struct CheckPlace {
  CheckStage stage = CheckStage::validation;
  int phase = 0;
  int index = 0;
  auto operator<=>(CheckPlace const&) const = default;
};
struct OverrideAsked {
  int phase = 0;
  Moment until{};
  std::vector<CheckPlace> checks;  // that did not pass; none: what keeps the gate shut
};
struct OverrideWithdrawn {
  int phase = 0;
};
// A second person has confirmed it. Checks stay overridden for good; a gate until then.
struct Overridden {
  int phase = 0;
  std::string asked_by, why;
  Moment until{};
  std::vector<CheckPlace> checks;
};
struct PhaseRejected {
  int phase = 0;
};
// `fresh`: first everything that opens its gate is judged anew, what the phase before has shown
// included. Earlier versions asked for the phase's own requirements only.
struct PhaseEntered {
  int phase = 0;
  bool fresh = false;
};
struct ChecksStarted {
  CheckStage stage = CheckStage::validation;
  int phase = 0;
  std::vector<int> which;
};
struct ChecksJudged {
  CheckStage stage = CheckStage::validation;
  int phase = 0;
  std::vector<int> which;
  std::vector<CheckResult> results;
  bool passed = false;
};
// `way_back`: of the step that begins next, where only the catalog told it.
struct FingerprintTaken {
  std::string digest;
  std::optional<WayBackRead> way_back = {};
};
struct FingerprintFailed {
  SqlFailure failure;
  std::optional<StepRef> way_back_of = {};  // it could not be written: that is what failed
};
struct StepStarted {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
};
// `filled`: of a backfill, how far all attempts of its series have come.
struct StepSucceeded {  // forward: done; backward: reversed
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  std::int64_t rows = -1;
  Duration took{}, lock_wait{};
  std::string fingerprint;  // after it; empty = as before
  std::string note;         // a person's evidence for manual steps, and what recovery saw
  std::optional<Filled> filled;
};
struct StepRetryScheduled {  // a lock was not to be had; tried again at retry_at
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  SqlFailure failure;
  std::vector<Blocker> blockers;
  Duration took{}, lock_wait{};
  Moment retry_at{};
  std::optional<Filled> filled;
  std::optional<Behind> behind;
};
struct StepFailed {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  SqlFailure failure;
  std::vector<Blocker> blockers;
  Duration took{}, lock_wait{};
  bool traceless = false;  // the schema is what it was before: there is nothing to take back
  std::optional<Filled> filled;
  std::optional<Behind> behind;
};
struct StepInterrupted {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  std::string why;
  bool traceless = false;  // the schema is what it was before: there is nothing to take back
  std::optional<Filled> filled;
};
struct OutcomeLost {  // nobody heard how the attempt ended
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  std::string why;
  std::optional<Filled> filled;  // what was heard of it before that
};
struct DoubtSettled {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  Doubt answer = Doubt::unknowable;
  std::string evidence;
  std::string fingerprint;
  std::optional<Filled> filled;
};
struct DoubtDeferred {
  StepRef ref;
  SqlFailure failure;
  Moment ask_again_at{};
};
struct FingerprintMismatched {  // a reversal ran, and the schema is not what it was before the step
  StepRef ref;
  int attempt = 1;
  std::string expected, actual;
  std::string difference;  // digest of what differs, line by line; empty = not known
};
struct StepSkipped {
  StepRef ref;
  Direction direction = Direction::forward;
  bool reversed = false;  // it was taken back, and the schema that this left is taken as it is
};
struct StepResolved {
  StepRef ref;
  Direction direction = Direction::forward;
  bool succeeded = false;
  std::string evidence;
};
struct SoakStarted {
  int phase = 0;
  Moment until{};
};
struct PhaseCompleted {
  int phase = 0;
};
// `late`: the store took no events when it was asked, so it was acted on first and recorded when
// the store took events again.
struct PauseRequested {
  StopMode mode = StopMode::safe_point;
  std::optional<Moment> escalate_at;
  bool late = false;
};
struct PauseEscalated {
  bool late = false;
};
struct RunPaused {
  std::string why;            // empty: because it was asked
  bool store_behind = false;  // the target knows more of this run than this store does
};
struct RunThrottled {  // a person's word about the backfill at hand
  int percent = 100;   // of full speed; 0 = stand still
  bool exempt = false;
  std::optional<Moment> until;
};
struct ThrottleLifted {};
struct RunResumed {};
struct RetryRequested {
  StepRef ref;
  Direction direction = Direction::forward;
};
struct EvaluationRequested {
  CheckStage stage = CheckStage::validation;
  int phase = 0;
};
struct RollbackStarted {
  StepRef to;  // the first step that is undone
};
struct RollbackFinished {
  StepRef to;
};
struct CancelRequested {
  bool late = false;
};
struct RunCancelled {};
struct RunSucceeded {};
struct DaemonRestarted {};

using EventBody =
    std::variant<RunCreated, RunStarted, BaselinesRecorded, BaselinesFailed, GateReached,
                 PhaseApproved, PhaseRejected, PhaseEntered, ChecksStarted, ChecksJudged,
                 FingerprintTaken, FingerprintFailed, StepStarted, StepSucceeded,
                 StepRetryScheduled, StepFailed, StepInterrupted, OutcomeLost, DoubtSettled,
                 DoubtDeferred, FingerprintMismatched, StepSkipped, StepResolved, SoakStarted,
                 PhaseCompleted, PauseRequested, PauseEscalated, RunPaused, RunResumed,
                 RetryRequested, EvaluationRequested, RollbackStarted, RollbackFinished,
                 CancelRequested, RunCancelled, RunSucceeded, DaemonRestarted, TargetIdentified,
                 TargetMoved, TargetHeld, TargetTaken, RunThrottled, ThrottleLifted, RunNoted,
                 ApprovalWithdrawn, OverrideAsked, OverrideWithdrawn, Overridden>;

struct Event {
  Moment at{};
  std::string actor;   // empty = the daemon itself
  std::string reason;  // a person's words
  EventBody body;
};
using Events = std::vector<Event>;

std::string_view kind_of(
    EventBody const& body);  // "run.created", "step.started" …: the SSE event name

}  // namespace runbookd::planner
