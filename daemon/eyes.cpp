#include "daemon/eyes.h"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "planner/mutant.h"

namespace runbookd::daemon {

using namespace planner;

namespace {

constexpr auto first_look_after = std::chrono::milliseconds{40};
constexpr auto looks_every = std::chrono::milliseconds{80};
constexpr auto signals_every = std::chrono::seconds{1};
constexpr auto terminate_after = std::chrono::seconds{5};
constexpr auto end_is_heard_within = std::chrono::seconds{2};

}  // namespace

void Signals::pause_looking(Duration duration) {
  std::mutex sleep;
  std::condition_variable_any wake;
  std::unique_lock lock(sleep);
  wake.wait_for(lock, over.get_token(), duration, [] { return false; });
}

void Watch::look_until_over() {
  signals_.pause_looking(first_look_after);
  while (!signals_.over.stop_requested()) {
    signals_.heartbeat.beat();
    look();
    read_gauge();
    signals_.pause_looking(looks_every);
  }
}

// How long a connection may take is said by the settings, and by whoever resolves names.
SqlResult<Session*> Watch::reach() {
  signals_.heartbeat.leave();
  auto session = eyes_.session();
  signals_.heartbeat.beat();
  return session;
}

void Watch::look() {
  auto const watched = signals_.looked_at();
  if (watched.empty()) {
    return;
  }
  auto session = reach();
  if (!session) {
    return;
  }
  Sight all{.pid = watched.front().pid};
  for (auto const& one : watched) {
    auto sight = look_at_locks(**session, one.pid);
    if (!sight) {
      eyes_.discard();
      return;
    }
    cut_if_dead(one, sight->gone);
    cancel_if_asked(**session, one.pid, sight->waiting && !sight->midway);
    onlooker_.saw(sight->behind);
    add(all, one.pid, std::move(*sight));
  }
  note(std::move(all));
  look_around(**session, watched.front().pid);
}

void Watch::read_gauge() {
  auto const now = std::chrono::steady_clock::now();
  bool const due = !gauge_read_ || now - *gauge_read_ >= signals_every;
  if (gauge_.brake == nullptr || !due || signals_.looked_at().empty()) {
    return;
  }
  gauge_read_ = now;
  if (auto session = reach()) {
    see(**session);
  } else {
    gauge_.brake->saw_nothing(session.error().message);
  }
  gauge_.tell(gauge_.brake->throttling());
}

void Watch::see(Session& session) {
  if (auto sample = look_at_signals(session, gauge_.our_names, gauge_.table)) {
    gauge_.brake->saw(std::move(*sample));
  } else {
    gauge_.brake->saw_nothing(sample.error().message);
    if (!session.alive()) {
      eyes_.discard();
    }
  }
}

void Watch::look_around(Session& session, int pid) {
  if (auto seen = onlooker_.look(session, pid)) {
    tell_.around(std::move(*seen));
  }
  std::lock_guard const lock(signals_.mutex);
  signals_.most_behind = onlooker_.most_behind();
}

void Watch::add(Sight& all, int pid, LockSight sight) {
  all.pid = sight.waiting && !all.waiting ? pid : all.pid;
  all.waiting = all.waiting || sight.waiting;
  for (auto& blocker : sight.blockers) {
    if (std::ranges::find(all.blockers, blocker.pid, &Blocker::pid) == all.blockers.end()) {
      all.blockers.push_back(std::move(blocker));
    }
  }
}

void Watch::cut_if_dead(Watched const& one, bool gone) {
  auto const now = std::chrono::steady_clock::now();
  if (!gone || mutant(Mutant::dead_line_waited_for)) {
    gone_since_.erase(one.pid);
    return;
  }
  auto const since = gone_since_.try_emplace(one.pid, now).first->second;
  if (one.line && now - since > end_is_heard_within) {
    one.line->cut();
  }
}

void Watch::note(Sight sight) {
  if (sight.waiting) {
    auto const now = std::chrono::steady_clock::now();
    waiting_since_ = waiting_since_.value_or(now);
    signals_.lock_wait_ms += last_look_
                                 ? std::chrono::duration_cast<Duration>(now - *last_look_).count()
                                 : first_look_after.count();
    last_look_ = now;
    signals_.seen_waiting = true;
    std::lock_guard const lock(signals_.mutex);
    signals_.last_blockers = sight.blockers;
  } else {
    waiting_since_.reset();
    last_look_.reset();
  }
  if (sight.waiting || told_waiting_) {
    sight.waited = waiting_since_ ? std::chrono::duration_cast<Duration>(
                                        std::chrono::steady_clock::now() - *waiting_since_)
                                  : Duration{};
    told_waiting_ = sight.waiting;
    tell_.sight(std::move(sight));
  }
}

void Watch::cancel_if_asked(Session& session, int pid, bool waiting) {
  bool const wanted = signals_.cancel || (signals_.waits_end.stop_requested() && waiting);
  if (!wanted || signals_.over.stop_requested()) {
    return;
  }
  signals_.asked_to_stop.request_stop();  // so that the cancel is known to be ours
  auto const now = std::chrono::steady_clock::now();
  first_cancel_ = first_cancel_.value_or(now);
  if (now - *first_cancel_ > terminate_after) {
    (void)terminate_backend(session, pid);
  } else {
    (void)cancel_backend(session, pid);
  }
}

}  // namespace runbookd::daemon
