// How fast a backfill may go: from what is seen of the target once a second, the plan's limits and
// a person's word. Pure: the time comes with every question.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/throttle_policy.h"
#include "planner/time.h"

namespace runbookd::planner {

enum class Signal { replica_lag, slot_wal, wal_rate, lock_waiters, active_sessions, autovacuum };
std::string_view to_text(Signal signal);  // as in the plan: "replica_lag"

// One look at the target. Nothing: it could not be seen.
struct Sample {
  struct Standby {
    std::string name;
    std::optional<Duration> lag;               // as the server says; nothing: it cannot say
    std::optional<std::int64_t> bytes_behind;  // of replay; nothing: we may not see it
  };
  struct Slot {
    std::string name;
    std::int64_t bytes_kept = 0;
  };
  Moment at{};
  std::vector<Standby> standbys;
  std::vector<Slot> slots;
  std::optional<std::int64_t> wal_position;  // bytes
  std::optional<std::int64_t> lock_waiters;
  std::string first_waiter;  // "pid 17 (psql)"
  std::optional<std::int64_t> active_sessions;
  std::optional<std::int64_t> lately_active;  // of others, now or within the last moments
  std::int64_t max_connections = 0;
  std::optional<bool> vacuum;             // an autovacuum works on the table
  std::optional<bool> wraparound_vacuum;  // such a one
};

// A signal's value beside its limit: milliseconds, bytes, bytes a second, or a count.
struct Measure {
  Signal signal = Signal::replica_lag;
  double value = 0, limit = 0;
  std::string where;  // a standby, a slot, a session
  double use() const { return value / limit; }
  bool operator==(Measure const&) const = default;
};
// Under this share of its limit a signal that stopped a backfill lets it go on. Half, but for what
// is a level that others set and not a queue of our making.
double calm_below(Signal signal);

struct WalAt {
  Moment at{};
  std::int64_t position = 0;
};

inline constexpr double held_for_others = 0.125, least_held = 1.0 / 32;

// The fold of samples.
struct Governor {
  struct Halt {
    Measure measure;  // as last seen
    int calm = 0;     // samples in a row
  };
  ThrottlePolicy policy;
  Moment seen{};                     // the last sample, or the beginning
  std::deque<WalAt> wal;             // where the server was, lately
  double share = 1;                  // of full speed, while nothing stops it
  std::optional<Measure> slowed_by;  // the signal that keeps `share` below 1
  double hold = held_for_others;     // of batch.target: how long one batch may hold its rows
  bool alone = false;                // nobody else was seen at work
  std::vector<Halt> halts;           // every signal that reached its limit and is not calm yet
  Moment halted_since{};
  std::vector<Signal> unseen;  // looked for in the last sample, and not to be had
};
Governor governor(ThrottlePolicy const& policy, Moment now);
Governor observe(Governor governor, Sample const& sample);

// What holds now.
struct Speed {
  enum class Cause { none, hand, signal, stale };
  double share = 1;  // of full speed; 0 = no batch may begin
  Cause cause = Cause::none;
  std::optional<Measure> measure;
  Moment since{};  // of a stop; of a person's word
  bool stopped() const { return share <= 0; }
};
// `hand`: what a person's word is now.
Speed speed(Governor const& governor, std::optional<HandThrottle> const& hand, Moment now);

// What a backfill does for the others on a target that bears it: whoever needs a row of a batch
// waits for its end, so batches are short and leave room between them. Where nobody else is at work
// there is nobody to give way to; who cannot be seen is taken to be there.
struct Courtesy {
  double hold = 1;  // of batch.target
  double rest = 0;  // of the time that the batch took, after it
  bool operator==(Courtesy const&) const = default;
};
Courtesy courtesy(Governor const& governor, std::optional<HandThrottle> const& hand);

// How long to rest after work that took so long, so that the work is that share of the time.
Duration rest_after(Duration work, double share);

inline constexpr Duration stale_after{15'000};
inline constexpr double least_share = 0.05;

// What people are shown of it.
struct Throttling {
  Speed speed;
  std::optional<HandThrottle> hand;
  std::vector<Signal> unseen;
  std::string blind_because;  // why the last look showed nothing
  Duration running{};         // since the attempt began
  Duration throttled{};       // of that: slowed or stopped
};
// "stopped for 12 s: replica lag 7.1 s, above 5 s on standby-b"; empty where nothing slows it.
std::string throttle_words(Throttling const& throttling, Moment now);
// A person's word: "slowed to 30 % by ben for 8 more min: p99 is up"
std::string hand_words(HandThrottle const& hand, Moment now);
// What is not seen and what would let it be seen; empty: everything is seen.
std::string unseen_words(std::vector<Signal> const& unseen);

}  // namespace runbookd::planner
