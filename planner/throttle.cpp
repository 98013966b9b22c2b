#include "planner/throttle.h"

#include <algorithm>
#include <cmath>

namespace runbookd::planner {
namespace {

double worth(std::int64_t number) { return static_cast<double>(number); }

// Signals as measures; those that were looked for in vain are named beside them.
struct Seen {
  std::vector<Measure> measures;
  std::vector<Signal> unseen;

  void add(Signal signal, double value, double limit, std::string where = "") {
    measures.push_back(
        {.signal = signal, .value = value, .limit = limit, .where = std::move(where)});
  }
};

// The server's own figure stands still while nothing reaches the standby. So it is also looked up
// when our server was where the standby is now: that long ago at least. Little says nothing: a
// subscriber that nothing concerns tells only now and then how far it is.
Duration at_least_behind(std::deque<WalAt> const& wal, Sample const& sample, std::int64_t bytes) {
  constexpr std::int64_t little = 16LL << 20;
  if (!sample.wal_position || bytes < little) {
    return {};
  }
  auto const reached = *sample.wal_position - bytes;
  auto const past =
      std::ranges::find_if(wal, [&](WalAt const& one) { return one.position > reached; });
  return past == wal.end() ? Duration{} : sample.at - past->at;
}

void see_standbys(Seen& seen, Governor const& governor, Sample const& sample, Duration limit) {
  std::optional<Measure> worst;
  bool hidden = false;
  for (auto const& standby : sample.standbys) {
    if (!standby.bytes_behind) {
      hidden = true;
      continue;
    }
    auto const told = *standby.bytes_behind == 0 ? Duration{} : standby.lag.value_or(Duration{});
    auto const lag = std::max(told, at_least_behind(governor.wal, sample, *standby.bytes_behind));
    if (!worst || worth(lag.count()) > worst->value) {
      worst = Measure{.signal = Signal::replica_lag,
                      .value = worth(lag.count()),
                      .limit = worth(limit.count()),
                      .where = standby.name};
    }
  }
  if (worst) {
    seen.measures.push_back(*worst);
  }
  if (hidden) {
    seen.unseen.push_back(Signal::replica_lag);
  }
}

void see_slots(Seen& seen, Sample const& sample, std::int64_t limit) {
  auto const worst = std::ranges::max_element(sample.slots, {}, &Sample::Slot::bytes_kept);
  if (worst != sample.slots.end()) {
    seen.add(Signal::slot_wal, worth(worst->bytes_kept), worth(limit), worst->name);
  }
}

// Nothing can be said of the first sample, nor of one that came at once after another.
std::optional<double> wal_rate(std::deque<WalAt> const& wal, Sample const& now) {
  constexpr Duration too_short{200};
  if (wal.empty() || !now.wal_position || now.at - wal.back().at < too_short) {
    return std::nullopt;
  }
  auto const seconds = worth((now.at - wal.back().at).count()) / 1000;
  return std::max(0.0, worth(*now.wal_position - wal.back().position) / seconds);
}

void see_sessions(Seen& seen, Sample const& sample, SessionLimit const& limit) {
  if (!sample.active_sessions) {
    seen.unseen.push_back(Signal::active_sessions);
    return;
  }
  auto const most =
      limit.percent ? worth(limit.count) * worth(sample.max_connections) / 100 : worth(limit.count);
  seen.add(Signal::active_sessions, worth(*sample.active_sessions), std::max(1.0, most));
}

void see_vacuum(Seen& seen, Sample const& sample, YieldToVacuum yield) {
  if (yield == YieldToVacuum::none) {
    return;
  }
  auto const& at_work = yield == YieldToVacuum::any ? sample.vacuum : sample.wraparound_vacuum;
  if (at_work) {
    seen.add(Signal::autovacuum, *at_work ? 1 : 0, 1);
  } else {
    seen.unseen.push_back(Signal::autovacuum);
  }
}

Seen see(Governor const& governor, Sample const& sample) {
  Seen seen;
  auto const& policy = governor.policy;
  if (policy.replica_lag) {
    see_standbys(seen, governor, sample, *policy.replica_lag);
  }
  if (policy.slot_wal) {
    see_slots(seen, sample, *policy.slot_wal);
  }
  if (auto const rate = wal_rate(governor.wal, sample); policy.wal_rate && rate) {
    seen.add(Signal::wal_rate, *rate, worth(*policy.wal_rate));
  }
  if (policy.lock_waiters && sample.lock_waiters) {
    seen.add(Signal::lock_waiters, worth(*sample.lock_waiters), worth(*policy.lock_waiters),
             sample.first_waiter);
  }
  if (policy.active_sessions) {
    see_sessions(seen, sample, *policy.active_sessions);
  }
  see_vacuum(seen, sample, policy.autovacuum);
  return seen;
}

// Faster while there is room, slower as the limit comes near, half as fast after a stop. Near the
// limit nobody is slowed further than the room that is left says: load that is not of our making
// would otherwise bring a backfill to a crawl.
double next_share(double share, double use) {
  constexpr double roomy = 0.4, near = 0.7;
  if (use < roomy) {
    return std::min(1.0, share * 1.5);
  }
  if (use < near) {
    return std::min(1.0, share * 1.1);
  }
  if (use < 1) {
    auto const room = (1 - use) / (1 - near);
    return std::max({least_share, share / 1.5, std::min(share, room)});
  }
  return std::max(least_share, share / 2);
}

// Half as long where somebody waits for a lock of ours; for others that merely work it grows again,
// slowly, to what is theirs.
double next_hold(double hold, bool waited_for, bool alone) {
  if (waited_for) {
    return std::max(least_held, hold / 2);
  }
  return alone ? std::min(1.0, hold * 2) : std::min(held_for_others, hold * 1.1);
}

constexpr int calm_samples = 2;

// A signal that cannot be seen any more has nothing to hold against anybody.
void calm_down(std::vector<Governor::Halt>& halts, std::vector<Measure> const& measures) {
  for (auto& halt : halts) {
    auto const now = std::ranges::find(measures, halt.measure.signal, &Measure::signal);
    if (now == measures.end()) {
      halt.measure.value = 0;
    } else {
      halt.measure = *now;
    }
    bool const calm = halt.measure.use() < calm_below(halt.measure.signal);
    halt.calm = calm ? halt.calm + 1 : 0;
  }
  std::erase_if(halts, [](auto const& halt) { return halt.calm >= calm_samples; });
}

bool halted_by(Governor const& governor, Signal signal) {
  return std::ranges::any_of(governor.halts,
                             [=](auto const& halt) { return halt.measure.signal == signal; });
}

void remember_wal(std::deque<WalAt>& wal, Sample const& sample) {
  constexpr std::size_t most = 900;  // a quarter of an hour
  if (sample.wal_position) {
    wal.push_back({sample.at, *sample.wal_position});
  }
  if (wal.size() > most) {
    wal.pop_front();
  }
}

bool waited_for(Seen const& seen) {
  return std::ranges::any_of(seen.measures, [](Measure const& measure) {
    return measure.signal == Signal::lock_waiters && measure.value > 0;
  });
}

bool looks_at_anything(ThrottlePolicy const& policy) { return policy != unthrottled; }

Speed by_signals(Governor const& governor, Moment now) {
  if (looks_at_anything(governor.policy) && now - governor.seen >= stale_after) {
    return {.share = 0,
            .cause = Speed::Cause::stale,
            .measure = std::nullopt,
            .since = governor.seen + stale_after};
  }
  if (!governor.halts.empty()) {
    auto const worst = std::ranges::max_element(
        governor.halts, {}, [](auto const& halt) { return halt.measure.use(); });
    return {.share = 0,
            .cause = Speed::Cause::signal,
            .measure = worst->measure,
            .since = governor.halted_since};
  }
  bool const slowed = governor.share < 1;
  return {.share = governor.share,
          .cause = slowed ? Speed::Cause::signal : Speed::Cause::none,
          .measure = slowed ? governor.slowed_by : std::nullopt,
          .since = governor.seen};
}

}  // namespace

std::string_view to_text(Signal signal) {
  switch (signal) {
    case Signal::replica_lag:
      return "replica_lag";
    case Signal::slot_wal:
      return "slot_wal";
    case Signal::wal_rate:
      return "wal_rate";
    case Signal::lock_waiters:
      return "lock_waiters";
    case Signal::active_sessions:
      return "active_sessions";
    case Signal::autovacuum:
      return "autovacuum";
  }
  __builtin_unreachable();
}

double calm_below(Signal signal) { return signal == Signal::active_sessions ? 0.8 : 0.5; }

Governor governor(ThrottlePolicy const& policy, Moment now) {
  Governor made;
  made.policy = policy;
  made.seen = now;
  return made;
}

Governor observe(Governor governor, Sample const& sample) {
  auto seen = see(governor, sample);
  bool const stood = !governor.halts.empty();
  calm_down(governor.halts, seen.measures);
  Measure const* highest = nullptr;
  for (auto const& measure : seen.measures) {
    highest = highest == nullptr || measure.use() > highest->use() ? &measure : highest;
    if (measure.use() >= 1 && !halted_by(governor, measure.signal)) {
      governor.halts.push_back({.measure = measure});
    }
  }
  bool const stands = !governor.halts.empty();
  auto const use = highest == nullptr ? 0 : highest->use();
  if (stands && !stood) {
    governor.halted_since = sample.at;
  }
  // a stop is answered once; while it lasts nothing is learnt about the speed that would do
  if (!stood || !stands) {
    auto const next = next_share(governor.share, use);
    governor.slowed_by =
        next < governor.share && highest != nullptr ? std::optional{*highest} : governor.slowed_by;
    governor.share = next;
  }
  governor.slowed_by = governor.share < 1 ? governor.slowed_by : std::nullopt;
  governor.alone = sample.lately_active == 0;
  governor.hold = next_hold(governor.hold, waited_for(seen), governor.alone);
  governor.unseen = std::move(seen.unseen);
  governor.seen = sample.at;
  remember_wal(governor.wal, sample);
  return governor;
}

Speed speed(Governor const& governor, std::optional<HandThrottle> const& hand, Moment now) {
  bool const told = hand.has_value();
  auto const by_hand = [&](double share) {
    return Speed{
        .share = share, .cause = Speed::Cause::hand, .measure = std::nullopt, .since = hand->since};
  };
  if (told && hand->exempt) {
    return by_hand(1);
  }
  auto const signals = by_signals(governor, now);
  auto const share = told ? static_cast<double>(hand->percent) / 100 : 1.0;
  return told && share <= signals.share ? by_hand(share) : signals;
}

Courtesy courtesy(Governor const& governor, std::optional<HandThrottle> const& hand) {
  constexpr double a_tenth = 0.1;
  bool const exempt = hand && hand->exempt;
  if (exempt || !looks_at_anything(governor.policy)) {
    return {};
  }
  return {.hold = governor.hold, .rest = governor.alone ? 0 : a_tenth};
}

Duration rest_after(Duration work, double share) {
  if (share >= 1) {
    return {};
  }
  auto const rest = static_cast<double>(work.count()) * (1 / std::max(share, least_share / 5) - 1);
  return Duration{std::llround(rest)};
}

}  // namespace runbookd::planner
