// What slows or stops a backfill, in a line.
#include "planner/throttle_words.h"

#include <cmath>
#include <cstdio>

#include "planner/size.h"
#include "planner/throttle.h"
#include "planner/view_words.h"

namespace runbookd::planner {
namespace {

std::string tenths(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  std::string words = text;
  return words.ends_with(".0") ? words.substr(0, words.size() - 2) : words;
}

// "7.1 s", "8 min", "3 h": as exact as anybody wants to read it.
std::string span_words(double milliseconds) {
  auto const seconds = milliseconds / 1000;
  if (seconds < 9.95) {
    return tenths(seconds) + " s";
  }
  if (seconds < 119.5) {
    return std::to_string(std::llround(seconds)) + " s";
  }
  if (seconds < 119.5 * 60) {
    return std::to_string(std::llround(seconds / 60)) + " min";
  }
  return tenths(seconds / 3600) + " h";
}
std::string span_words(Duration span) { return span_words(static_cast<double>(span.count())); }

std::string value_words(Signal signal, double value) {
  switch (signal) {
    case Signal::replica_lag:
      return span_words(value);
    case Signal::slot_wal:
      return size_words(value);
    case Signal::wal_rate:
      return size_words(value) + "/s";
    case Signal::lock_waiters:
    case Signal::active_sessions:
    case Signal::autovacuum:
      return std::to_string(std::llround(value));
  }
  __builtin_unreachable();
}

std::string subject(Measure const& measure) {
  auto const value = value_words(measure.signal, measure.value);
  auto const where = view::in_a_line(measure.where, 60);
  switch (measure.signal) {
    case Signal::replica_lag:
      return "replica lag " + value + (where.empty() ? "" : " on " + where);
    case Signal::slot_wal:
      return value + " of WAL kept for slot " + where;
    case Signal::wal_rate:
      return value + " of WAL";
    case Signal::lock_waiters:
      return view::count_words(std::llround(measure.value), "session") +
             (std::llround(measure.value) == 1 ? " waits" : " wait") + " for our locks" +
             (where.empty() ? "" : " (" + where + ")");
    case Signal::active_sessions:
      return value + " active sessions";
    case Signal::autovacuum:
      return "an autovacuum works on the table";
  }
  __builtin_unreachable();
}

// How it stands to its limit, and when a stop ends.
std::string measure_words(Measure const& measure, bool stopped) {
  auto text = subject(measure);
  if (measure.signal == Signal::autovacuum) {
    return text;
  }
  auto const limit = value_words(measure.signal, measure.limit);
  if (!stopped) {
    return text + ", limit " + limit;
  }
  if (measure.use() >= 1) {
    return text + (measure.signal == Signal::lock_waiters ? ", limit " : ", above ") + limit;
  }
  return text + ", was at " + limit + " or above; goes on below " +
         value_words(measure.signal, measure.limit * calm_below(measure.signal));
}

std::string percent_words(double share) {
  return std::to_string(std::max<long long>(1, std::llround(share * 100))) + " %";
}

std::string until_words(HandThrottle const& hand, Moment now) {
  return hand.until ? " for " + span_words(std::max(Duration{}, *hand.until - now)) + " more" : "";
}

}  // namespace

std::string limit_words(ThrottlePolicy const& policy) {
  std::string text;
  auto const put = [&](Signal signal, auto const& limit, auto const& spell) {
    if (limit) {
      text += (text.empty() ? "" : ", ") + std::string{to_text(signal)} + " " + spell(*limit);
    }
  };
  put(Signal::replica_lag, policy.replica_lag, [](Duration lag) { return to_text(lag); });
  put(Signal::slot_wal, policy.slot_wal, size_text);
  put(Signal::wal_rate, policy.wal_rate, size_text);
  put(Signal::lock_waiters, policy.lock_waiters,
      [](std::int64_t count) { return std::to_string(count); });
  put(Signal::active_sessions, policy.active_sessions,
      [](SessionLimit limit) { return std::to_string(limit.count) + (limit.percent ? "%" : ""); });
  auto const vacuum =
      policy.autovacuum == YieldToVacuum::none ? std::nullopt : std::optional{policy.autovacuum};
  put(Signal::autovacuum, vacuum,
      [](YieldToVacuum yield) { return yield == YieldToVacuum::any ? "any" : "wraparound"; });
  return text.empty() ? "nothing" : text;
}

std::string hand_words(HandThrottle const& hand, Moment now) {
  auto const what = hand.exempt         ? std::string("no signal slows it")
                    : hand.percent == 0 ? std::string("stopped")
                                        : "slowed to " + percent_words(hand.percent / 100.0);
  auto const who = hand.actor.empty() ? "" : " by " + view::in_a_line(hand.actor, 60);
  auto const why = hand.reason.empty() ? "" : ": " + view::in_a_line(hand.reason);
  return what + who + until_words(hand, now) + why;
}

std::string throttle_words(Throttling const& throttling, Moment now) {
  auto const& speed = throttling.speed;
  auto const since = "stopped for " + span_words(std::max(Duration{}, now - speed.since));
  switch (speed.cause) {
    case Speed::Cause::none:
      return "";
    case Speed::Cause::hand:
      return throttling.hand ? hand_words(*throttling.hand, now) : "";
    case Speed::Cause::stale:
      return since + ": the target could not be looked at for " +
             span_words(now - speed.since + stale_after) + ", so nobody knows what it can bear" +
             (throttling.blind_because.empty() ? ""
                                               : ": " + view::in_a_line(throttling.blind_because));
    case Speed::Cause::signal:
      break;
  }
  auto const why = speed.measure ? ": " + measure_words(*speed.measure, speed.stopped()) : "";
  return (speed.stopped() ? since : "slowed to " + percent_words(speed.share)) + why;
}

std::string unseen_words(std::vector<Signal> const& unseen) {
  if (unseen.empty()) {
    return "";
  }
  std::string names;
  for (auto const signal : unseen) {
    names += (names.empty() ? "" : ", ") + std::string{to_text(signal)};
  }
  return "not seen, and so not heeded: " + names + " (GRANT pg_monitor to our role shows them)";
}

}  // namespace runbookd::planner
