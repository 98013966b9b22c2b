// What the application felt, as numbers and as a drawing.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/stall/load.h"

namespace runbookd::bench {

// One migration beside one load.
struct Course {
  std::string name;
  std::vector<Transaction> transactions;
  Clock::time_point begun, blocker_gone, done;  // of the migration
};

struct Felt {
  double per_second = 0;
  double longest_gap_ms = 0;  // between two commits
  double gaps_ms = 0;         // all that were longer than 30 ms
  double p999_ms = 0, longest_ms = 0;
  double done_after_s = 0;  // after the blocker had gone; negative: before
};

// While the migration was under way, and a second after it.
Felt felt(Course const& course);
Felt median(std::vector<Felt> const& rounds);
std::string table_head();
std::string table_row(std::string const& name, Felt const& felt);
// Latency over time, one panel per migration.
std::string drawing(std::string const& title, std::vector<Course> const& courses);

}  // namespace runbookd::bench
