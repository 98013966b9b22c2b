#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "daemon/target/backfill_sql.h"
#include "daemon/target/fence.h"
#include "daemon/target/marker.h"
#include "daemon/target/sent_crash.h"
#include "daemon/target/transaction.h"
#include "planner/mutant.h"
#include "planner/retry.h"

namespace runbookd::daemon {
namespace {

using planner::Mutant;
using planner::mutant;
using std::chrono::steady_clock;
using store::crash_point;
using store::CrashPoint;

std::int64_t number(Cell const& cell) {
  std::int64_t value = 0;
  if (cell) {
    std::from_chars(cell->data(), cell->data() + cell->size(), value);
  }
  return value;
}

planner::Duration since(steady_clock::time_point moment) {
  return std::chrono::duration_cast<planner::Duration>(steady_clock::now() - moment);
}

// Ends early when a stop is asked for.
void rest(planner::Duration duration, std::stop_token const& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, duration, [&] { return stop.stop_requested(); });
}

std::optional<KeyValues> values_from(std::vector<Cell> const& row, std::size_t first,
                                     std::size_t count) {
  KeyValues values;
  for (std::size_t i = first; i < first + count; ++i) {
    if (!row[i]) {
      return std::nullopt;
    }
    values.push_back(*row[i]);
  }
  return values;
}

// The planner's estimate needs no scan, knows never-analysed tables by their size, and adds up
// partitions.
std::int64_t estimated_rows(Session& session, std::string const& table) {
  auto const plan = session.run("EXPLAIN SELECT 1 FROM " + table);
  if (!plan || plan->rows.empty()) {
    return 0;
  }
  auto const line = plan->rows.front().front().value_or("");
  auto const at = line.find("rows=");
  return at == std::string::npos ? 0 : number(line.substr(at + 5));
}

planner::Filled filled(BackfillState const& state) {
  return {
      .scanned = state.rows_scanned,
      .changed = state.rows_changed,
      .total = state.done ? state.rows_scanned : std::max(state.rows_expected, state.rows_scanned)};
}

class Backfill {
 public:
  Backfill(Session& session, AttemptTag const& tag, planner::BackfillAction const& action,
           int since_attempt, BackfillKey key)
      : session_(session),
        tag_(tag),
        action_(action),
        key_(std::move(key)),
        sql_(session, tag, action, since_attempt, key_),
        rows_(std::min(planner::first_batch_rows,
                       std::max<std::int64_t>(1, action.batch.max_rows))) {}

  AttemptResult run(BackfillHelp const& help) {
    auto result = walk(help);
    if (begun_) {
      result.filled = filled(state_);
    }
    return result;
  }

 private:
  AttemptResult walk(BackfillHelp const& help) {
    auto const& stop = help.stop;
    if (auto ready = prepare(); !ready) {
      roll_back(session_);
      return ended_by(ready.error(), stop, action_.statement_timeout);
    }
    begun_ = true;
    if (state_.done) {
      return done_before();
    }
    changed_before_ = state_.rows_changed;
    scanned_before_ = state_.rows_scanned;
    while (!state_.done) {
      wait_for_pace(help);
      if (stop.stop_requested()) {
        return stopped();
      }
      if (auto end = batch(stop)) {
        return *end;
      }
      report(help.progress);
    }
    return {.rows = state_.rows_changed - changed_before_, .note = resumed_note()};
  }

  void wait_for_pace(BackfillHelp const& help) {
    constexpr planner::Duration asked_again_after{250};
    while (!help.stop.stop_requested()) {
      planner::LastBatch const last{
          .rows = batch_rows_, .took = took_, .rested = since(batch_ended_)};
      auto const told = help.pace ? help.pace(last) : planner::Pace{};
      auto const wait = std::max(told.wait, planner::pause_left(action_.batch, last));
      if (wait <= planner::Duration{}) {
        return;
      }
      rest(std::min(wait, asked_again_after), help.stop);
    }
  }

  // Finds the series' row or makes it, with the greatest key of this moment as its end.
  SqlResult<void> prepare() {
    auto known = read_state();
    if (!known || *known) {
      return known.map([](bool) {});
    }
    auto const greatest = session_.run(sql_.greatest_key());
    roll_back(session_);
    if (!greatest) {
      return tl::unexpected(greatest.error());
    }
    auto const upper = greatest->rows.empty()
                           ? std::nullopt
                           : values_from(greatest->rows[0], 0, key_.columns.size());
    crash_point(CrashPoint::backfill_end_read);
    if (auto const inserted =
            session_.run(fence_guard_sql(session_, tag_) + "; " +
                         sql_.insert_state(upper, estimated_rows(session_, key_.table)));
        !inserted) {
      return tl::unexpected(inserted.error());
    }
    crash_point(CrashPoint::backfill_state_written);
    return read_state().map([](bool) {});
  }

