// What the world answered to an intent. A fact: never refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "planner/gate.h"
#include "planner/ids.h"
#include "planner/time.h"

namespace runbookd::planner {

// What kind of work stands in the way: it tells whether waiting helps, and what ends it.
enum class BlockerKind {
  session,
  dump,
  autovacuum,
  wraparound_vacuum,  // does not give way to anybody
  prepared,
  replication,
  runbookd
};
std::string_view to_text(BlockerKind kind);

// A session that stood in our way, as seen at the moment of the wait. A list of them is a tree
// written down from its stem: whoever stands in a blocker's own way follows it, one deeper.
struct Blocker {
  int pid = 0;  // 0 = a prepared transaction
  std::string user, application, state, query;
  Duration transaction_age{};
  std::string lock_mode;  // what it holds
  std::string relation;
  BlockerKind kind = BlockerKind::session;
  int depth = 1;     // 1 = in our way, 2 = in the way of one of those …
  bool root = true;  // waits for nobody: once it ends, the others move
  bool operator==(Blocker const&) const = default;
};

// Sessions that waited for us meanwhile, be it behind our own wait.
struct Behind {
  int sessions = 0;
  Duration longest{};  // before PostgreSQL 14 servers do not tell
  bool operator==(Behind const&) const = default;
};

// Which database of which server a session talks to. A server restored from a backup keeps the
// system identifier, and so does a promoted standby: the timeline tells them from the original.
struct TargetIdentity {
  std::string database;
  std::string system;    // pg_control_system(); empty = the role may not ask
  std::string timeline;  // eight hexadecimal digits, as in the names of WAL files
  auto operator<=>(TargetIdentity const&) const = default;
};

// The daemon that has claimed the target: it alone writes there.
struct ClaimHolder {
  std::string id;  // of this one claim, random
  std::string host;
  int pid = 0;
  std::string since;  // RFC 3339
  int session = 0;    // pid of a server process that works for it; 0 = none was seen
  auto operator<=>(ClaimHolder const&) const = default;
};

// "the daemon on db7, pid 812, since …; its session …"
std::string holder_words(ClaimHolder const& holder);

struct BaselinesRead {
  BaselineValues values;
  TargetIdentity target = {};
  std::optional<SqlFailure> failure;
  std::string failed_name;
  std::optional<ClaimHolder> held_by;  // that is why it failed
  Findings findings = {};              // see made_by_target
};

enum class CheckStage { requirements, validation, watch, final_checks };
std::string_view to_text(CheckStage stage);

struct ChecksRun {
  CheckStage stage = CheckStage::validation;
  int phase = 0;
  std::vector<int> which;  // indices into the stage's list
  std::vector<CheckResult> results;
};

// What takes a step back, as the target's catalog told just before it.
struct WayBackRead {
  StepRef ref;
  std::string sql;
  bool operator==(WayBackRead const&) const = default;
};

struct FingerprintRead {
  std::string digest;  // "sha256:…"; empty when it failed
  std::optional<SqlFailure> failure;
  std::string difference;  // see AttemptEnded
  std::optional<WayBackRead> way_back = {};
  std::optional<StepRef> way_back_of = {};  // asked for, and the reason of the failure
};

// How far the batches of a backfill have come, by all attempts of its series, as its row in the
// target tells: these rows are committed whatever becomes of the attempt.
struct Filled {
  std::int64_t scanned = 0, changed = 0;
  std::int64_t total = 0;  // an estimate until it is done; 0 = not known
  bool operator==(Filled const&) const = default;
};

// How one attempt ended. Fenced: this daemon may not write to the target (any more), and nothing of
// the attempt was written.
enum class AttemptEnd { done, busy, failed, interrupted, lost, fenced };
inline constexpr std::string_view store_behind_code = "RBF03";  // the failure of one that met
                                                                // markers of later attempts
struct AttemptEnded {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  AttemptEnd end = AttemptEnd::done;
  std::int64_t rows = -1;  // touched; -1 = not counted
  Duration took{};
  Duration lock_wait{};
  std::optional<SqlFailure> failure;  // for busy (lock timeout, deadlock), failed, lost and fenced
  std::vector<Blocker> blockers;
  std::optional<Behind> behind;
  std::optional<Filled> filled;  // of a backfill
  std::string fingerprint;       // after it; empty = not taken
  // After a reversal: digest of how the schema differs from that before the step; empty = not at
  // all, or not known.
  std::string difference;
  std::optional<ClaimHolder> held_by;  // of one that was fenced: by whom
  std::string note;                    // such as "dropped the invalid index left by an earlier try"
  double jitter = 0.5;                 // [0,1), brought along so that the decision stays pure
};

enum class Doubt { applied, not_applied, unknowable };
struct DoubtAnswered {
  StepRef ref;
  Direction direction = Direction::forward;
  int attempt = 1;
  Doubt answer = Doubt::unknowable;
  std::string evidence;          // what was looked at and seen
  std::string fingerprint;       // now; empty = not taken
  std::string difference;        // see AttemptEnded
  std::optional<Filled> filled;  // of a backfill
};
// The target could not be asked; it will be asked again at `again_at`.
struct DoubtUnanswered {
  StepRef ref;
  SqlFailure failure;
};

// A new session found the same database on another timeline: a standby was promoted, or a backup
// restored. Nothing was done on it but to look for the markers of the run's finished steps.
struct FailoverSeen {
  TargetIdentity now;
  std::vector<StepRef> lost;  // finished steps that no marker proves there
};

// Who holds the target, where it is another daemon that may still live.
struct ClaimSeen {
  std::optional<ClaimHolder> held_by;
};
// Where a session led, of a run that was recorded without it.
struct TargetSeen {
  TargetIdentity target;
};

struct TimeReached {};  // the moment that the intent waited for has come
struct Quiesced {};     // nothing of this run is in flight any more
struct Restarted {};    // the daemon came up and found this run unfinished

using Outcome = std::variant<BaselinesRead, ChecksRun, FingerprintRead, AttemptEnded, DoubtAnswered,
                             DoubtUnanswered, FailoverSeen, ClaimSeen, TargetSeen, TimeReached,
                             Quiesced, Restarted>;

}  // namespace runbookd::planner
