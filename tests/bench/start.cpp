// How long the daemon takes from its start to ready, over stores of different sizes. Most runs in a
// real store have ended; a few have not, and those are read and folded.
//   bench_start [EVENTS...]     (default: 10000 1000000)
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"
#include "tests/support/running_daemon.h"

namespace runbookd::testing {
namespace {

constexpr int events_per_run = 1'000;
constexpr int unfinished_runs = 3;
constexpr int events_per_commit = 250;

constexpr auto plan =
    "runbook: 1\nname: bench\ntitle: A plan\nphases:\n  - name: only\n    kind: expand\n    "
    "steps:\n"
    "      - {name: one, manual: Do it., rollback_manual: Undo it.}\n";

planner::Event event_of(planner::EventBody body) {
  return {.at = planner::Moment(planner::Duration(1'700'000'000'000)),
          .actor = "ana",
          .reason = "as long as what people write when they are asked for a reason",
          .body = std::move(body)};
}

void add_run(store::Journal& journal, planner::PlanDigest const& digest, int number, bool final) {
  store::RunSummary const summary{.plan = digest,
                                  .plan_name = "bench",
                                  .target = "main",
                                  .state = final ? "cancelled" : "paused",
                                  .direction = "forward",
                                  .final = final};
  planner::RunId const run{"run_" + std::to_string(100'000'000'000 + number)};
  for (int done = 0; done < events_per_run; done += events_per_commit) {
    planner::Events events;
    for (int i = 0; i < events_per_commit; ++i) {
      events.push_back(event_of(planner::RunPaused{.why = "a check was not passed"}));
    }
    if (done == 0) {
      events.front() = event_of(
          planner::RunCreated{.plan = digest, .plan_name = "bench", .target = "main", .note = ""});
    }
    auto const written = journal.append(
        {{.run = run, .expected = done, .events = events, .summary = summary, .fingerprints = {}}});
    if (!written) {
      throw std::runtime_error(written.error().detail);
    }
  }
}

void fill(std::string const& path, planner::PlanDigest const& digest, int events) {
  auto const store = store::Store::open({.path = path});
  if (!store) {
    throw std::runtime_error(store.error().detail);
  }
  (*store)->connection().run_script("PRAGMA synchronous = 0");  // only to be filled quickly
  int const runs = events / events_per_run;
  for (int run = 0; run < runs; ++run) {
    add_run((*store)->journal(), digest, run, run + unfinished_runs < runs);
  }
}

void measure(int events) {
  RunningDaemon daemon({});
  planner::PlanDigest const digest{daemon.upload(plan)};
  daemon.terminate();
  fill(daemon.store_path(), digest, events);
  for (int round = 0; round < 3; ++round) {
    auto const begin = std::chrono::steady_clock::now();
    daemon.start();
    while (daemon.get("/readyz").status != 200) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
    std::cout << events << " events: ready after " << took.count() << " s" << std::endl;
    daemon.kill();
  }
}

}  // namespace
}  // namespace runbookd::testing

int main(int argc, char** argv) {
  std::vector<std::string> sizes(argv + 1, argv + argc);
  if (sizes.empty()) {
    sizes = {"10000", "1000000"};
  }
  try {
    for (auto const& size : sizes) {
      runbookd::testing::measure(std::stoi(size));
    }
    return 0;
  } catch (std::exception const& failure) {
    std::cerr << failure.what() << '\n';
    return 1;
  }
}
