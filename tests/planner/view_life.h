// A run that is driven through its life by hand: wishes, answers of the world, and time.
#pragma once

#include <optional>
#include <set>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "planner/machine.h"
#include "planner/view.h"

namespace runbookd::tests {

// What the catalog says where the look at the schema asks for a way back.
std::optional<planner::WayBackRead> way_back_told(planner::TakeFingerprint const& wanted);

struct Life {
  explicit Life(planner::Plan plan);

  planner::Plan plan;
  planner::RunState state;
  planner::History history;
  planner::Live live;
  planner::Moment now{std::chrono::hours{1}};
  std::set<planner::StepRef> applied;  // what the target holds

  void take(planner::Events const& events);
  // A wish that has to be granted.
  void ask(planner::Ask const& ask, std::string const& actor = "ana",
           std::string const& reason = "");
  void tell(planner::Outcome const& outcome);
  void announce();  // what the daemon records before it acts

  void start();  // and whatever follows, with the world answering well, until somebody is needed
  void go_on();  // the same from here
  void go_until(std::string const& step);     // the step's try has begun
  void end_try(planner::AttemptEnded ended);  // of the step at hand; fills in which one
  void fail_try(std::string const& sqlstate, std::string const& message);
  void time_passes(planner::Duration duration);  // and the run hears of it

  planner::RunFacts facts() const;
  nlohmann::json snapshot() const;
  nlohmann::json phase(int index) const;
  nlohmann::json step(int phase, int index) const;
  std::string message() const;

 private:
  bool do_next();
  std::string fingerprint() const;
};

// expand (approval-free): add, index (concurrent); backfill: fill, deploy (manual), rest (wait),
// with a watched soak; contract: drop (irreversible, skippable), behind an approval and a timer.
// Checks at every stage.
planner::Plan whole_plan();
planner::Step sql_step(std::string const& name, std::string const& forward,
                       std::string const& backward);

}  // namespace runbookd::tests
