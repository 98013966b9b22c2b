// Failovers to a standby that has not everything: the primary dies at once, the standby is
// promoted, and the network leads to it. What it lacks of the run must be named, all of it and
// nothing else.
#pragma once

#include "tests/chaos/crew.h"

namespace runbookd::chaos {

struct FailoverOptions {
  int count = 0;  // of those that lost a finished step
  unsigned seed = 1;
  int major = 15;
};

void run_failovers(Crew& crew, FailoverOptions const& options);

}  // namespace runbookd::chaos
