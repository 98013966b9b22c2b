// A death at every crash point: which points a scenario passes is found out by running it once
// undisturbed; those that only a second life passes are tried as a second death.
#pragma once

#include "tests/chaos/by_hand.h"
#include "tests/chaos/crew.h"

namespace runbookd::chaos {

struct MatrixOptions {
  int visits = 2;         // of one point in one leg: the first ones, at most so many
  int pairs = 0;          // deaths in the recovery from another death, drawn by the seed; -1 = all
  bool distinct = false;  // of each ordered pair of points one, in a drawn scenario
  unsigned seed = 1;
  std::string only;  // a scenario's name, or empty
};

// Tells what it did; every point of the registry must have been died at.
void run_matrix(Crew& crew, MatrixOptions const& options);

// What an undisturbed run leaves at the end of each leg; throws Violation where the plan's own
// statements leave something else.
Undisturbed undisturbed(Scenario const& scenario, Site& site);

}  // namespace runbookd::chaos
