// What GET /metrics tells. Counters grow by events that have become durable, through one door
// (`recorded`), and begin at 0 with the process; gauges are read at each scrape from what is there.
// Lives on the I/O thread. Labels are bounded: a run is named in run_info only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "planner/meter.h"
#include "planner/view.h"
#include "store/journal.h"

namespace runbookd::web {
struct AccessLine;
}

namespace runbookd::daemon {

// What there is at the moment of a scrape.
struct Standing {
  planner::Moment now{};
  std::string version;
  std::vector<std::pair<std::string, std::int64_t>> runs_by_state;  // of the whole store
  std::vector<planner::RunFacts> runs;                              // that have not ended
  std::vector<std::string> targets;
  bool store_degraded = false;
  bool held = false;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(Metrics const&) = delete;
  Metrics& operator=(Metrics const&) = delete;

  // A run as the record tells it so far: nothing of that is counted.
  void meet(planner::RunFacts const& run, std::shared_ptr<planner::Plan const> plan,
            planner::Events const& events, planner::Moment now);
  void forget(planner::RunId const& run);
  // One synced commit and what it has made durable.
  void recorded(std::vector<store::Append> const& appends, std::chrono::steady_clock::duration took,
                planner::Moment now);
  void answered(web::AccessLine const& line);
  void count_streams_by(std::function<int()> count);

  std::string text(Standing const& standing);  // Prometheus's own format

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace runbookd::daemon