  SqlResult<bool> read_state() {
    auto const rows = session_.run(sql_.read_state());
    if (!rows) {
      return tl::unexpected(rows.error());
    }
    if (rows->rows.empty()) {
      return false;
    }
    auto const& row = rows->rows.front();
    if (row[3] != "t") {
      return tl::unexpected(SqlFailure{
          .sqlstate = "55000",
          .message = "the key of " + key_.table +
                     " has changed since this backfill began, so its cursor means nothing "
                     "any more; roll the step back and run it again"});
    }
    auto const columns = key_.columns.size();
    state_ = {.cursor = values_from(row, 5, columns),
              .upper = values_from(row, 5 + columns, columns),
              .rows_expected = number(row[4]),
              .rows_scanned = number(row[0]),
              .rows_changed = number(row[1]),
              .done = row[2] == "t"};
    if (mutant(Mutant::backfill_begins_anew)) {
      state_.cursor.reset();
    }
    return true;
  }

  // The last batch was committed under an earlier attempt's name, or there was nothing to do.
  AttemptResult done_before() {
    crash_point(CrashPoint::backfill_already_done);
    auto const marked =
        session_.run(fence_guard_sql(session_, tag_) + "; " + marker_guard_sql(session_, tag_) +
                     "; " + insert_marker_sql(session_, tag_));
    if (!marked) {
      return ended_by(marked.error(), {}, {});
    }
    return {
        .rows = 0,
        .note = state_.upper ? "an earlier attempt had finished already" : "the table is empty"};
  }

  AttemptResult stopped() const {
    auto result = interrupted("stopped after " + std::to_string(state_.rows_scanned) +
                              " rows of the key range; the next attempt goes on from there");
    result.rows = state_.rows_changed - changed_before_;
    return result;
  }

  std::string resumed_note() const {
    return scanned_before_ == 0 ? "" : "resumed after " + std::to_string(scanned_before_) + " rows";
  }

  // One transaction. Nothing = go on.
  std::optional<AttemptResult> batch(std::stop_token const& stop) {
    auto const began = steady_clock::now();
    auto const scanned = state_.rows_scanned;
    auto moved = move_cursor();
    if (!moved) {
      roll_back(session_);
      return after_failure(moved.error(), stop);
    }
    first_busy_.reset();
    tries_ = 0;
    took_ = since(began);
    auto const now =
        static_cast<double>(state_.rows_scanned - scanned) /
        std::max(0.001, static_cast<double>((took_ + action_.batch.pause).count()) / 1000.0);
    rate_ = rate_ == 0 ? now : rate_ * 0.8 + now * 0.2;
    batch_ended_ = steady_clock::now();
    batch_rows_ = rows_;
    rows_ = planner::next_batch_rows(action_.batch, rows_, took_);
    return std::nullopt;
  }

  SqlResult<void> move_cursor() {
    Limits const limits{.lock = action_.lock.stall_budget, .statement = action_.statement_timeout};
    auto const ahead = session_.run(begin_sql(limits) + fence_guard_sql(session_, tag_) + "; " +
                                    sql_.lock_and_look_ahead(state_, rows_));
    if (!ahead) {
      return tl::unexpected(ahead.error());
    }
    auto const& row = ahead->rows.front();
    if (!mutant(Mutant::backfill_begins_anew) &&
        row[0] !=
            "1") {  // a backend of an earlier attempt was still at work: go on from where it got to
      roll_back(session_);
      return read_state().map([](bool) {});
    }
    crash_point(CrashPoint::batch_locked);
    auto const bound = values_from(row, 1, key_.columns.size());
    bool const last = !bound || *bound == *state_.upper;
    auto const reached = bound.value_or(*state_.upper);
    auto const change = sql_.change_and_commit(state_, reached, rows_, last);
    crash_once_sent(CrashPoint::batch_sent, session_, change);
    auto const counts = session_.run(change);
    if (!counts) {
      return tl::unexpected(counts.error());
    }
    state_ = {.cursor = reached,
              .upper = state_.upper,
              .rows_expected = state_.rows_expected,
              .rows_scanned = number(counts->rows.front()[0]),
              .rows_changed = number(counts->rows.front()[1]),
              .done = last};
    crash_point(last ? CrashPoint::backfill_finished : CrashPoint::batch_committed);
    return {};
  }

