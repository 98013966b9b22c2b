// Private to planner/view*.cpp.
#pragma once

#include <string>

#include "planner/event.h"
#include "planner/plan.h"

namespace runbookd::planner::view {

// A sentence about what happened. Who did it and why stand in fields of their own.
// Why a run that was to be started is still pending. `target`: its name, or empty.
std::string not_started_words(BaselinesFailed const& failed, std::string const& target);
// Why the schema is not known before the next step.
std::string not_looked_words(Plan const& plan, FingerprintFailed const& failed);
std::string finding_lines(Findings const& findings);  // each, and the way out
std::string event_words(Plan const& plan, EventBody const& body);

}  // namespace runbookd::planner::view
