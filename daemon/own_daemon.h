// The daemon that runs with the same configuration: host commands ask it where it holds the store.
#pragma once

#include <string>

#include "config/settings.h"
#include "planner/error.h"

namespace runbookd::daemon {

// The body of its answer. By its Unix socket where it has one: there it knows who asks.
planner::Result<std::string> ask_own_daemon(config::Settings const& settings,
                                            std::string const& method, std::string const& path,
                                            std::string const& body = "");

}  // namespace runbookd::daemon
