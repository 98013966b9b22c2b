// The daemon's log: to standard error, for people or as JSON lines. Called on the I/O thread.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "planner/event.h"
#include "planner/ids.h"

namespace runbookd::web {
struct AccessLine;
}

namespace runbookd::daemon {

void start_logging(config::LogSettings const& settings);

using LogFields = std::vector<std::pair<std::string, std::string>>;
void log_info(std::string const& message, LogFields const& fields = {});
void log_warning(std::string const& message, LogFields const& fields = {});
void log_error(std::string const& message, LogFields const& fields = {});
// One event of a run; `label` is the step that the run stands at, if any.
void log_event(planner::RunId const& run, planner::Event const& event, std::string const& label);
void log_access(web::AccessLine const& line);

}  // namespace runbookd::daemon
