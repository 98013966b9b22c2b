// The fence of a target: who of several daemons with one store (a copied store, a process that was
// stopped and woke) may write there. A daemon claims it once per target; every transaction of ours
// reads the row FOR SHARE and compares, so that a newer claim waits for it, and it fails after one.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "daemon/target/procedures.h"
#include "daemon/target/whereabouts.h"

namespace runbookd::daemon {

// SQLSTATEs of our own guards. The servers' classes never begin with R.
inline constexpr std::string_view fenced_code = "RBF01";        // another daemon holds the fence
inline constexpr std::string_view already_done_code = "RBF02";  // this very attempt has its marker
using planner::store_behind_code;
inline constexpr std::string_view foreign_run_code = "RBF04";    // another store has open runs here
inline constexpr std::string_view other_session_code = "RBF05";  // one of ours lives on this step
inline constexpr std::string_view not_told_apart_code = "RBF06";  // filled rows look unfilled
inline constexpr std::string_view other_target_code = "RBT01";    // not where the run began
inline constexpr std::string_view failed_over_code = "RBT02";     // there, on another timeline
// The daemon must not write there; nothing was written.
bool keeps_out(SqlFailure const& failure);

// A guard speaks through the server's complaint about a text that is no number: in the message that
// was sent anyway, and so that the rest of the message is not run. Nothing where it was no guard.
std::string guard_text(std::string_view code);
bool translate_guard(SqlFailure& failure);

// SELECTs that fail as above; each ends without a semicolon.
std::string fence_guard_sql(Session const& session, AttemptTag const& tag);
std::string marker_guard_sql(Session const& session, AttemptTag const& tag);
// For a statement outside a transaction, which cannot look at the fence itself: whoever set out
// before the fence was claimed is still to be seen, and is waited for.
std::string alone_guard_sql(Session const& session, AttemptTag const& tag);

// The claims of this process. Used from several hands threads.
class Fences {
 public:
  explicit Fences(std::string store, Whereabouts here = {})
      : store_(std::move(store)), here_(std::move(here)) {}

  // The claim on this target; made now if this process has none. Refused with fenced_code where
  // another daemon holds it that may still live, unless a person let us take it from that one:
  // `taken_from` is the id of its claim. Two names of one database share a claim: a daemon does
  // not overtake itself.
  SqlResult<FenceClaim> claim(Session& session, std::string const& target,
                              planner::TargetIdentity const& found, std::string const& taken_from);
  // Another daemon that holds the target and may still live.
  SqlResult<std::optional<planner::ClaimHolder>> holder(Session& session,
                                                        std::string const& target);
  // Somebody else has claimed it: the next claim is made anew.
  void forget(std::string const& target);
  // The claim as far as there is one.
  FenceClaim known(std::string const& target);
  std::string const& store() const { return store_; }

 private:
  std::string store_;
  Whereabouts here_;
  std::mutex mutex_;
  std::map<std::string, std::string> databases_;  // by target
  std::map<std::string, FenceClaim> known_;       // by database
};

// The target's list of runs at work: refused where another store has some that have not ended.
SqlResult<void> open_run(Session& session, AttemptTag const& tag, std::string const& plan);
// Changes nothing where somebody else has claimed the fence since: the run is theirs now.
SqlResult<void> close_run(Session& session, std::string const& store, std::string const& run,
                          FenceClaim const& claim);

}  // namespace runbookd::daemon
