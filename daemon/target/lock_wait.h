// How a transaction of ours comes by its strong locks: it looks who is in the way, tells of them,
// and lets a try be made when planner/patience says so. Private to daemon/target.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "daemon/target/lock_set.h"
#include "daemon/target/lock_wishes.h"
#include "daemon/target/procedures.h"

namespace runbookd::daemon {

class LockWait {
 public:
  LockWait(Session& session, planner::LockPolicy const& policy, planner::SqlAction const& action,
           Waiting const& waiting);

  // One transaction after the other until one is not busy (it was then rolled back), or until this
  // has gone on for long enough.
  AttemptResult run(std::stop_token const& stop, std::function<AttemptResult()> const& transaction);
  // The statement before which they are taken: what a transaction does before it needs no lock, and
  // nobody should wait for that.
  std::size_t first_statement() const;
  // In the transaction that has begun: all locks, or a failure.
  SqlResult<void> take(planner::Duration statement_timeout, std::stop_token const& stop);

 private:
  // Blocks until a try is due; otherwise how the attempt ends: busy, interrupted, or the session is
  // lost.
  std::optional<AttemptResult> until_due(std::stop_token const& stop);
  void begin_try();
  void failed(SqlFailure failure);
  // With how long it has waited, and for whom.
  AttemptResult told(AttemptResult result) const;
  using SteadyTime = std::chrono::steady_clock::time_point;

  void foresee(Foresight foresight);
  planner::Duration now() const;
  double chance();
  SqlResult<planner::Look> look();
  void climb();
  void evict();
  void tell(bool queued);
  AttemptResult busy() const;

  Session& session_;
  planner::LockPolicy policy_;
  planner::SqlAction const& action_;
  Waiting const& waiting_;
  std::shared_ptr<LockMemory> memory_;
  planner::Duration sitting_;
  std::minstd_rand dice_;
  SteadyTime began_ = std::chrono::steady_clock::now();
  Foresight foresight_ = Foresight::names;
  std::optional<SqlFailure> no_set_;  // why it is not known who is in the way
  LockSet set_;
  LockHolders seen_;
  std::vector<planner::Blocker> blockers_;  // of the last look
  planner::LockGraph behind_them_;          // for whom the holders wait
  std::optional<planner::Duration> climbed_at_;
  planner::Move move_;
  planner::Duration try_began_{};  // on now()
  int tries_ = 0;
  std::optional<planner::Duration> hindered_;  // since when
  bool refused_ = false;                       // the last try, before its first statement
  std::optional<SqlFailure> last_failure_;
  std::vector<planner::Blocker> met_;  // all that were there for longer than a moment, newest last
  std::optional<planner::Duration> told_at_;
  std::vector<int> told_of_;
};

}  // namespace runbookd::daemon
