// The spelling of every event: its fields' names and its enums' words. Durable, so only ever added
// to. One description per type serves writing and reading, so that the two cannot drift apart: `io`
// has must(name, field) and may(name, field). Private to event_json.cpp.
#pragma once

#include <array>
#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

#include "planner/event.h"

namespace runbookd::planner::fields {

using namespace std::string_view_literals;

template <typename T, typename Of>
concept Like = std::same_as<std::remove_const_t<T>, Of>;

// The words of enums, by value and not by position: enums may be reordered, words never change.
constexpr auto words(Direction) {
  return std::array{std::pair{Direction::forward, "forward"sv},
                    std::pair{Direction::backward, "backward"sv}};
}
constexpr auto words(CheckStage) {
  return std::array{std::pair{CheckStage::requirements, "requirements"sv},
                    std::pair{CheckStage::validation, "validation"sv},
                    std::pair{CheckStage::watch, "watch"sv},
                    std::pair{CheckStage::final_checks, "final_checks"sv}};
}
constexpr auto words(Verdict) {
  return std::array{std::pair{Verdict::passed, "passed"sv}, std::pair{Verdict::failed, "failed"sv},
                    std::pair{Verdict::error, "error"sv}};
}
constexpr auto words(Doubt) {
  return std::array{std::pair{Doubt::applied, "applied"sv},
                    std::pair{Doubt::not_applied, "not_applied"sv},
                    std::pair{Doubt::unknowable, "unknowable"sv}};
}
constexpr auto words(StopMode) {
  return std::array{std::pair{StopMode::safe_point, "safe_point"sv},
                    std::pair{StopMode::now, "now"sv}};
}
constexpr auto words(Severity) {
  return std::array{std::pair{Severity::error, "error"sv},
                    std::pair{Severity::warning, "warning"sv}, std::pair{Severity::note, "note"sv}};
}
constexpr auto words(BlockerKind) {
  return std::array{std::pair{BlockerKind::session, "session"sv},
                    std::pair{BlockerKind::dump, "dump"sv},
                    std::pair{BlockerKind::autovacuum, "autovacuum"sv},
                    std::pair{BlockerKind::wraparound_vacuum, "wraparound_vacuum"sv},
                    std::pair{BlockerKind::prepared, "prepared"sv},
                    std::pair{BlockerKind::replication, "replication"sv},
                    std::pair{BlockerKind::runbookd, "runbookd"sv}};
}
constexpr auto words(SqlFailure::Fate) {
  return std::array{std::pair{SqlFailure::Fate::failed, "failed"sv},
                    std::pair{SqlFailure::Fate::unknown, "unknown"sv}};
}

// `must`: reading fails without it. `may`: younger than the first release, or empty more often than
// not; the default stands in.
void describe(auto& io, Like<Acknowledgement> auto& it) {
  io.must("rule", it.rule).must("reason", it.reason);
}
void describe(auto& io, Like<Place> auto& it) {
  io.may("file", it.file).may("line", it.line).may("column", it.column);
}
void describe(auto& io, Like<Edit> auto& it) {
  io.must("at", it.at).must("was", it.was).must("now", it.now);
}
void describe(auto& io, Like<Finding> auto& it) {
  io.must("rule", it.rule).must("severity", it.severity).must("message", it.message);
  io.may("place", it.place).may("fix", it.fix).may("step", it.step);
  io.may("acknowledged", it.acknowledged).may("edits", it.edits);
}
void describe(auto& io, Like<SqlFailure> auto& it) {
  io.must("message", it.message).must("fate", it.fate);
  io.may("sqlstate", it.sqlstate).may("statement", it.statement);
}
void describe(auto& io, Like<Blocker> auto& it) {
  io.must("pid", it.pid).may("user", it.user).may("application", it.application);
  io.may("state", it.state).may("query", it.query).may("transaction_age_ms", it.transaction_age);
  io.may("lock_mode", it.lock_mode).may("relation", it.relation);
  io.may("kind", it.kind).may("depth", it.depth).may("root", it.root);
}
void describe(auto& io, Like<Behind> auto& it) {
  io.must("sessions", it.sessions).may("longest_ms", it.longest);
}
void describe(auto& io, Like<CheckResult> auto& it) {
  io.must("name", it.name).must("verdict", it.verdict);
  io.may("expected", it.expected).may("actual", it.actual).may("duration_ms", it.took);
}
void describe(auto& io, Like<Filled> auto& it) {
  io.must("rows_scanned", it.scanned).must("rows_changed", it.changed);
  io.must("rows_total", it.total);
}
void describe(auto& io, Like<StepRef> auto& it) {
  io.must("phase", it.phase).must("step", it.step);
}

void describe(auto& io, Like<TargetIdentity> auto& it) {
  io.must("database", it.database).may("system", it.system).may("timeline", it.timeline);
}

void describe(auto& io, Like<ClaimHolder> auto& it) {
  io.must("id", it.id).must("host", it.host).must("pid", it.pid).must("since", it.since);
  io.may("session_pid", it.session);
}

// The three that every event about one try begins with.
void describe_try(auto& io, auto& it) {
  describe(io, it.ref);
  io.must("direction", it.direction).must("attempt", it.attempt);
}
void describe_times(auto& io, auto& it) {
  io.may("duration_ms", it.took).may("lock_wait_ms", it.lock_wait);
}

void describe(auto& io, Like<RunCreated> auto& it) {
  io.must("plan", it.plan.text).must("plan_name", it.plan_name).must("target", it.target);
  io.may("note", it.note).may("uploader", it.uploader);
}
void describe(auto& io, Like<RunNoted> auto& it) { io.must("text", it.text); }
void describe(auto& io, Like<RunStarted> auto& it) { io.may("acknowledged", it.acknowledged); }
void describe(auto& io, Like<BaselinesRecorded> auto& it) {
  io.must("values", it.values).may("findings", it.findings);
}
void describe(auto& io, Like<BaselinesFailed> auto& it) {
  io.must("name", it.name).must("failure", it.failure).may("findings", it.findings);
}
void describe(auto& io, Like<GateReached> auto& it) { io.must("phase", it.phase); }
void describe(auto& io, Like<PhaseApproved> auto& it) {
  io.must("phase", it.phase).may("until", it.until);
}
void describe(auto& io, Like<ApprovalWithdrawn> auto& it) {
  io.must("phase", it.phase).must("of", it.of);
}
void describe(auto& io, Like<CheckPlace> auto& it) {
  io.must("stage", it.stage).must("phase", it.phase).must("index", it.index);
}
void describe(auto& io, Like<OverrideAsked> auto& it) {
  io.must("phase", it.phase).must("until", it.until).must("checks", it.checks);
}
void describe(auto& io, Like<OverrideWithdrawn> auto& it) { io.must("phase", it.phase); }
void describe(auto& io, Like<Overridden> auto& it) {
  io.must("phase", it.phase).must("asked_by", it.asked_by).must("why", it.why);
  io.must("until", it.until).must("checks", it.checks);
}
void describe(auto& io, Like<PhaseRejected> auto& it) { io.must("phase", it.phase); }
void describe(auto& io, Like<PhaseEntered> auto& it) {
  io.must("phase", it.phase).may("fresh", it.fresh);
}
void describe(auto& io, Like<ChecksStarted> auto& it) {
  io.must("stage", it.stage).must("phase", it.phase).must("which", it.which);
}
void describe(auto& io, Like<ChecksJudged> auto& it) {
  io.must("stage", it.stage).must("phase", it.phase).must("which", it.which);
  io.must("results", it.results).must("passed", it.passed);
}
void describe(auto& io, Like<WayBackRead> auto& it) {
  describe(io, it.ref);
  io.must("sql", it.sql);
}
void describe(auto& io, Like<FingerprintTaken> auto& it) {
  io.must("fingerprint", it.digest).may("way_back", it.way_back);
}
void describe(auto& io, Like<FingerprintFailed> auto& it) {
  io.must("failure", it.failure).may("way_back_of", it.way_back_of);
}
void describe(auto& io, Like<StepStarted> auto& it) { describe_try(io, it); }
void describe(auto& io, Like<StepSucceeded> auto& it) {
  describe_try(io, it);
  describe_times(io, it);
  io.may("filled", it.filled);
  io.may("rows", it.rows).may("fingerprint", it.fingerprint).may("note", it.note);
}
void describe(auto& io, Like<StepRetryScheduled> auto& it) {
  describe_try(io, it);
  describe_times(io, it);
  io.may("filled", it.filled);
  io.must("failure", it.failure).may("blockers", it.blockers).must("retry_at", it.retry_at);
  io.may("behind", it.behind);
}
void describe(auto& io, Like<StepFailed> auto& it) {
  describe_try(io, it);
  describe_times(io, it);
  io.may("filled", it.filled);
  io.must("failure", it.failure).may("blockers", it.blockers).may("traceless", it.traceless);
  io.may("behind", it.behind);
}
void describe(auto& io, Like<StepInterrupted> auto& it) {
  describe_try(io, it);
  io.may("filled", it.filled);
  io.may("why", it.why).may("traceless", it.traceless);
}
void describe(auto& io, Like<OutcomeLost> auto& it) {
  describe_try(io, it);
  io.may("filled", it.filled);
  io.may("why", it.why);
}
void describe(auto& io, Like<DoubtSettled> auto& it) {
  describe_try(io, it);
  io.may("filled", it.filled);
  io.must("answer", it.answer).may("evidence", it.evidence).may("fingerprint", it.fingerprint);
}
void describe(auto& io, Like<DoubtDeferred> auto& it) {
  describe(io, it.ref);
  io.must("failure", it.failure).must("ask_again_at", it.ask_again_at);
}
void describe(auto& io, Like<FingerprintMismatched> auto& it) {
  describe(io, it.ref);
  io.must("attempt", it.attempt).must("expected", it.expected).must("actual", it.actual);
  io.may("difference", it.difference);
}
void describe(auto& io, Like<StepSkipped> auto& it) {
  describe(io, it.ref);
  io.must("direction", it.direction).may("reversed", it.reversed);
}
void describe(auto& io, Like<StepResolved> auto& it) {
  describe(io, it.ref);
  io.must("direction", it.direction).must("succeeded", it.succeeded).may("evidence", it.evidence);
}
void describe(auto& io, Like<SoakStarted> auto& it) {
  io.must("phase", it.phase).must("until", it.until);
}
void describe(auto& io, Like<PhaseCompleted> auto& it) { io.must("phase", it.phase); }
void describe(auto& io, Like<PauseRequested> auto& it) {
  io.must("mode", it.mode).may("escalate_at", it.escalate_at).may("late", it.late);
}
void describe(auto& io, Like<PauseEscalated> auto& it) { io.may("late", it.late); }
void describe(auto& io, Like<RunPaused> auto& it) {
  io.may("why", it.why).may("store_behind", it.store_behind);
}
void describe(auto& io, Like<RunThrottled> auto& it) {
  io.must("percent", it.percent).may("exempt", it.exempt).may("until", it.until);
}
void describe(auto&, Like<ThrottleLifted> auto&) {}
void describe(auto&, Like<RunResumed> auto&) {}
void describe(auto& io, Like<RetryRequested> auto& it) {
  describe(io, it.ref);
  io.must("direction", it.direction);
}
void describe(auto& io, Like<EvaluationRequested> auto& it) {
  io.must("stage", it.stage).must("phase", it.phase);
}
void describe(auto& io, Like<RollbackStarted> auto& it) { describe(io, it.to); }
void describe(auto& io, Like<RollbackFinished> auto& it) { describe(io, it.to); }
void describe(auto& io, Like<CancelRequested> auto& it) { io.may("late", it.late); }
void describe(auto&, Like<RunCancelled> auto&) {}
void describe(auto&, Like<RunSucceeded> auto&) {}
void describe(auto&, Like<DaemonRestarted> auto&) {}
void describe(auto& io, Like<TargetIdentified> auto& it) { io.must("target", it.target); }
void describe(auto& io, Like<TargetMoved> auto& it) {
  io.must("target", it.target).may("lost", it.lost);
}

void describe(auto& io, Like<TargetHeld> auto& it) { io.may("by", it.by); }
void describe(auto& io, Like<TargetTaken> auto& it) { io.must("from", it.from); }

}  // namespace runbookd::planner::fields
