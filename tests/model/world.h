// The outside of a run, as simple as can be: which steps the target really holds, and what time it
// is. The explorer asks it for every answer that the world could give next.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "planner/machine.h"

namespace runbookd::tests {

struct World {
  std::set<planner::StepRef> applied;  // what the database holds, whatever anybody believes
  planner::Moment now{};
  bool failed_over = false;  // with a loss; once in a life
  bool operator==(World const&) const = default;

  std::string fingerprint() const;
};

struct Node {
  planner::RunState state;
  World world;
};

// One thing that can happen at a node: a person's wish, an answer of the world, time, or a crash.
struct Move {
  std::string name;  // "pause", "attempt lost, applied", "restart" …
  bool is_command = false;
  bool refused = false;
  planner::Error error;
  planner::Events events;
  Node next;
};

std::vector<planner::Command> every_command(planner::Plan const& plan,
                                            planner::RunState const& state);
std::vector<Move> every_move(planner::Plan const& plan, Node const& node);
Node begin(planner::Plan const& plan);

// Equal for nodes that differ only in what no rule can tell apart: absolute times, attempt numbers.
std::string key_of(planner::Plan const& plan, Node const& node);

}  // namespace runbookd::tests
