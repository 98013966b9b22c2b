// What was measured of several ways to fill a table, as tables of text.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/backfill/fill.h"

namespace runbookd::bench {

// One way, in all of its rounds.
struct Rounds {
  Way way;
  std::vector<Measured> rounds;
};

double rows_per_second(Rounds const& rounds, long rows);  // the median
// Medians, and ratios against the first way.
std::string speed_table(std::vector<Rounds> const& all, long rows);
// Medians over the rounds of what the application felt, and ratios against the first way.
std::string latency_table(std::vector<Rounds> const& all, long rows);
std::string pause_words(Pauses const& pauses);
// Processor, cores, load, server.
std::string machine_words(testing::PostgresCluster const& cluster);
std::string drawing(std::vector<Rounds> const& all);

}  // namespace runbookd::bench
