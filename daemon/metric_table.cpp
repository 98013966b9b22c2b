#include "daemon/metric_table.h"

namespace runbookd::daemon {
namespace {

using enum MetricKind;

constexpr MetricWords table[] = {
    {Metric::build_info, gauge, "runbookd_build_info", "What is running; always 1."},
    {Metric::runs, gauge, "runbookd_runs", "Runs in the store, by state."},
    {Metric::run_info, gauge, "runbookd_run_info",
     "Runs that have not ended, each with its plan, target and state; always 1."},
    {Metric::run_state_since, gauge, "runbookd_run_state_since_timestamp_seconds",
     "Since when a run on the target has been in the state: of several the longest."},
    {Metric::machine_seconds, counter, "runbookd_run_machine_seconds_total",
     "Time in which the daemon had to move runs on: running, pausing, cancelling."},
    {Metric::human_seconds, counter, "runbookd_run_human_wait_seconds_total",
     "Time in which people had to: waiting, paused, failed, attention."},
    {Metric::approvals_pending, gauge, "runbookd_approvals_pending",
     "Runs that stand at a gate and lack an approval."},
    {Metric::step_attempts, counter, "runbookd_step_attempts_total",
     "Tries of steps that have ended, by how."},
    {Metric::step_duration, histogram, "runbookd_step_duration_seconds",
     "How long tries of steps took, those aside whose end nobody heard."},
    {Metric::lock_wait, histogram, "runbookd_lock_wait_seconds",
     "How long a try of a step that works in the target waited for its locks."},
    {Metric::lock_timeouts, counter, "runbookd_lock_timeouts_total",
     "Tries of steps that ended without their locks."},
    {Metric::blocked_sessions, gauge, "runbookd_blocked_sessions",
     "Sessions of others that wait for ours, as last seen."},
    {Metric::standstill, gauge, "runbookd_standstill_seconds",
     "For how long the step at work has stood still, and for what: a lock, or the throttle."},
    {Metric::target_unreachable, gauge, "runbookd_target_unreachable",
     "1 while a run has work to do in the target and cannot reach it."},
    {Metric::backfill_rows, counter, "runbookd_backfill_rows_total",
     "Rows that backfills have changed."},
    {Metric::backfill_eta, gauge, "runbookd_backfill_eta_seconds",
     "What is left of the backfill at work, at the faster and at the slower of the rates lately "
     "seen."},
    {Metric::gate_evaluations, counter, "runbookd_gate_evaluations_total",
     "Passes over the checks of a stage, by the worst verdict."},
    {Metric::pause_latency, histogram, "runbookd_pause_latency_seconds",
     "From the wish to pause until nothing of the run was in flight."},
    {Metric::store_write, histogram, "runbookd_store_write_duration_seconds",
     "One synced commit of events."},
    {Metric::store_degraded, gauge, "runbookd_store_degraded",
     "1 while the store takes no events."},
    {Metric::hold_active, gauge, "runbookd_hold_active",
     "1 while a hold stands: nothing goes forward."},
    {Metric::event_streams, gauge, "runbookd_sse_clients", "Event streams that are open."},
    {Metric::http_request, histogram, "runbookd_http_request_duration_seconds",
     "Answers by the pattern of their route; event streams are not among them."},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(table); ++i) {
    if (table[i].metric != static_cast<Metric>(i)) {
      return false;
    }
  }
  return std::size(table) == static_cast<std::size_t>(Metric::http_request) + 1;
}
static_assert(in_order());

}  // namespace

std::span<MetricWords const> metric_table() { return table; }

MetricWords const& words_of(Metric metric) { return table[static_cast<std::size_t>(metric)]; }

}  // namespace runbookd::daemon
