// Straight-line blocking procedures against a target. They run on a hands thread, know one Session,
// and answer with values. `Stop` is how a pause or cancel reaches them between statements and
// batches.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daemon/target/session.h"
#include "planner/outcome.h"
#include "planner/pacing.h"
#include "planner/patience.h"
#include "planner/plan.h"
#include "planner/server_work.h"
#include "planner/sql.h"
#include "planner/throttle.h"

namespace runbookd::daemon {

// A daemon's claim on a target: the row of its store in runbookd.fence, as it wrote it.
struct FenceClaim {
  std::int64_t number = 0;  // 0 = none
  std::string holder;       // random: two daemons may come to the same number after a failover
};

// Which attempt a session works for; also written into markers and application_name.
struct AttemptTag {
  std::string store, run;
  planner::StepRef ref;
  planner::Direction direction = planner::Direction::forward;
  int attempt = 1;
  std::string label;  // "phase/step"
  FenceClaim fence = {};
};
// "runbookd/<store, 8 characters>/<run>": what our sessions are called when they connect.
std::string session_name(std::string const& store, std::string const& run);
// That and "/<phase>.<step>f<attempt>" (b on the way back), at most 63 bytes: the name of a session
// while it works for an attempt.
std::string application_name(AttemptTag const& tag);
// "application_name = '…'", to follow SET: recovery finds an orphan of ours by that name.
std::string name_sql(Session const& session, AttemptTag const& tag);

// How an attempt ended, without the parts that only the caller knows (jitter, blockers).
struct AttemptResult {
  planner::AttemptEnd end = planner::AttemptEnd::done;
  std::int64_t rows = -1;
  std::optional<planner::Filled> filled;  // of a backfill
  std::optional<SqlFailure> failure;
  std::string note;
  // Of a transaction that waited for its locks: for how long, and for whom.
  planner::Duration lock_wait{};
  std::vector<planner::Blocker> blockers = {};
};

// What is seen of such a wait while it lasts. Queued: others may wait behind us.
struct LockStanding {
  bool queued = false;
  planner::Duration waited{};  // 0 = over
  std::vector<planner::Blocker> blockers;
};
// What one attempt at a step learns about those who hold its locks is of use to the next one.
struct LockMemory {
  explicit LockMemory(planner::LockPolicy const& policy) : patience(policy) {}
  planner::Patience patience;
  int tries = 0;               // of all attempts
  planner::Duration queued{};  // in all of them
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
};
// How an attempt may wait for its locks, and who hears of it.
struct Waiting {
  std::stop_token ends = {};      // whatever only waits is not to wait on
  planner::Duration waited = {};  // by earlier attempts, towards give_up_after
  int tries = 1;                  // with the earlier ones
  double jitter = 0.5;
  std::shared_ptr<LockMemory> memory = nullptr;
  std::function<void(LockStanding const&)> tell = {};
};

// --- preparation (marker.cpp, preflight.cpp)
// Creates schema runbookd and its tables in the target if they are not there.
SqlResult<void> prepare_target(Session& session);
// Who is at the other end. Refused: a standby, and a connection pooler.
SqlResult<planner::TargetIdentity> introduce(Session& session);
// Is this where the run began? Refused with other_target_code or failed_over_code (fence.h);
// everything fits an expectation that is empty.
SqlResult<void> same_target(planner::TargetIdentity const& expected,
                            planner::TargetIdentity const& found);
// The steps whose last marker in the target is not of the direction in which they ended.
struct FinishedStep {
  planner::StepRef ref;
  planner::Direction direction = planner::Direction::forward;
};
struct KnownStep {
  planner::StepRef ref;
  int attempts = 0;
};
// Refused with store_behind_code where a marker tells of an attempt that this store does not know.
SqlResult<void> expect_known(Session& session, std::string const& store, std::string const& run,
                             std::vector<KnownStep> const& known);
SqlResult<std::vector<planner::StepRef>> unproven(Session& session, std::string const& store,
                                                  std::string const& run,
                                                  std::vector<FinishedStep> const& finished);
// Not a standby, a version that the plan allows, rights for every statement of the plan. The
// failure's message names each missing right with the statement that grants it.
SqlResult<void> check_target(Session& session, planner::Plan const& plan);

// --- one attempt (transactional_step.cpp, concurrent_step.cpp, backfill_step.cpp)
// BEGIN; SET LOCAL …, read back; strong locks, all or none; statements; marker; COMMIT. Where the
// locks are not to be had it is rolled back and tried again, for a while. A lost answer to COMMIT
// is `lost`.
AttemptResult run_transactional(Session& session, AttemptTag const& tag,
                                planner::SqlAction const& action, std::stop_token stop,
                                Waiting const& waiting = {});
// Outside a transaction: what an earlier try left is cleared away or ended, intent row, the
// statement, done row. Attempts from `since_attempt` on are of one series, as below.
AttemptResult run_concurrent(Session& session, AttemptTag const& tag,
                             planner::SqlAction const& action, int since_attempt,
                             std::stop_token stop, Waiting const& waiting = {});
// What a backfill needs from its caller. Progress and pace are called on whichever of its threads
// has a batch behind it, never two at a time.
struct BackfillHelp {
  std::stop_token stop = {};
  std::function<void(planner::Progress const&)> progress = {};
  // Asked before each batch; without it the plan's own pause is kept.
  std::function<planner::Pace(planner::LastBatch const&)> pace = {};
  // One more session to the same target, for one more worker; called on that worker's thread.
  // Without it one session does all the work.
  std::function<SqlResult<std::unique_ptr<Session>>()> one_more = {};
};
// Batches until every row is done or `stop`. Attempts of one series share their cursors in the
// target: the series is named by `since_attempt`, the number of its first attempt. A new series
// (after a reversal) starts anew.
AttemptResult run_backfill(Session& session, AttemptTag const& tag,
                           planner::BackfillAction const& action, int since_attempt,
                           BackfillHelp const& help);
// How far the batches of that series have come; nothing where none was begun.
SqlResult<std::optional<planner::Filled>> read_filled(Session& session, AttemptTag const& tag,
                                                      int since_attempt);

// --- questions (gate_query.cpp, fingerprint.cpp, doubt.cpp, watcher.cpp, signals.cpp)
// In a read-only transaction (an expected-error probe: in one that is always rolled back).
planner::QueryAnswer run_check(Session& session, planner::SqlText const& sql,
                               planner::Duration timeout, bool expects_error);

struct Fingerprint {
  std::string digest;  // "sha256:…"
  std::string body;    // one object per line, sorted: "table public.users: …"
};
// Every user schema but runbookd; independent of oids, time and column position.
SqlResult<Fingerprint> take_fingerprint(Session& session);
// "- was" and "+ is" lines of two bodies.
std::string fingerprint_diff(std::string const& before, std::string const& after);

struct DoubtAnswer {
  planner::Doubt answer = planner::Doubt::unknowable;
  bool still_running =
      false;    // our old backend lives: ask again later, or terminate_backend(pid) first
  int pid = 0;  // of that backend
  std::string evidence;
};
// Was this attempt applied? First the old backend, then the marker, then, for a statement outside a
// transaction, the catalog.
SqlResult<DoubtAnswer> settle_doubt(Session& session, AttemptTag const& tag,
                                    planner::Action const& action);

// Who blocks `pid` now; empty = nobody. `waiting` = it waits for a lock. `gone`: there is no such
// backend.
struct LockSight {
  bool waiting = false;
  bool midway = false;  // for others' transactions, in a concurrent statement: work is lost with it
  bool gone = false;
  std::vector<planner::Blocker> blockers;
  std::optional<planner::Behind> behind;  // while it waits
};
SqlResult<LockSight> look_at_locks(Session& eyes, int pid);
// How the target bears a backfill of `table`, as written in the plan (the moment is the caller's to
// say). `our_names`: what the names of the run's sessions begin with; they are no load of others.
SqlResult<planner::Sample> look_at_signals(Session& eyes, std::string const& our_names,
                                           std::string const& table);
// Who waits for `pid`, also while it waits for nobody itself.
SqlResult<std::optional<planner::Behind>> look_behind(Session& eyes, int pid);
// What the server tells of its long work for `pid`; nothing where it does none.
SqlResult<std::optional<planner::ServerWork>> look_at_work(Session& eyes, int pid);
SqlResult<bool> cancel_backend(Session& eyes, int pid);
SqlResult<bool> terminate_backend(Session& eyes, int pid);

}  // namespace runbookd::daemon
