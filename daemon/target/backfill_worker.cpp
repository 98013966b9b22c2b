#include "daemon/target/backfill_worker.h"

#include <algorithm>
#include <utility>

#include "daemon/target/fence.h"
#include "daemon/target/rest.h"
#include "daemon/target/sent_crash.h"
#include "daemon/target/transaction.h"
#include "planner/mutant.h"
#include "planner/retry.h"
#include "planner/sweep.h"

namespace runbookd::daemon {
namespace {

using planner::Duration;
using planner::Mutant;
using planner::mutant;
using store::crash_point;
using store::CrashPoint;
using Clock = FillBoard::Clock;

Duration since(Clock::time_point moment) {
  return std::chrono::duration_cast<Duration>(Clock::now() - moment);
}

class FillWorker {
 public:
  FillWorker(FillBoard& board, Session& session, AttemptTag const& tag,
             planner::BackfillAction const& action, int since_attempt, int number,
             std::stop_token stop)
      : board_(board),
        session_(session),
        tag_(tag),
        action_(action),
        number_(number),
        stop_(std::move(stop)),
        sql_(session, tag, action, since_attempt),
        series_(session, tag, action, since_attempt),
        batch_(action.batch),
        rows_(board.first_rows()) {}

  void run() {
    walk();
    board_.left(number_);
  }

 private:
  using What = FillBoard::Turn::What;

  void walk() {
    constexpr Duration asked_again_after{250};
    for (auto shard = board_.take(); shard; shard = board_.take()) {
      shard_ = std::move(*shard);
      relation_ = board_.relation_of(shard_);
      if (mutant(Mutant::backfill_begins_anew)) {
        shard_.cursor = relation_.has_key() ? std::nullopt : std::optional(KeyValues{"0"});
      }
      auto const ended = walk_shard();
      if (ended == What::over) {
        return;
      }
      if (ended == What::idle) {
        board_.lay_down(shard_);
        board_.left(number_);
        rest(asked_again_after, board_.halted());
      }
    }
  }

  What walk_shard() {
    while (!shard_.done) {
      auto const turn = board_.wait_for_turn(last_, ended_, shard_);
      if (turn.what == What::idle || turn.what == What::over) {
        return turn.what;
      }
      if (auto end = turn.what == What::look ? look() : batch(turn.target)) {
        board_.ended(std::move(*end));
        return What::over;
      }
    }
    return What::batch;
  }

  // A daemon that is held back for hours is to hear of it when another one takes the target over.
  std::optional<AttemptResult> look() {
    auto const looked = session_.run(fence_guard_sql(session_, tag_));
    return looked ? std::nullopt : after_failure(looked.error());
  }

  // The first batch has the size of others' last one, which was made for the same target.
  void fit_to(Duration target) {
    rows_ = last_.rows == 0 ? rows_ : planner::refitted_rows(batch_, rows_, target);
    batch_.target = target;
  }

  // One transaction. Nothing = go on.
  std::optional<AttemptResult> batch(Duration target) {
    fit_to(target);
    auto const began = Clock::now();
    auto const scanned = shard_.rows_scanned;
    auto const rows = rows_;
    tried_.clear();
    auto moved = move_cursor();
    if (!moved) {
      roll_back(session_);
      return after_failure(moved.error());
    }
    if (!*moved) {
      return std::nullopt;
    }
    ended_ = Clock::now();
    last_ = {.worker = number_, .rows = rows, .took = since(began)};
    rows_ = planner::next_batch_rows(batch_, rows, last_.took);
    if (shard_.pass == 1) {  // a look through the table counts no rows
      rows_per_block_ = density(shard_.rows_scanned - scanned);
    }
    first_busy_.reset();
    tries_ = 0;
    board_.stalled(number_, std::nullopt);
    board_.committed(shard_, last_);
    crash_point(shard_.done ? CrashPoint::shard_finished : CrashPoint::batch_committed);
    return std::nullopt;
  }

  // False: somebody else had moved it, and nothing was done.
  SqlResult<bool> move_cursor() {
    Limits const limits{.lock = action_.lock.stall_budget,
                        .statement = action_.statement_timeout,
                        .durable = false};
    auto const ahead =
        session_.run(begin_sql(limits) + fence_guard_sql(session_, tag_) + "; " +
                     sql_.lock_and_look_ahead(relation_, shard_, rows_, blocks_ahead()));
    if (!ahead) {
      return tl::unexpected(ahead.error());
    }
    auto const& row = ahead->rows.front();
    if (row[0] == "2") {
      return tl::unexpected(moved_away());
    }
    if (!mutant(Mutant::backfill_begins_anew) && row[0] != "1") {
      // a backend of an earlier attempt was still at work: go on from where it got to
      roll_back(session_);
      return look_again();
    }
    crash_point(CrashPoint::batch_locked);
    return change(values_from(row, 1, relation_.columns.size()));
  }

