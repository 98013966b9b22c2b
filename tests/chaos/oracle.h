// Judges a run's record and all that was heard about it by the pure core alone. Nothing here asks a
// daemon or a database.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "planner/event.h"
#include "planner/plan.h"
#include "planner/state.h"
#include "planner/view.h"
#include "tests/chaos/history.h"

namespace runbookd::chaos {

// A run as its events tell it: states[n] and told[n] are after n events.
struct Record {
  planner::RunId run;
  planner::Plan plan;
  planner::Events events;
  std::vector<planner::RunState> states;
  std::vector<planner::History> told;

  Record(planner::RunId id, planner::Plan of, planner::Events all);
  planner::EventSeq revision() const { return std::ssize(events); }
};

// Each gives what is wrong, a sentence each; empty = nothing.

// Every event is what the core makes of a command, an outcome or an intent at that point.
std::vector<std::string> unforeseen_events(Record const& record, Heard const& heard);
// Every answer is what the core decides at a revision that the client could have met.
std::vector<std::string> wrong_answers(Record const& record, Heard const& heard);
// Every document shows the fold of the events up to its revision.
std::vector<std::string> wrong_documents(Record const& record, Heard const& heard);

// An attempt that changed the target, as the journal knows.
struct Done {
  planner::StepRef ref;
  planner::Direction direction{};
  int attempt = 0;
  auto operator<=>(Done const&) const = default;
};
std::set<Done> done_on_target(Record const& record);

}  // namespace runbookd::chaos
