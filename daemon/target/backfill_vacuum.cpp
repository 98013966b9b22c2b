#include "daemon/target/backfill_vacuum.h"

#include <algorithm>
#include <utility>

#include "daemon/target/line.h"
#include "daemon/target/rest.h"

namespace runbookd::daemon {
namespace {

// A twentieth of the table, but not for a handful of rows: the ordinary autovacuum is there for
// those. Each reads again what was filled before (pages keep their dead pointers until the indexes
// are cleaned), so twice as many cost twice as much: a few per cent of a core for half the growth.
constexpr std::int64_t fewest_dead = 10'000;
constexpr std::int64_t share_of_table = 20;

std::int64_t due_at(std::int64_t rows) { return std::max(fewest_dead, rows / share_of_table); }

// An application that works there is not to wait for us: no truncation, which locks everything out,
// and nothing at all where somebody else has the table locked. What the next rows need is the space
// in the table; its indexes are read from end to end for the rest, so that is done once, near the
// end.
std::string vacuum_sql(FillRelation const& relation, int which) {
  bool const indexes_too = which % (share_of_table - 1) == 0;
  return std::string("VACUUM (TRUNCATE false, SKIP_LOCKED") +
         (indexes_too ? ") " : ", INDEX_CLEANUP false) ") + relation.name;
}
std::string analyze_sql(FillRelation const& relation) {
  return "ANALYZE (SKIP_LOCKED) " + relation.name;
}

}  // namespace

BackfillVacuum::~BackfillVacuum() {
  give_up();
  thread_.request_stop();
}

void BackfillVacuum::note(FillRelation const& relation, std::int64_t dead) {
  if (!one_more_ || !relation.may_vacuum || dead == 0) {
    return;
  }
  std::unique_lock lock(mutex_);
  auto known = std::ranges::find(dead_, relation.name, &Dead::relation);
  if (known == dead_.end()) {
    known = dead_.insert(dead_.end(), {.relation = relation.name});
  }
  known->rows += dead;
  bool const ordered = std::ranges::find(orders_, relation.name, &Order::relation) != orders_.end();
  if (known->rows < due_at(relation.rows) || ordered || given_up_) {
    return;
  }
  known->rows = 0;
  auto const which = ++known->vacuums;
  lock.unlock();
  post({relation.name, vacuum_sql(relation, which)});
}

bool BackfillVacuum::is_behind(FillRelation const& relation) {
  std::lock_guard const lock(mutex_);
  auto const known = std::ranges::find(dead_, relation.name, &Dead::relation);
  bool const ordered = std::ranges::find(orders_, relation.name, &Order::relation) != orders_.end();
  return ordered && !given_up_ && known != dead_.end() && known->rows >= due_at(relation.rows);
}

void BackfillVacuum::analyze(std::vector<FillRelation> const& relations) {
  for (auto const& relation : relations) {
    if (one_more_ && relation.may_vacuum) {
      post({relation.name, analyze_sql(relation)});
    }
  }
}

void BackfillVacuum::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return orders_.empty() || given_up_; });
}

void BackfillVacuum::post(Order order) {
  std::lock_guard const lock(mutex_);
  if (given_up_) {
    return;
  }
  orders_.push_back(std::move(order));
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](std::stop_token const& stop) { work(stop); });
  }
  changed_.notify_all();
}

bool BackfillVacuum::prepare() {
  {
    std::lock_guard const lock(mutex_);
    if (session_ || given_up_) {
      return !given_up_ && session_->alive();
    }
  }
  auto opened = one_more_();
  // its name is not an attempt's: nobody waits for what changes nothing
  bool const ready =
      opened && (*opened)->run("SET application_name = " + (*opened)->quote_literal(name_) +
                               "; SET statement_timeout = 0; SET lock_timeout = '1s'");
  std::lock_guard const lock(mutex_);
  given_up_ = given_up_ || !ready;
  if (ready) {
    session_ = std::move(*opened);
  }
  return !given_up_;
}

void BackfillVacuum::work(std::stop_token const& stop) {
  while (!stop.stop_requested()) {
    std::string sql;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !orders_.empty(); })) {
        return;
      }
      sql = orders_.front().sql;
    }
    if (prepare()) {
      (void)session_->run(
          sql);  // a refusal is the role's or the table's matter: autovacuum is left
    }
    std::lock_guard const lock(mutex_);
    orders_.erase(orders_.begin());
    changed_.notify_all();
  }
}

void BackfillVacuum::end_through(Session& other) {
  {
    std::lock_guard const lock(mutex_);
    if (!given_up_ || !thread_.joinable()) {
      return;
    }
  }
  constexpr int tries = 250;
  constexpr planner::Duration between{20};
  for (int i = 0; i < tries; ++i) {
    auto const left = other.run(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE "
        "application_name = $1::text",
        {name_});
    if (!left || left->rows.empty()) {
      return;
    }
    rest(between, {});
  }
}

void BackfillVacuum::give_up() {
  std::lock_guard const lock(mutex_);
  given_up_ = true;
  if (session_ && !orders_.empty()) {
    session_->line()->cut();
  }
  changed_.notify_all();
}

}  // namespace runbookd::daemon
