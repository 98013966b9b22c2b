// Whether the configured targets could be reached as far as the settings tell, without connecting.
#pragma once

#include "config/settings.h"

namespace runbookd::daemon {

// Places and connection strings of every target, each problem at its key; never a word of a secret.
planner::Findings target_findings(std::vector<config::TargetSource> const& targets,
                                  config::Environment const& environment);

}  // namespace runbookd::daemon
