// What goes wrong around a daemon while it works and an application moves money in the table that
// is changed: sessions ended, servers restarted, a network that stalls, forgets and delays, a
// daemon that is stopped or killed.
#pragma once

#include "tests/chaos/crew.h"

namespace runbookd::chaos {

struct FaultOptions {
  int faults = 0;
  unsigned seed = 1;
  std::string only;  // a kind of fault by its name, or empty
};

// On the calling thread, which the server's restarts need. A kind of fault that never took effect
// is a failure too.
void run_faults(testing::PostgresCluster& cluster, Crew& crew, FaultOptions const& options);

}  // namespace runbookd::chaos
