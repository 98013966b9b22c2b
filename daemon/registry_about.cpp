// What the registry tells of the daemon itself.
#include <algorithm>

#include "daemon/registry.h"
#include "planner/run_mode.h"

namespace runbookd::daemon {

using namespace planner;
using web::Document;

Document Registry::about() {
  std::vector<std::pair<std::string, std::string>> targets;
  for (auto const& source : settings_.targets) {
    auto const target = target_settings(source.name);
    targets.emplace_back(source.name, target ? target->described : target.error().detail);
  }
  return {.json = about_json(RUNBOOKD_VERSION, store_.id(), targets, clock_.now(),
                             hold_desk_.standing())};
}

std::vector<ReadinessCheck> Registry::readiness() const {
  auto const store = store_.check();
  return {
      {.name = "accepting",
       .ok = !draining_,
       .detail = draining_ ? "the daemon is being stopped" : ""},
      {.name = "store", .ok = store.has_value(), .detail = store ? "" : store.error().detail},
      {.name = "journal",
       .ok = !recorder_.degraded(),
       .detail = recorder_.degraded() ? "events wait in memory until the store takes them" : ""},
      {.name = "audit",
       .ok = !auditor_.behind(),
       .detail = auditor_.behind() ? "entries wait in memory until the store takes them" : ""},
      // a daemon that is held is well: whoever takes it out of service can pause nothing
      {.name = "hold",
       .ok = true,
       .detail = hold_desk_.standing() ? to_text(*hold_desk_.standing()) : ""}};
}

bool Registry::is_ready() {
  return std::ranges::all_of(readiness(), [](auto const& check) { return check.ok; });
}

Document Registry::ready() { return {.json = readiness_json(is_ready(), readiness())}; }

bool Registry::fresh() const {
  auto const now = std::chrono::steady_clock::now();
  return std::ranges::all_of(runs_, [&](auto const& entry) { return entry.second->fresh(now); });
}

std::string Registry::standing_words() const {
  std::vector<RunMode> modes;
  for (auto const& [id, run] : runs_) {
    modes.push_back(run->state().mode);
  }
  return planner::standing_words(modes);
}

// Unfinished runs are all at hand; of those that have ended only the store knows how many there
// are.
Result<std::string> Registry::metrics() {
  recorder_.flush();
  Standing standing{.now = clock_.now(),
                    .version = RUNBOOKD_VERSION,
                    .runs_by_state = {},
                    .runs = {},
                    .targets = {},
                    .store_degraded = recorder_.degraded(),
                    .held = hold_desk_.standing().has_value()};
  auto const counted = store_.journal().count_by_state();
  for (auto const mode : all_modes()) {
    std::string const state{to_text(mode)};
    auto const count = counted.find(state);
    standing.runs_by_state.emplace_back(state, count == counted.end() ? 0 : count->second);
  }
  for (auto const& [id, run] : runs_) {
    if (!is_final(run->state().mode)) {
      standing.runs.push_back(run->facts());
    }
  }
  for (auto const& target : settings_.targets) {
    standing.targets.push_back(target.name);
  }
  return metrics_.text(standing);
}

}  // namespace runbookd::daemon
