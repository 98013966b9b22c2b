// What a plan is for, without the daemon: its statements sent one after the other.
#pragma once

#include "tests/chaos/scenario.h"
#include "tests/chaos/trial.h"

namespace runbookd::chaos {

// The facts at the end of each leg. The site is left at the end of the way back.
struct Undisturbed {
  std::string forward, backward;
};
Undisturbed by_hand(Scenario const& scenario, Site& site);

}  // namespace runbookd::chaos
