// The keeping of tries and check results in a run's history. Private to planner/view*.cpp.
#pragma once

#include <string>
#include <vector>

#include "planner/view.h"

namespace runbookd::planner::view {

void make_room(Plan const& plan, History& history);

// Entries of one event. A place that the plan does not have changes nothing.
struct Book {
  Plan const& plan;
  History& history;
  Event const& event;

  void open(StepRef ref, Direction direction, int number);
  // Null for an unknown place; otherwise the attempt, for what else is known of its end.
  Attempt* ended(StepRef ref, Direction direction, int number, std::string const& result);
  void close(StepRef ref);  // ends a try that is still open as interrupted
  void skipped(StepSkipped const& skip);
  // Each result replaces its own predecessor only: watches come round one by one, and what a phase
  // has shown is looked at again before the next.
  void judged(ChecksJudged const& judged);

 private:
  std::vector<Attempt>& attempts(StepRef ref);
  Attempt& attempt_of(StepRef ref, Direction direction, int number);
};

}  // namespace runbookd::planner::view
