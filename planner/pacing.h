// Batch sizes of a backfill, from how long the last ones took. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "planner/plan.h"

namespace runbookd::planner {

inline constexpr std::int64_t first_batch_rows = 500;
inline constexpr std::int64_t smallest_batch_rows = 10;

// Towards batch.target: grows by at most half again, shrinks to a tenth at once when a batch took
// five times the target; within [smallest_batch_rows, batch.max_rows].
std::int64_t next_batch_rows(Batch const& batch, std::int64_t rows, Duration took);
// After a lock timeout or a deadlock inside a batch.
std::int64_t smaller_batch_rows(Batch const& batch, std::int64_t rows);

struct Progress {
  std::int64_t rows_scanned = 0;
  std::int64_t rows_changed = 0;
  std::int64_t rows_total = 0;  // estimate unless total_exact
  bool total_exact = false;
  double rows_per_second = 0;  // scanned, lately
  double mean_rows_per_second = 0;
  std::int64_t batch_rows = 0;
  Duration batch_took{};
  Duration running{};  // since this attempt began
  Duration stalled{};  // since when no batch got its locks; 0 = it goes on
};
// Remaining time at the slower and the faster of the two rates; nothing before 1 % or without a
// rate.
struct Eta {
  Duration soonest{}, latest{};
};
std::optional<Eta> eta(Progress const& progress);

}  // namespace runbookd::planner
