#include "daemon/target/lock_wait.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/target/locks.h"
#include "daemon/target/rest.h"
#include "daemon/target/transaction.h"

namespace runbookd::daemon {
namespace {

using planner::Blocker;
using planner::Duration;
using planner::Look;
using planner::Move;

constexpr Duration told_every{250};
constexpr Duration worth_telling{50};
// Locks that are free are had at once; the limit is for what the server's clock leaves over.
constexpr Duration after_lock_timeout{50};
constexpr std::size_t most_met = 20;

Duration since(std::chrono::steady_clock::time_point moment) {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - moment);
}

std::string millis(Duration duration) { return std::to_string(duration.count()); }

}  // namespace

LockWait::LockWait(Session& session, planner::LockPolicy const& policy,
                   planner::SqlAction const& action, Waiting const& waiting)
    : session_(session),
      policy_(policy),
      action_(action),
      waiting_(waiting),
      memory_(waiting.memory ? waiting.memory : std::make_shared<LockMemory>(policy)),
      sitting_(planner::sitting(waiting.tries)),
      dice_(1U + static_cast<unsigned>(waiting.jitter * 1e6)) {
  foresee(first_foresight(action));
}

void LockWait::foresee(Foresight foresight) {
  foresight_ = foresight;
  no_set_.reset();
  auto found = LockSet::find(session_, lock_wishes(session_, action_, foresight));
  if (found) {
    set_ = std::move(*found);
  } else {
    no_set_ = found.error();
  }
}

Duration LockWait::now() const { return since(began_); }

double LockWait::chance() { return std::uniform_real_distribution<>(0, 1)(dice_); }

SqlResult<Look> LockWait::look() {
  if (set_.empty()) {
    return Look{.informed = false};
  }
  auto seen = set_.look(session_);
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  seen_ = std::move(*seen);
  climb();
  for (auto const& blocker : blockers_) {
    bool const lasts =
        blocker.depth == 1 && (blocker.transaction_age > policy_.stall_budget || blocker.pid == 0);
    auto const known = std::ranges::find(met_, blocker.pid, &Blocker::pid);
    if (known != met_.end()) {
      met_.erase(known);
    }
    if (lasts && met_.size() < most_met) {
      met_.push_back(blocker);
    }
  }
  return Look{.holders = seen_.holders};
}

// A holder that waits itself is not the one to talk to: at the root is who keeps them all.
void LockWait::climb() {
  if (seen_.waiting.empty()) {
    behind_them_ = {};
  } else if (!climbed_at_ || now() - *climbed_at_ >= told_every) {
    climbed_at_ = now();
    behind_them_ = read_locks(session_, seen_.waiting).value_or(planner::LockGraph{});
  }
  auto graph = seen_.graph;
  std::ranges::copy(behind_them_.edges, std::back_inserter(graph.edges));
  std::ranges::copy(behind_them_.sessions, std::back_inserter(graph.sessions));
  blockers_ = planner::blockers_of(graph, {LockHolders::asker});
}

AttemptResult LockWait::run(std::stop_token const& stop,
                            std::function<AttemptResult()> const& transaction) {
  for (;;) {
    if (auto const ended = until_due(stop)) {
      return *ended;
    }
    auto result = transaction();
    if (result.end != planner::AttemptEnd::busy || !session_.alive()) {
      return told(std::move(result));
    }
    failed(std::move(*result.failure));
  }
}

std::optional<AttemptResult> LockWait::until_due(std::stop_token const& stop) {
  if (no_set_ && no_set_->fate == SqlFailure::Fate::unknown) {
    return ended_by(*no_set_, stop, {});
  }
  for (;;) {
    if (stop.stop_requested() || waiting_.ends.stop_requested()) {
      return interrupted("stopped while waiting for a lock; nothing changed");
    }
    if (tries_ == 0 && !set_.empty()) {  // most locks are free, and this one stands in nobody's way
      move_ = {.kind = Move::Kind::attempt, .time = {}};
      begin_try();
      return std::nullopt;
    }
    auto const looked = look();
    if (!looked && looked.error().fate == SqlFailure::Fate::unknown) {
      return ended_by(looked.error(), stop, {});
    }
    move_ = memory_->patience.next(looked.value_or(Look{.informed = false}), since(memory_->began),
                                   waiting_.waited + now(), chance());
    bool const first = tries_ == 0 && !hindered_;
    if (move_.kind == Move::Kind::attempt) {
      tell(move_.time > Duration{});
      begin_try();
      return std::nullopt;
    }
    hindered_ = hindered_.value_or(now());
    if (move_.kind == Move::Kind::give_up || (!first && now() >= sitting_)) {
      return busy();
    }
    tell(false);
    if (move_.kind == Move::Kind::evict) {
      evict();
    } else {
      rest(std::min(move_.time, sitting_), waiting_.ends);
    }
  }
}

