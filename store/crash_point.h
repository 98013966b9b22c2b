// Named places at which a test lets the process die as by kill -9: no destructor runs, nothing is
// flushed, nobody is told. RUNBOOKD_CRASH=name[:n] names the place and which visit of it (the first
// where it is not said); RUNBOOKD_CRASH_TRACE=file writes the name of each place that is visited.
// Only in builds with RUNBOOKD_TEST_HOOKS; in all others a place costs nothing, not even a call.
#pragma once

#include <array>
#include <string_view>

namespace runbookd::store {

// Each name once, in the order of a run's life. tests/chaos dies at every one of them.
#define RUNBOOKD_CRASH_POINTS(POINT)                                                          \
  POINT(store_file_created, "start: the store's empty file is there, nothing in it")          \
  POINT(store_marked, "start: the file carries our mark, no schema yet")                      \
  POINT(schema_file_written, "start: a schema file was run, before its commit")               \
  POINT(schema_file_committed, "start: a schema file is committed")                           \
  POINT(store_opened, "start: the store is open and checked")                                 \
  POINT(recovery_run_loaded, "start: an unfinished run was folded from its events")           \
  POINT(recovery_run_told, "start: that run was told of the restart")                         \
  POINT(recovery_done, "start: all runs were told, nobody listens yet")                       \
  POINT(listening, "start: the first request may come")                                       \
  POINT(plan_read, "upload: the plan was read and judged")                                    \
  POINT(plan_inserted, "upload: the plan's row is written, before the commit")                \
  POINT(plan_committed, "upload: the plan is stored, nobody was answered")                    \
  POINT(run_before_created, "create: the run has a name, nothing is recorded")                \
  POINT(run_created, "create: the run is recorded, nobody was answered")                      \
  POINT(command_judged, "command: decided, before its events are recorded")                   \
  POINT(command_recorded, "command: recorded, nothing was done about it")                     \
  POINT(command_done, "command: acted upon, nobody was answered")                             \
  POINT(stop_told, "pause: the work was told to stop, before that is recorded")               \
  POINT(stop_recorded, "pause: told and recorded")                                            \
  POINT(append_begun, "journal: the transaction of an append is open")                        \
  POINT(event_inserted, "journal: one event's row is written")                                \
  POINT(summary_written, "journal: a run's summary is written")                               \
  POINT(append_written, "journal: all of an append is written, before its commit")            \
  POINT(append_committed, "journal: an append is committed")                                  \
  POINT(facts_queued, "facts: absorbed in memory, waiting for the journal")                   \
  POINT(facts_durable, "facts: in the journal, nothing was done about them")                  \
  POINT(target_surveyed, "start of a run: the target is known to fit")                        \
  POINT(target_prepared, "start of a run: schema runbookd is in the target")                  \
  POINT(fence_claimed, "start of a run: the daemon's claim on the target is committed")       \
  POINT(run_listed, "start of a run: it stands in the target's list of runs at work")         \
  POINT(baseline_read, "start of a run: a baseline was read, nothing recorded")               \
  POINT(attempt_announced, "attempt: its start is in the journal, no session yet")            \
  POINT(attempt_connected, "attempt: a session is open")                                      \
  POINT(attempt_named, "attempt: the session carries the attempt's name")                     \
  POINT(step_begun, "sql step: after BEGIN")                                                  \
  POINT(step_statement_done, "sql step: after one of its statements")                         \
  POINT(step_before_commit, "sql step: marker and COMMIT are ready to be sent")               \
  POINT(step_commit_sent, "sql step: marker and COMMIT are sent, no answer was read")         \
  POINT(step_committed, "sql step: COMMIT was answered")                                      \
  POINT(attempt_ended, "attempt: ended, the schema not yet read")                             \
  POINT(attempt_read, "attempt: ended and the schema read, the journal not told")             \
  POINT(outside_ready, "outside a transaction: limits are set, nothing looked at")            \
  POINT(outside_before_intent, "outside a transaction: surveyed, before the intent row")      \
  POINT(outside_intent_written, "outside a transaction: the intent row is committed")         \
  POINT(outside_sent, "outside a transaction: the statement is sent, no answer was read")     \
  POINT(outside_done, "outside a transaction: the statement ended well, no marker yet")       \
  POINT(outside_failed, "outside a transaction: the statement failed, nothing looked at")     \
  POINT(outside_marked, "outside a transaction: the marker is written")                       \
  POINT(leftover_found, "an invalid index of ours was found, before it is dropped")           \
  POINT(leftover_drop_sent, "an invalid index of ours: the drop is sent, no answer was read") \
  POINT(leftover_dropped, "an invalid index of ours is dropped, the build not yet begun")     \
  POINT(backfill_key_found, "backfill: the relations and their keys are known, no state row") \
  POINT(backfill_end_read, "backfill: the greatest keys are read, no state row")              \
  POINT(backfill_state_written, "backfill: the state rows are written")                       \
  POINT(helper_ready, "backfill: a further worker has its session, no batch yet")             \
  POINT(batch_locked, "backfill: a batch holds its shard's lock, nothing changed")            \
  POINT(batch_sent, "backfill: change and COMMIT of a batch are sent, no answer was read")    \
  POINT(batch_committed, "backfill: a batch is committed")                                    \
  POINT(shard_finished, "backfill: the last batch of a shard is committed")                   \
  POINT(sweep_parted, "backfill: about to look through the table again, no state rows of it") \
  POINT(backfill_walked, "backfill: all shards are done, no marker")                          \
  POINT(backfill_finished, "backfill: totals and marker are committed")                       \
  POINT(checks_begun, "checks: recorded as begun, no question asked")                         \
  POINT(check_answered, "checks: one was answered, not judged")                               \
  POINT(check_probe_open, "checks: a write that should fail is in its open transaction")      \
  POINT(checks_judged, "checks: all judged, no verdict recorded")                             \
  POINT(fingerprint_asked, "fingerprint: about to be read")                                   \
  POINT(fingerprint_read, "fingerprint: read, not recorded")                                  \
  POINT(doubt_begun, "doubt: about to be settled")                                            \
  POINT(doubt_backends_seen, "doubt: no old session of ours lives")                           \
  POINT(doubt_answered, "doubt: the answer is known, not recorded")                           \
  POINT(run_unlisted, "end of a run: it is no longer in the target's list of runs at work")   \
  POINT(shutdown_asked, "stop: the signal was heard")                                         \
  POINT(shutdown_drained, "stop: every run was told to pause")                                \
  POINT(shutdown_quiet, "stop: every run is at rest")                                         \
  POINT(shutdown_let_go, "stop: the last moment before an orderly end")

enum class CrashPoint {
#define RUNBOOKD_CRASH_POINT(name, meaning) name,
  RUNBOOKD_CRASH_POINTS(RUNBOOKD_CRASH_POINT)
#undef RUNBOOKD_CRASH_POINT
};

struct CrashPointText {
  std::string_view name, meaning;
};
inline constexpr auto crash_points = std::to_array<CrashPointText>({
#define RUNBOOKD_CRASH_POINT(name, meaning) {#name, meaning},
    RUNBOOKD_CRASH_POINTS(RUNBOOKD_CRASH_POINT)
#undef RUNBOOKD_CRASH_POINT
});

#ifdef RUNBOOKD_TEST_HOOKS
// Dies here if this visit is the one that was asked for.
void crash_point(CrashPoint point);
// For a place that lies inside a call: is this visit the one? The caller does its part and dies.
bool crash_is_due(CrashPoint point);
[[noreturn]] void crash();
#else
constexpr void crash_point(CrashPoint) {}
#endif

}  // namespace runbookd::store