  std::optional<AttemptResult> after_failure(SqlFailure const& failure,
                                             std::stop_token const& stop) {
    auto end = ended_by(failure, stop, action_.statement_timeout);
    bool const timed_out = failure.sqlstate == "57014" && end.end == planner::AttemptEnd::failed;
    if (end.end == planner::AttemptEnd::busy) {
      return wait_for_lock(std::move(end), stop);
    }
    if (timed_out && rows_ > planner::smallest_batch_rows) {
      rows_ = std::max(planner::smallest_batch_rows, rows_ / 10);
      return std::nullopt;
    }
    end.rows = state_.rows_changed - changed_before_;
    if (end.end == planner::AttemptEnd::interrupted) {
      end.note = stopped().note;
    } else {
      end.note =
          "in the batch after " + std::to_string(state_.rows_scanned) + " rows of the key range";
    }
    return end;
  }

  std::optional<AttemptResult> wait_for_lock(AttemptResult busy, std::stop_token const& stop) {
    first_busy_ = first_busy_.value_or(steady_clock::now());
    ++tries_;
    if (since(*first_busy_) >= action_.lock.give_up_after) {
      busy.rows = state_.rows_changed - changed_before_;
      return busy;
    }
    rows_ = planner::smaller_batch_rows(action_.batch, rows_);
    // any spread will do here; two backfills on one row should not wake together
    double const jitter = static_cast<double>((session_.pid() * 31 + tries_ * 17) % 100) / 100.0;
    rest(planner::lock_backoff(action_.lock, tries_, jitter), stop);
    return std::nullopt;
  }

  void report(std::function<void(planner::Progress const&)> const& progress) {
    constexpr planner::Duration between{200};
    if (!progress || (!state_.done && since(reported_) < between)) {
      return;
    }
    reported_ = steady_clock::now();
    auto const running = since(began_);
    auto const stalled = first_busy_ ? since(*first_busy_) : planner::Duration{};
    auto const seconds = std::max(0.001, static_cast<double>(running.count()) / 1000.0);
    progress({.rows_scanned = state_.rows_scanned,
              .rows_changed = state_.rows_changed,
              .rows_total = filled(state_).total,
              .total_exact = state_.done,
              .rows_per_second = first_busy_ ? 0 : rate_,
              .mean_rows_per_second =
                  static_cast<double>(state_.rows_scanned - scanned_before_) / seconds,
              .batch_rows = batch_rows_,
              .batch_took = took_,
              .running = running,
              .stalled = stalled});
  }

  Session& session_;
  AttemptTag const& tag_;
  planner::BackfillAction const& action_;
  BackfillKey key_;
  BackfillSql sql_;
  BackfillState state_;
  bool begun_ = false;  // state_ is what the target says
  std::int64_t rows_;
  std::int64_t batch_rows_ = 0;
  std::int64_t changed_before_ = 0;
  std::int64_t scanned_before_ = 0;
  double rate_ = 0;
  planner::Duration took_{};
  int tries_ = 0;
  std::optional<steady_clock::time_point> first_busy_;
  steady_clock::time_point began_ = steady_clock::now();
  steady_clock::time_point batch_ended_{};
  steady_clock::time_point reported_{};
};

}  // namespace

AttemptResult run_backfill(Session& session, AttemptTag const& tag,
                           planner::BackfillAction const& action, int since_attempt,
                           BackfillHelp const& help) {
  if (help.stop.stop_requested()) {
    return interrupted("stopped before anything was sent");
  }
  auto key = find_key(session, action.table);
  if (!key) {
    return ended_by(key.error(), help.stop, {});
  }
  crash_point(CrashPoint::backfill_key_found);
  return Backfill(session, tag, action, since_attempt, std::move(*key)).run(help);
}

SqlResult<std::optional<planner::Filled>> read_filled(Session& session, AttemptTag const& tag,
                                                      int since_attempt) {
  auto const rows = session.run(
      "SELECT rows_scanned, rows_changed, rows_expected, done FROM runbookd.backfill WHERE " +
      step_condition(session, tag) + " AND since_attempt = " + std::to_string(since_attempt));
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  if (rows->rows.empty()) {
    return std::nullopt;
  }
  auto const& row = rows->rows.front();
  return filled({.rows_expected = number(row[2]),
                 .rows_scanned = number(row[0]),
                 .rows_changed = number(row[1]),
                 .done = row[3] == "t"});
}

}  // namespace runbookd::daemon