void LockWait::begin_try() {
  try_began_ = now();
  refused_ = false;
  ++tries_;
  ++memory_->tries;
}

// Its own transaction: what matters is that the autovacuum has gone, not that we hold anything.
void LockWait::evict() { (void)session_.run(set_.evict_sql(session_, seen_)); }

// What a plan sets for its transaction stays as it is set: ours comes before it.
std::size_t LockWait::first_statement() const {
  auto const set = std::ranges::find_if(
      action_.statements, [](auto const& statement) { return statement.kind.starts_with("SET"); });
  auto const before = static_cast<std::size_t>(set - action_.statements.begin());
  return set_.first_statement() < before ? set_.first_statement() : 0;
}

SqlResult<void> LockWait::take(Duration statement_timeout, std::stop_token const& stop) {
  if (set_.empty()) {
    return {};
  }
  if (first_statement() > 0) {
    try_began_ = now();
    if (auto const looked = look(); !looked) {
      return tl::unexpected(looked.error());
    }
  }
  auto const whole = move_.time + after_lock_timeout;
  auto const answer = session_.run(
      (move_.time > Duration{} ? "SET LOCAL statement_timeout = " + millis(whole) + "; " : "") +
      set_.take_sql(session_, seen_, move_.time, policy_.stall_budget) +
      "; SET LOCAL statement_timeout = " + millis(statement_timeout) + "; " +
      std::string(LockSet::asked));
  bool const ran_out = !answer && answer.error().sqlstate == "57014" && !stop.stop_requested();
  if (!answer && !ran_out) {
    return tl::unexpected(answer.error());
  }
  refused_ = !LockSet::held(answer);
  if (refused_) {
    return tl::unexpected(SqlFailure{.sqlstate = "55P03", .message = "a lock was not free"});
  }
  if (told_at_) {
    waiting_.tell({});
  }
  return {};
}

void LockWait::failed(SqlFailure failure) {
  hindered_ = hindered_.value_or(try_began_);
  // a lock that was not foreseen is waited for by the statement itself, with the whole budget
  auto const longest = refused_ ? move_.time : std::max(Duration{1}, policy_.stall_budget);
  auto const queued = std::clamp(now() - try_began_, std::min(longest, Duration{1}), longest);
  memory_->queued += queued;
  using Waited = planner::Patience::Waited;
  memory_->patience.failed(since(memory_->began), queued, chance(),
                           refused_ ? Waited::for_a_known_lock : Waited::for_another);
  last_failure_ = std::move(failure);
  if (foresight_ == Foresight::names) {
    foresee(Foresight::catalog);
  }
}

void LockWait::tell(bool queued) {
  if (!waiting_.tell || !hindered_ || now() - *hindered_ < worth_telling) {
    return;
  }
  std::vector<int> pids;
  for (auto const& blocker : blockers_) {
    pids.push_back(blocker.pid);
  }
  bool const due = !told_at_ || now() - *told_at_ >= told_every || pids.empty() != told_of_.empty();
  if (!due) {
    return;
  }
  told_at_ = now();
  told_of_ = std::move(pids);
  waiting_.tell(
      {.queued = queued || set_.empty(), .waited = now() - *hindered_, .blockers = blockers_});
}

AttemptResult LockWait::told(AttemptResult result) const {
  if (hindered_) {
    result.lock_wait = now() - *hindered_;
    result.blockers = blockers_;
    for (auto const& earlier : met_) {
      if (std::ranges::find(result.blockers, earlier.pid, &Blocker::pid) == result.blockers.end()) {
        result.blockers.push_back(earlier);
      }
    }
  }
  return result;
}

AttemptResult LockWait::busy() const {
  if (set_.empty() && last_failure_) {  // the statement's own: a deadlock, or a lock timeout
    return told({.end = planner::AttemptEnd::busy, .failure = last_failure_});
  }
  auto const which = set_.empty()        ? "a lock that the step asks for"
                     : blockers_.empty() ? std::string("the lock")
                                         : "the lock on " + blockers_.front().relation;
  return told(
      {.end = planner::AttemptEnd::busy,
       .failure = SqlFailure{
           .sqlstate = "55P03",
           .message = which + " was not to be had in " + planner::to_text(waiting_.waited + now()) +
                      "; " + std::to_string(memory_->tries) +
                      (memory_->tries == 1 ? " try," : " tries,") + " in the queue for " +
                      planner::to_text(memory_->queued) + " of that"}});
}

}  // namespace runbookd::daemon
