// What a backfill costs: the real daemon with 1, 2 and 4 workers and the defaults of a plan, beside
// one UPDATE of the whole table and beside the usual loop with COMMIT per 1,000 rows. Each way
// fills its own copy of one database. Rounds are interleaved; tables show medians and ratios.
//
//   alone     rows per second, CPU, WAL and heap beside the one UPDATE; how soon a pause is quiet
//   load      what an application feels meanwhile, beside what it feels when nobody fills
//   linear    rows per second of a hundred times as many rows
//
// The application's latency over time is drawn into FILE.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "tests/bench/backfill/report.h"

namespace {

using namespace runbookd::bench;
using runbookd::testing::PostgresCluster;

struct Options {
  std::set<std::string> parts{"alone", "load"};
  long rows = 1'000'000;
  int rounds = 3;
  double load = 200, quiet_seconds = 30;
  std::string svg = "backfill.svg";
  long linear_rows = 10'000'000;
  std::string shared_buffers = "1GB";
};

void describe(CLI::App& app, Options& options) {
  app.add_option("--parts", options.parts, "which of alone, load, linear")
      ->delimiter(',')
      ->check(CLI::IsMember({"alone", "load", "linear"}));
  app.add_option("--rows", options.rows, "of the table that is filled");
  app.add_option("--rounds", options.rounds, "of each way")->check(CLI::PositiveNumber);
  app.add_option("--load", options.load, "the application's transactions a second");
  app.add_option("--quiet-seconds", options.quiet_seconds, "of the application by itself");
  app.add_option("--svg", options.svg, "the drawing's file");
  app.add_option("--linear-rows", options.linear_rows, "of the larger table");
  app.add_option("--shared-buffers", options.shared_buffers, "of the server");
}

std::vector<Rounds> measure_all(PostgresCluster& cluster, std::vector<Way> const& ways, long rows,
                                int rounds, double load) {
  std::vector<Rounds> all;
  for (auto const& way : ways) {
    all.push_back({.way = way, .rounds = {}});
  }
  for (int round = 0; round < rounds; ++round) {
    for (auto& one : all) {
      one.rounds.push_back(measure(cluster, one.way, rows, load));
      std::cerr << "round " << round + 1 << ", " << one.way.name << ": "
                << one.rounds.back().seconds << " s " << one.rounds.back().note << "\n";
    }
  }
  return all;
}

std::vector<Way> ways_to_fill() {
  return {one_update(), by_daemon(1), by_daemon(2), by_daemon(4), usual_loop()};
}

void alone(PostgresCluster& cluster, Options const& options) {
  auto const all = measure_all(cluster, ways_to_fill(), options.rows, options.rounds, 0);
  std::cout << "\n"
            << options.rows << " rows, nobody else at work, " << options.rounds
            << " rounds; against the one UPDATE:\n"
            << speed_table(all, options.rows)
            << pause_words(measure_pauses(cluster, options.rows, 8)) << std::flush;
}

void under_load(PostgresCluster& cluster, Options const& options) {
  auto ways = ways_to_fill();
  ways.insert(ways.begin(), Way{.name = "nobody fills", .idle_seconds = options.quiet_seconds});
  auto const all = measure_all(cluster, ways, options.rows, options.rounds, options.load);
  std::cout << "\n"
            << options.rows << " rows under " << options.load
            << " transactions a second, milliseconds, " << options.rounds
            << " rounds; against the quiet p99:\n"
            << latency_table(all, options.rows) << std::flush;
  std::ofstream(options.svg) << drawing(all);
  std::cout << "drawn: " << options.svg << "\n";
}

// The server's own UPDATE slows down as well once a table no longer fits into its memory.
void linear(PostgresCluster& cluster, Options const& options) {
  auto const fill = [&](long rows) {
    make_original(cluster, rows);
    auto const all = measure_all(cluster, {one_update(), by_daemon(1)}, rows, options.rounds, 0);
    return std::pair(rows_per_second(all.front(), rows), rows_per_second(all.back(), rows));
  };
  auto const few = options.linear_rows / 100;
  auto const [small_update, small] = fill(few);
  auto const [large_update, large] = fill(options.linear_rows);
  std::printf(
      "\nrows/s with one worker: %ld rows %.0f, %ld rows %.0f, ratio %.2f\n"
      "rows/s of one UPDATE:   %ld rows %.0f, %ld rows %.0f, ratio %.2f\n",
      few, small, options.linear_rows, large, large / small, few, small_update, options.linear_rows,
      large_update, large_update / small_update);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What a backfill costs, beside one UPDATE and beside the usual loop.");
  Options options;
  describe(app, options);
  CLI11_PARSE(app, argc, argv);
  PostgresCluster cluster({.major = 15,
                           .durable = true,
                           .settings = {{"shared_buffers", options.shared_buffers},
                                        {"max_wal_size", "8GB"},
                                        {"checkpoint_timeout", "15min"}}});
  std::cout << machine_words(cluster) << std::flush;
  if (options.parts.contains("alone") || options.parts.contains("load")) {
    make_original(cluster, options.rows);
  }
  if (options.parts.contains("alone")) {
    alone(cluster, options);
  }
  if (options.parts.contains("load")) {
    under_load(cluster, options);
  }
  if (options.parts.contains("linear")) {
    linear(cluster, options);
  }
  return 0;
}
