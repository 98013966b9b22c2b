// What must hold at every node and over every move, whatever people, the world and crashes do.
#pragma once

#include <string>
#include <vector>

#include "tests/model/world.h"

namespace runbookd::tests {

// The names of the rules that the node or the move breaks; empty = all hold.
std::vector<std::string> broken_rules(planner::Plan const& plan, Node const& node);
std::vector<std::string> broken_rules(planner::Plan const& plan, Node const& before,
                                      Move const& move);
// Of what the node's moves do and what people are told that they may do.
std::vector<std::string> broken_offers(planner::Plan const& plan, Node const& node,
                                       std::vector<Move> const& moves);

// Written as JSON and read back, it is the same event.
bool survives_storage(planner::Event const& event);

}  // namespace runbookd::tests
