// Owns all parts in the order of their birth; runs them; stops them in order.
#pragma once

#include "daemon/options.h"

namespace runbookd::daemon {

// The process's exit code: 0 after an ordered stop, 9 for a bad configuration, 1 for anything else.
int run_daemon(Options const& options);

}  // namespace runbookd::daemon
