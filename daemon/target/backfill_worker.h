// One worker of a backfill: batch after batch along one shard, then the next shard that nobody has.
// What the workers of an attempt share. Private to daemon/target.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daemon/target/backfill_series.h"
#include "daemon/target/backfill_sql.h"
#include "daemon/target/backfill_vacuum.h"

namespace runbookd::daemon {

// What is known of the whole attempt. Every function may be called on any worker's thread.
class FillBoard {
 public:
  using Clock = std::chrono::steady_clock;

  FillBoard(planner::BackfillAction const& action, BackfillHelp const& help, BackfillVacuum& vacuum)
      : action_(action), help_(help), vacuum_(vacuum) {}

  // Before the workers of a pass begin. Only the shards of that pass are given out.
  void begin_pass(Series series, std::vector<FillRelation> relations);
  // A shard that is not done and that nobody has, or nothing.
  std::optional<Shard> take();
  FillRelation relation_of(Shard const& shard) const;

  // With how many rows a new worker begins: as many as the last batch had, of whichever worker.
  std::int64_t first_rows() const;
  // Waits until the worker may begin a batch, or has to lay its shard down, or all is over. The
  // first worker is sent to look from time to time whether the target is still ours.
  struct Turn {
    enum class What { batch, look, idle, over } what = What::over;
    planner::Duration target{};  // of the batch
  };
  Turn wait_for_turn(planner::LastBatch last, Clock::time_point ended, Shard const& shard);
  void lay_down(Shard const& shard);
  // The step's time at work that no batch has written down yet.
  planner::Duration unwritten_work();
  void committed(Shard const& shard, planner::LastBatch const& last);
  // Somebody else has moved the cursor: this is where it is now.
  void corrected(Shard const& shard);
  void stalled(int worker, std::optional<Clock::time_point> since);
  // It has nothing more to do in this pass.
  void left(int worker);
  // A worker has ended so; the others stop behind their batch. The gravest end is kept.
  void ended(AttemptResult result);

  void halt();
  std::stop_token halted() const { return halted_.get_token(); }
  bool is_halted() const { return halted_.stop_requested(); }
  std::optional<AttemptResult> const& end() const { return end_; }
  planner::Filled filled() const;
  // Once the workers have ended.
  Series const& series() const { return series_; }
  std::int64_t changed_here() const { return series_.filled().changed - changed_before_; }
  std::int64_t scanned_before() const { return scanned_before_; }

 private:
  planner::Duration held_for(double share) const;
  planner::Duration at_work() const;
  std::size_t place_of(Shard const& shard) const;
  void report(planner::LastBatch const& last);
  planner::Duration stalled_for() const;

  planner::BackfillAction const& action_;
  BackfillHelp const& help_;
  BackfillVacuum& vacuum_;
  std::stop_source halted_;
  mutable std::mutex mutex_;  // guards all below
  Series series_;
  std::vector<FillRelation> relations_;
  std::vector<bool> taken_;  // by the place in series_.shards
  bool first_pass_begun_ = false;
  std::int64_t changed_before_ = 0, scanned_before_ = 0;
  planner::Duration worked_before_{};
  Clock::time_point began_ = Clock::now(), written_ = Clock::now(), reported_{};
  std::vector<std::optional<Clock::time_point>> busy_since_;  // by worker
  std::vector<bool> at_work_;                                 // by worker
  planner::Rates rates_;
  std::int64_t rows_ = planner::first_batch_rows;
  std::optional<AttemptResult> end_;
};

// Works until nothing is left, or the board is halted.
void run_worker(FillBoard& board, Session& session, AttemptTag const& tag,
                planner::BackfillAction const& action, int since_attempt, int number,
                std::stop_token const& stop);

}  // namespace runbookd::daemon