  SqlResult<bool> change(std::optional<KeyValues> const& bound) {
    BatchWords const words{
        .rows = rows_,
        .last = !bound || *bound == *shard_.upper,
        .asks_again = !relation_.has_key() || !planner::has_subquery(action_.where),
        .worked = board_.unwritten_work()};
    auto const reached = bound.value_or(*shard_.upper);
    tried_ = sql_.look_at(relation_, shard_, reached);
    auto const sql = sql_.change_and_commit(relation_, shard_, reached, words);
    crash_once_sent(CrashPoint::batch_sent, session_, sql);
    auto const counts = session_.run(sql);
    if (!counts) {
      return tl::unexpected(counts.error());
    }
    auto const& row = counts->rows.front();
    blocks_done_ =
        relation_.has_key() ? 0 : number_in(reached.front()) - number_in(shard_.cursor->front());
    shard_.cursor = reached;
    shard_.rows_scanned = number_in(row[0]);
    shard_.rows_changed = number_in(row[1]);
    shard_.rows_again = number_in(row[2]);
    shard_.rows_asked = number_in(row[3]);
    shard_.worked_ms += words.worked.count();
    shard_.done = words.last;
    return true;
  }

  SqlResult<bool> look_again() {
    auto const series = series_.read();
    if (!series) {
      return tl::unexpected(series.error());
    }
    for (auto const& one : (*series)->shards) {
      if (one.pass == shard_.pass && one.number == shard_.number) {
        shard_ = one;
      }
    }
    board_.corrected(shard_);
    return false;
  }

  SqlFailure moved_away() const {
    return {
        .sqlstate = "55000",
        .message = relation_.name +
                   " was written anew (VACUUM FULL, CLUSTER or the like) since this backfill began "
                   "to walk along its blocks, so its cursor means nothing any more; roll the "
                   "step back and run it again"};
  }

  std::int64_t blocks_ahead() const {
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>(static_cast<double>(rows_) / rows_per_block_));
  }
  double density(std::int64_t rows) const {
    auto const seen =
        static_cast<double>(rows) / static_cast<double>(std::max<std::int64_t>(1, blocks_done_));
    return blocks_done_ > 0 && rows > 0 ? std::max(1.0, seen) : rows_per_block_;
  }

  std::optional<AttemptResult> after_failure(SqlFailure const& failure) {
    auto end = ended_by(failure, stop_, action_.statement_timeout);
    bool const timed_out = failure.sqlstate == "57014" && end.end == planner::AttemptEnd::failed;
    if (end.end == planner::AttemptEnd::busy) {
      return wait_for_lock(std::move(end));
    }
    if (timed_out && rows_ > planner::smallest_batch_rows) {
      rows_ = std::max(planner::smallest_batch_rows, rows_ / 10);
      return std::nullopt;
    }
    if (end.end == planner::AttemptEnd::failed && !tried_.empty()) {
      end.failure->message += "; in the batch of: " + tried_;
    }
    return end;
  }

  std::optional<AttemptResult> wait_for_lock(AttemptResult busy) {
    first_busy_ = first_busy_.value_or(Clock::now());
    ++tries_;
    board_.stalled(number_, first_busy_);
    if (since(*first_busy_) >= action_.lock.give_up_after) {
      return busy;
    }
    rows_ = planner::smaller_batch_rows(batch_, rows_);
    // any spread will do here; two backfills on one row should not wake together
    double const jitter = static_cast<double>((session_.pid() * 31 + tries_ * 17) % 100) / 100.0;
    rest(planner::lock_backoff(action_.lock, tries_, jitter), board_.halted());
    return std::nullopt;
  }

  FillBoard& board_;
  Session& session_;
  AttemptTag const& tag_;
  planner::BackfillAction const& action_;
  int const number_;
  std::stop_token const stop_;
  BackfillSql sql_;
  SeriesTable series_;
  Shard shard_;
  FillRelation relation_;
  planner::Batch batch_;  // as the plan says, with the target of the moment
  std::int64_t rows_;
  double rows_per_block_ = 20;  // until some were seen
  std::int64_t blocks_done_ = 0;
  planner::LastBatch last_{.worker = number_};
  Clock::time_point ended_ = Clock::now();
  int tries_ = 0;
  std::optional<Clock::time_point> first_busy_;
  std::string tried_;  // the rows of the batch at hand
};

}  // namespace

void run_worker(FillBoard& board, Session& session, AttemptTag const& tag,
                planner::BackfillAction const& action, int since_attempt, int number,
                std::stop_token const& stop) {
  FillWorker(board, session, tag, action, since_attempt, number, stop).run();
}

}  // namespace runbookd::daemon
