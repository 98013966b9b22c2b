#include "tests/bench/backfill/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

namespace runbookd::bench {
namespace {

[[gnu::format(printf, 1, 2)]] std::string line(char const* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

template <typename Get>
double median(Rounds const& one, Get get) {
  std::vector<double> values;
  std::ranges::transform(one.rounds, std::back_inserter(values), get);
  return share_of(values, 0.5);
}

// A share of the application's latencies in each round; the median of those.
double felt(Rounds const& one, double share) {
  return median(one, [share](Measured const& round) {
    std::vector<double> latencies;
    std::ranges::transform(round.latencies, std::back_inserter(latencies), &Latency::ms);
    return share_of(latencies, share);
  });
}

double batch(Rounds const& one, double share) {
  std::vector<double> all;
  for (auto const& round : one.rounds) {
    all.insert(all.end(), round.batches.begin(), round.batches.end());
  }
  return share_of(all, share);
}

std::string batches(Rounds const& one) {
  return one.rounds.front().batches.empty()
             ? line(" %9s %9s", "-", "-")
             : line(" %9.0f %9.0f", batch(one, 0.5), batch(one, 0.99));
}

std::string after_colon(std::string const& file, std::string const& key) {
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) {
    if (text.starts_with(key)) {
      return text.substr(text.find(':') + 2);
    }
  }
  return "?";
}

}  // namespace

double rows_per_second(Rounds const& rounds, long rows) {
  return median(rounds,
                [rows](Measured const& one) { return static_cast<double>(rows) / one.seconds; });
}

std::string speed_table(std::vector<Rounds> const& all, long rows) {
  auto const wal = [](Measured const& one) { return one.wal_mb; };
  auto const cpu = [](Measured const& one) { return one.cpu_seconds; };
  auto const& base = all.front();
  std::string text = line("%-22s %9s %7s %7s %7s %7s %9s %9s\n", "", "rows/s", "ratio", "cpu",
                          "wal", "heap", "batch p50", "batch p99");
  for (auto const& one : all) {
    text +=
        line("%-22s %9.0f %7.2f %7.2f %7.2f %7.2f", one.way.name.c_str(),
             rows_per_second(one, rows), rows_per_second(one, rows) / rows_per_second(base, rows),
             median(one, cpu) / median(base, cpu), median(one, wal) / median(base, wal),
             median(one, [](Measured const& m) { return m.heap; })) +
        batches(one) + "\n";
  }
  return text;
}

std::string latency_table(std::vector<Rounds> const& all, long rows) {
  auto const quiet = felt(all.front(), 0.99);
  std::string text = line("%-22s %9s %8s %8s %8s %9s %9s %9s %9s\n", "", "rows/s", "app p50",
                          "app p99", "ratio", "p99.9", "longest", "batch p50", "batch p99");
  for (auto const& one : all) {
    bool const fills = one.way.idle_seconds == 0;
    text += line("%-22s", one.way.name.c_str()) +
            (fills ? line(" %9.0f", rows_per_second(one, rows)) : line(" %9s", "-")) +
            line(" %8.2f %8.2f %8.2f %9.1f %9.1f", felt(one, 0.5), felt(one, 0.99),
                 felt(one, 0.99) / quiet, felt(one, 0.999), felt(one, 1)) +
            batches(one) + "\n";
  }
  return text;
}

std::string pause_words(Pauses const& pauses) {
  return line(
      "pause of 4 workers, %zu times: quiet after %.0f ms (median), %.0f ms (longest); longest "
      "batch seen %.0f ms; sessions of ours still at work: %s\n",
      pauses.quiet_after_ms.size(), share_of(pauses.quiet_after_ms, 0.5),
      share_of(pauses.quiet_after_ms, 1), pauses.longest_batch_ms,
      pauses.still_active.empty() ? "none" : pauses.still_active.c_str());
}

std::string machine_words(testing::PostgresCluster const& cluster) {
  std::ifstream in("/proc/loadavg");
  std::string load;
  in >> load;
  return line("%s, %u cores, load %s; PostgreSQL ",
              after_colon("/proc/cpuinfo", "model name").c_str(),
              std::thread::hardware_concurrency(), load.c_str()) +
         cluster.sql("postgres", "SHOW server_version") + ", shared_buffers " +
         cluster.sql("postgres", "SHOW shared_buffers") + "\n";
}

std::string drawing(std::vector<Rounds> const& all) {
  std::vector<Curve> curves;
  for (auto const& one : all) {
    curves.push_back({.name = one.way.name, .points = one.rounds.front().latencies});
  }
  return svg_of(curves);
}

}  // namespace runbookd::bench
