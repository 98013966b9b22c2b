#include "planner/pacing.h"

#include <algorithm>
#include <cmath>

namespace runbookd::planner {
namespace {

std::int64_t within_bounds(Batch const& batch, double rows) {
  auto const most = std::max<std::int64_t>(1, batch.max_rows);
  auto const least = std::min(smallest_batch_rows, most);
  if (rows >= static_cast<double>(most)) {
    return most;
  }
  return std::max(least, static_cast<std::int64_t>(rows));
}

std::optional<Duration> time_for(std::int64_t rows, double rows_per_second) {
  constexpr double century = 100.0 * 365 * 24 * 3600;
  auto const seconds = static_cast<double>(rows) / rows_per_second;
  if (!(rows_per_second > 0) || !(seconds < century)) {
    return std::nullopt;
  }
  return Duration(std::llround(seconds * 1000));
}

}  // namespace

std::int64_t next_batch_rows(Batch const& batch, std::int64_t rows, Duration took) {
  auto const now = static_cast<double>(rows);
  auto const target = static_cast<double>(std::max<std::int64_t>(1, batch.target.count()));
  auto const spent = static_cast<double>(std::max<std::int64_t>(1, took.count()));
  if (spent >= 5 * target) {
    return within_bounds(batch, now / 10);
  }
  return within_bounds(batch, std::min(now * target / spent, now * 1.5));
}

std::int64_t smaller_batch_rows(Batch const& batch, std::int64_t rows) {
  return within_bounds(batch, static_cast<double>(rows) / 2);
}

std::optional<Eta> eta(Progress const& progress) {
  auto const left = progress.rows_total - progress.rows_scanned;
  auto const total = static_cast<double>(progress.rows_total);
  bool const early = static_cast<double>(progress.rows_scanned) < total / 100;
  bool const past_estimate =
      left <= 0 && !progress.total_exact;  // it was too low: nothing is known
  bool const stalled = progress.stalled > Duration{};
  if (progress.rows_total <= 0 || early || past_estimate || stalled) {
    return std::nullopt;
  }
  auto const [slow, fast] = std::minmax(progress.rows_per_second, progress.mean_rows_per_second);
  auto const latest = time_for(std::max<std::int64_t>(0, left), slow);
  auto const soonest = time_for(std::max<std::int64_t>(0, left), fast);
  if (!latest || !soonest) {
    return std::nullopt;
  }
  return Eta{.soonest = *soonest, .latest = *latest};
}

}  // namespace runbookd::planner
