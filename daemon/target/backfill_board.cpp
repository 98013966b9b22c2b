#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/target/backfill_worker.h"
#include "daemon/target/rest.h"

namespace runbookd::daemon {
namespace {

using planner::Duration;

Duration since(FillBoard::Clock::time_point moment) {
  return std::chrono::duration_cast<Duration>(FillBoard::Clock::now() - moment);
}

// Which of two workers' ends says more about the attempt.
int gravity(planner::AttemptEnd end) {
  switch (end) {
    case planner::AttemptEnd::fenced:
      return 5;
    case planner::AttemptEnd::lost:
      return 4;
    case planner::AttemptEnd::failed:
      return 3;
    case planner::AttemptEnd::busy:
      return 2;
    case planner::AttemptEnd::interrupted:
      return 1;
    case planner::AttemptEnd::done:
      return 0;
  }
  __builtin_unreachable();
}

template <typename T>
typename std::vector<T>::reference grown(std::vector<T>& list, int place) {
  if (std::ssize(list) <= place) {
    list.resize(static_cast<std::size_t>(place) + 1);
  }
  return list[static_cast<std::size_t>(place)];
}

}  // namespace

void FillBoard::begin_pass(Series series, std::vector<FillRelation> relations) {
  std::lock_guard const lock(mutex_);
  series_ = std::move(series);
  relations_ = std::move(relations);
  taken_.assign(series_.shards.size(), false);
  if (!std::exchange(first_pass_begun_, true)) {
    auto const filled = series_.filled();
    changed_before_ = filled.changed;
    scanned_before_ = filled.scanned;
    worked_before_ = series_.worked();
  }
}

std::optional<Shard> FillBoard::take() {
  std::lock_guard const lock(mutex_);
  for (std::size_t i = 0; i < series_.shards.size(); ++i) {
    auto const& shard = series_.shards[i];
    if (shard.pass == series_.pass() && !shard.done && !taken_[i]) {
      taken_[i] = true;
      return shard;
    }
  }
  return std::nullopt;
}

FillRelation FillBoard::relation_of(Shard const& shard) const {
  auto const relation = std::ranges::find(relations_, shard.relation, &FillRelation::name);
  return shard.columns.front() == by_blocks ? relation->walked_by_blocks() : *relation;
}

FillBoard::Turn FillBoard::wait_for_turn(planner::LastBatch last, Clock::time_point ended,
                                         Shard const& shard) {
  constexpr Duration asked_again_after{250}, vacuum_looked_at_every{20},
      target_looked_at_every{3'000};
  auto const relation = relation_of(shard);
  auto const came = Clock::now();
  auto hold = 1.0;
  while (!is_halted()) {
    last.rested = since(ended);
    auto wait = planner::pause_left(action_.batch, last);
    if (help_.pace) {
      std::lock_guard const lock(mutex_);
      auto const told = help_.pace(last);
      // the first worker has nobody to leave its shard to
      if (last.worker > 0 && last.worker >= told.workers) {
        return {.what = Turn::What::idle};
      }
      hold = told.hold;
      wait = std::max({wait, told.wait, told.workers > 0 ? Duration{} : asked_again_after});
    }
    if (wait <= Duration{} && vacuum_.is_behind(relation)) {
      wait = vacuum_looked_at_every;
    }
    if (wait <= Duration{}) {
      std::lock_guard const lock(mutex_);
      grown(at_work_, last.worker) = true;
      return {.what = Turn::What::batch, .target = held_for(hold)};
    }
    rest(std::min(wait, asked_again_after), halted());
    if (last.worker == 0 && since(came) >= target_looked_at_every) {
      return {.what = Turn::What::look};
    }
  }
  return {.what = Turn::What::over};
}

Duration FillBoard::held_for(double share) const {
  auto const whole = static_cast<double>(action_.batch.target.count());
  return Duration{std::max<std::int64_t>(1, std::llround(whole * share))};
}

void FillBoard::lay_down(Shard const& shard) {
  std::lock_guard const lock(mutex_);
  taken_[place_of(shard)] = false;
}

Duration FillBoard::at_work() const { return worked_before_ + since(began_); }

Duration FillBoard::unwritten_work() {
  std::lock_guard const lock(mutex_);
  return since(std::exchange(written_, Clock::now()));
}

std::size_t FillBoard::place_of(Shard const& shard) const {
  auto const known = std::ranges::find_if(series_.shards, [&](Shard const& one) {
    return one.pass == shard.pass && one.number == shard.number;
  });
  return static_cast<std::size_t>(known - series_.shards.begin());
}

void FillBoard::committed(Shard const& shard, planner::LastBatch const& last) {
  std::lock_guard const lock(mutex_);
  auto const changed_until_now = series_.filled().changed;
  series_.shards[place_of(shard)] = shard;
  vacuum_.note(relation_of(shard), series_.filled().changed - changed_until_now);
  rates_.add(at_work(), series_.filled().scanned);
  rows_ = last.rows;
  report(last);
}

void FillBoard::corrected(Shard const& shard) {
  std::lock_guard const lock(mutex_);
  series_.shards[place_of(shard)] = shard;
}

void FillBoard::stalled(int worker, std::optional<Clock::time_point> since_when) {
  std::lock_guard const lock(mutex_);
  bool const was = grown(busy_since_, worker).has_value();
  grown(busy_since_, worker) = since_when;
  if (since_when || was) {
    report({.worker = worker});
  }
}

// The attempt stands still when all of its workers do.
Duration FillBoard::stalled_for() const {
  Duration least{};
  for (std::size_t i = 0; i < at_work_.size(); ++i) {
    if (!at_work_[i]) {
      continue;
    }
    if (i >= busy_since_.size() || !busy_since_[i]) {
      return {};
    }
    auto const waited = std::max(Duration{1}, since(*busy_since_[i]));
    least = least == Duration{} ? waited : std::min(least, waited);
  }
  return least;
}

void FillBoard::left(int worker) {
  std::lock_guard const lock(mutex_);
  grown(at_work_, worker) = false;
}

std::int64_t FillBoard::first_rows() const {
  std::lock_guard const lock(mutex_);
  return std::min(rows_, std::max<std::int64_t>(1, action_.batch.max_rows));
}

planner::Filled FillBoard::filled() const {
  std::lock_guard const lock(mutex_);
  return series_.filled();
}

void FillBoard::ended(AttemptResult result) {
  {
    std::lock_guard const lock(mutex_);
    if (!end_ || gravity(result.end) > gravity(end_->end)) {
      end_ = std::move(result);
    }
  }
  halt();
}

void FillBoard::halt() {
  halted_.request_stop();
  vacuum_.give_up();
}

void FillBoard::report(planner::LastBatch const& last) {
  constexpr Duration between{200};
  auto const filled = series_.filled();
  bool const walked = std::ranges::all_of(series_.shards, &Shard::done);
  auto const stalled = stalled_for();
  if (!help_.progress || (!walked && stalled == Duration{} && since(reported_) < between)) {
    return;
  }
  reported_ = Clock::now();
  auto const seconds = std::max(0.001, static_cast<double>(at_work().count()) / 1000.0);
  auto const mean = static_cast<double>(filled.scanned) / seconds;
  auto const lately = rates_.now() > 0 ? rates_.now() : mean;
  bool const sweeps = series_.pass() > 1;
  help_.progress({.rows_scanned = filled.scanned,
                  .rows_changed = filled.changed,
                  .rows_total = filled.total,
                  .total_exact = sweeps || walked,
                  .rows_per_second = stalled > Duration{} ? 0 : lately,
                  .mean_rows_per_second = mean,
                  .slow_rows_per_second = rates_.slow(),
                  .fast_rows_per_second = rates_.fast(),
                  .batch_rows = last.rows,
                  .batch_took = last.took,
                  .running = since(began_),
                  .stalled = stalled,
                  .workers = static_cast<int>(std::ranges::count(at_work_, true)),
                  .sweep = series_.pass() - 1,
                  .found = series_.found()});
}

}  // namespace runbookd::daemon
