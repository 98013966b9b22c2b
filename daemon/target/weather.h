// What a preflight has to know of a server, read in one question. Private to daemon/.
#pragma once

#include <string>

#include "daemon/target/session.h"
#include "planner/preflight.h"

namespace runbookd::daemon {

// `name`: what our own sessions of the run are called; they do not count. Takes no lock that could
// wait.
SqlResult<planner::Weather> read_weather(Session& session, planner::PhaseNeeds const& needs,
                                         std::string const& name);

}  // namespace runbookd::daemon
