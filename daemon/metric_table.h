// Every metric that GET /metrics shows: name, kind and what it says. Alerts and dashboards may name
// these and no others.
#pragma once

#include <span>
#include <string_view>

namespace runbookd::daemon {

enum class Metric {
  build_info,
  runs,
  run_info,
  run_state_since,
  machine_seconds,
  human_seconds,
  approvals_pending,
  step_attempts,
  step_duration,
  lock_wait,
  lock_timeouts,
  blocked_sessions,
  standstill,
  target_unreachable,
  backfill_rows,
  backfill_eta,
  gate_evaluations,
  pause_latency,
  store_write,
  store_degraded,
  hold_active,
  event_streams,
  http_request,
};

enum class MetricKind { gauge, counter, histogram };

struct MetricWords {
  Metric metric;
  MetricKind kind;
  std::string_view name, help;
};
std::span<MetricWords const> metric_table();  // in the order of the enumeration
MetricWords const& words_of(Metric metric);

}  // namespace runbookd::daemon
