// What the parts of the oracle share. Private to tests/chaos/oracle*.cpp.
#pragma once

#include <optional>
#include <string>

#include "planner/command.h"
#include "tests/chaos/oracle.h"

namespace runbookd::chaos {

bool equal(planner::Event const& a, planner::Event const& b);
// Are these, and at least one, the events that the journal has after `at`?
bool stand_at(Record const& record, planner::EventSeq at, planner::Events const& events);
std::string event_words(Record const& record, planner::EventSeq at);
// As the daemon reads it; nothing where its body is malformed.
std::optional<planner::Command> command_of(Exchange const& asked);

}  // namespace runbookd::chaos
