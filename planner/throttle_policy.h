// What a plan (`throttle:`) and a person (the verb) say about how far a backfill gives way.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "planner/time.h"

namespace runbookd::planner {

struct SessionLimit {
  std::int64_t count = 80;
  bool percent = true;  // of max_connections
  bool operator==(SessionLimit const&) const = default;
};
// The autovacuum of the table that is filled: which one is waited for.
enum class YieldToVacuum { wraparound, any, none };

// At which value of each signal a backfill stops; nothing: that signal is not looked at.
struct ThrottlePolicy {
  std::optional<Duration> replica_lag = Duration{5'000};  // of the standby that is most behind
  std::optional<std::int64_t> slot_wal = 5LL << 30;       // kept for the slot that is most behind
  std::optional<std::int64_t> wal_rate = std::nullopt;    // bytes a second, of the whole server
  std::optional<std::int64_t> lock_waiters = 1;           // sessions that wait for locks of ours
  std::optional<SessionLimit> active_sessions = SessionLimit{};  // of others
  YieldToVacuum autovacuum = YieldToVacuum::wraparound;
  bool operator==(ThrottlePolicy const&) const = default;
};
constexpr ThrottlePolicy unthrottled{.replica_lag = std::nullopt,
                                     .slot_wal = std::nullopt,
                                     .wal_rate = std::nullopt,
                                     .lock_waiters = std::nullopt,
                                     .active_sessions = std::nullopt,
                                     .autovacuum = YieldToVacuum::none};

// A person's word about the backfill at hand.
struct HandThrottle {
  int percent = 100;    // of full speed, at most; 0 = stand still
  bool exempt = false;  // signals are not heeded
  Moment since{};
  std::optional<Moment> until;
  std::string actor, reason;
  auto operator<=>(HandThrottle const&) const = default;
};
// All that holds of them: one for a time goes before the one that stands, which holds again after
// it. Both end when they are lifted and with that backfill.
struct HandThrottles {
  std::optional<HandThrottle> standing, timed;
  auto operator<=>(HandThrottles const&) const = default;

  void say(HandThrottle word) {
    auto& place = word.until ? timed : standing;
    timed.reset();
    place = std::move(word);
  }
  std::optional<HandThrottle> at(Moment now) const {
    return timed && now < *timed->until ? timed : standing;
  }
};

}  // namespace runbookd::planner
