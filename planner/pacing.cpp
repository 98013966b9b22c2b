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

double rate_between(Duration from, std::int64_t had, Duration to, std::int64_t has) {
  auto const seconds = static_cast<double>((to - from).count()) / 1000.0;
  return static_cast<double>(has - had) / std::max(0.001, seconds);
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

std::int64_t refitted_rows(Batch const& batch, std::int64_t rows, Duration new_target) {
  auto const before = static_cast<double>(std::max<std::int64_t>(1, batch.target.count()));
  auto const share = static_cast<double>(new_target.count()) / before;
  return within_bounds(batch, static_cast<double>(rows) * std::min(1.0, share));
}

std::int64_t smaller_batch_rows(Batch const& batch, std::int64_t rows) {
  return within_bounds(batch, static_cast<double>(rows) / 2);
}

Duration pause_left(Batch const& batch, LastBatch const& last) {
  return last.rows == 0 ? Duration{} : std::max(Duration{}, batch.pause - last.rested);
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
  bool const seen = progress.slow_rows_per_second > 0;
  auto const now = progress.rows_per_second;
  auto const mean = progress.mean_rows_per_second;
  auto const slow = seen ? progress.slow_rows_per_second : std::min(now, mean);
  auto const fast = seen ? progress.fast_rows_per_second : std::max(now, mean);
  auto const latest = time_for(std::max<std::int64_t>(0, left), slow);
  auto const soonest = time_for(std::max<std::int64_t>(0, left), fast);
  if (!latest || !soonest) {
    return std::nullopt;
  }
  return Eta{.soonest = *soonest, .latest = *latest};
}

void Rates::add(Duration at, std::int64_t rows) {
  constexpr Duration between{1'000}, kept{180'000};
  if (readings_.empty() || at - readings_.back().at >= between) {
    readings_.push_back({at, rows});
  }
  std::erase_if(readings_, [&](Reading const& one) { return one.at < at - kept; });
}

double Rates::now() const {
  constexpr std::size_t lately = 6;
  if (readings_.size() < 2) {
    return 0;
  }
  auto const& first = readings_[readings_.size() - std::min(lately, readings_.size())];
  return rate_between(first.at, first.rows, readings_.back().at, readings_.back().rows);
}

double Rates::slow() const { return share(0.1); }
double Rates::fast() const { return share(0.9); }

// Of spans and not of single readings: what is left is done at means, in which a stop counts for as
// long as it lasted.
double Rates::share(double of_rates) const {
  constexpr Duration span{10'000};
  std::vector<double> rates;
  for (auto from = readings_.begin(); from != readings_.end(); ++from) {
    auto const to = std::find_if(from, readings_.end(),
                                 [&](Reading const& one) { return one.at - from->at >= span; });
    if (to == readings_.end()) {
      break;
    }
    rates.push_back(rate_between(from->at, from->rows, to->at, to->rows));
  }
  if (rates.empty()) {
    return 0;
  }
  std::ranges::sort(rates);
  return rates[static_cast<std::size_t>(of_rates * static_cast<double>(rates.size() - 1))];
}

}  // namespace runbookd::planner
