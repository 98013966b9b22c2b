// `throttle:` of a backfill: limits of signals, each of which may be switched off.
#include <array>
#include <charconv>

#include "planner/plan_reading.h"
#include "planner/size.h"

namespace runbookd::planner {
namespace {

bool is_off(Reading& reading, Node const& node) {
  return node.kind == Node::Kind::scalar && reading.text(node) == "off";
}

void read_lag(Reading& reading, Node const& node, ThrottlePolicy& policy) {
  if (is_off(reading, node)) {
    policy.replica_lag.reset();
  } else if (auto const limit = reading.duration(node, Duration{1})) {
    policy.replica_lag = limit;
  }
}

template <auto member>
void read_size(Reading& reading, Node const& node, ThrottlePolicy& policy) {
  auto written = reading.text(node);
  if (!written) {
    return;
  }
  if (*written == "off") {
    (policy.*member).reset();
    return;
  }
  auto const size = parse_size(*written);
  if (!size || *size == 0) {
    reading.error(node.spot, "plan/bad-value",
                  "`" + node.key + "` cannot be `" + written->substr(0, 40) + "`",
                  "write an amount with its unit, such as 512kB, 50MB or 5GB, or `off`");
    return;
  }
  policy.*member = size;
}

void read_waiters(Reading& reading, Node const& node, ThrottlePolicy& policy) {
  if (is_off(reading, node)) {
    policy.lock_waiters.reset();
  } else if (auto const limit = reading.number(node, 1)) {
    policy.lock_waiters = limit;
  }
}

std::optional<SessionLimit> session_limit(std::string text) {
  SessionLimit limit{.count = 0, .percent = text.ends_with('%')};
  if (limit.percent) {
    text.pop_back();
  }
  auto const* const end = text.data() + text.size();
  auto const read = std::from_chars(text.data(), end, limit.count);
  bool const whole = read.ec == std::errc{} && read.ptr == end;
  bool const sensible = limit.count >= 1 && limit.count <= (limit.percent ? 100 : 1'000'000);
  return whole && sensible ? std::optional{limit} : std::nullopt;
}

void read_sessions(Reading& reading, Node const& node, ThrottlePolicy& policy) {
  if (is_off(reading, node)) {
    policy.active_sessions.reset();
    return;
  }
  auto const written = reading.text(node);
  if (!written) {
    return;
  }
  if (auto const limit = session_limit(*written)) {
    policy.active_sessions = limit;
  } else {
    reading.error(node.spot, "plan/bad-value",
                  "`active_sessions` cannot be `" + written->substr(0, 40) + "`",
                  "write a number of sessions, a share of max_connections from 1% to 100%, or "
                  "`off`");
  }
}

void read_vacuum(Reading& reading, Node const& node, ThrottlePolicy& policy) {
  constexpr std::array meaning{YieldToVacuum::wraparound, YieldToVacuum::any, YieldToVacuum::none};
  if (auto const which = reading.one_of(node, {"wraparound", "any", "off"})) {
    policy.autovacuum = meaning.at(*which);
  }
}

constexpr std::array throttle_table_keys{
    Key<ThrottlePolicy>{"replica_lag", read_lag},
    Key<ThrottlePolicy>{"slot_wal", read_size<&ThrottlePolicy::slot_wal>},
    Key<ThrottlePolicy>{"wal_rate", read_size<&ThrottlePolicy::wal_rate>},
    Key<ThrottlePolicy>{"lock_waiters", read_waiters},
    Key<ThrottlePolicy>{"active_sessions", read_sessions},
    Key<ThrottlePolicy>{"autovacuum", read_vacuum},
};
constexpr Table<ThrottlePolicy> throttle_table{"throttle", "`throttle`", throttle_table_keys};

}  // namespace

ThrottlePolicy read_throttle(Reading& reading, Node const& node) {
  if (is_off(reading, node)) {
    return unthrottled;
  }
  if (node.kind == Node::Kind::scalar) {
    reading.error(node.spot, "plan/bad-value", "`throttle` is a mapping of limits, or `off`",
                  "write such as {replica_lag: 5s, active_sessions: 80%}");
    return {};
  }
  return read_mapping(reading, node, throttle_table, ThrottlePolicy{});
}

KeySet throttle_keys() { return key_set(throttle_table); }

}  // namespace runbookd::planner
