// Batch sizes, pauses and rates of a backfill. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "planner/plan.h"

namespace runbookd::planner {

inline constexpr std::int64_t first_batch_rows = 500;
inline constexpr std::int64_t smallest_batch_rows = 10;

// Towards batch.target: grows by at most half again, shrinks to a tenth at once when a batch took
// five times the target; within [smallest_batch_rows, batch.max_rows].
std::int64_t next_batch_rows(Batch const& batch, std::int64_t rows, Duration took);
// The same batch for another target: less at once, more by growing.
std::int64_t refitted_rows(Batch const& batch, std::int64_t rows, Duration new_target);
// After a lock timeout or a deadlock inside a batch.
std::int64_t smaller_batch_rows(Batch const& batch, std::int64_t rows);

// What each of a backfill's workers tells before a batch …
struct LastBatch {
  int worker = 0;         // 0 is the first one
  std::int64_t rows = 0;  // looked at; 0: it had none yet
  Duration took{};
  Duration rested{};  // since its end
};
// … and what it hears. Zero: the batch may begin. Otherwise it asks again, after that long or
// sooner. Workers from the number `workers` on do nothing meanwhile.
struct Pace {
  Duration wait{};
  int workers = most_workers;
  double hold = 1;  // of batch.target, that the next batch may take
};
// What the plan itself says: `batch.pause` after each batch.
Duration pause_left(Batch const& batch, LastBatch const& last);

struct Progress {
  std::int64_t rows_scanned = 0;
  std::int64_t rows_changed = 0;
  std::int64_t rows_total = 0;  // estimate unless total_exact
  bool total_exact = false;
  double rows_per_second = 0;       // scanned, lately
  double mean_rows_per_second = 0;  // while the step was at work, by all attempts of the series
  // Of the rates lately seen, those that a tenth was below and above; 0: not enough were seen.
  double slow_rows_per_second = 0, fast_rows_per_second = 0;
  std::int64_t batch_rows = 0;
  Duration batch_took{};
  Duration running{};  // since this attempt began
  Duration stalled{};  // since when no batch got its locks; 0 = it goes on
  int workers = 1;     // sessions at work
  // After all ranges are done the table is looked through for rows that still need it: the how
  // manieth time, and how many such rows have been found and filled.
  int sweep = 0;
  std::int64_t found = 0;
};
// Remaining time at the slower and the faster of the rates lately seen, or of now and the mean
// where few were seen; nothing before 1 % or without a rate.
struct Eta {
  Duration soonest{}, latest{};
};
std::optional<Eta> eta(Progress const& progress);

// The rates of the last minutes, from readings of how many rows are done.
class Rates {
 public:
  // `at`: time at work, not the clock's.
  void add(Duration at, std::int64_t rows);
  double now() const;  // over the last seconds
  // Over ten seconds: below which a tenth of the rates lay, and above which a tenth; 0 until there
  // were ten seconds.
  double slow() const;
  double fast() const;

 private:
  struct Reading {
    Duration at{};
    std::int64_t rows = 0;
  };
  double share(double of_rates) const;
  std::vector<Reading> readings_;  // about one a second, the oldest first
};

}  // namespace runbookd::planner
