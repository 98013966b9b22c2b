// Who holds a target: one run at a time, by the target's name and by the database that it leads to.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "config/settings.h"
#include "daemon/conductor.h"
#include "store/journal.h"
#include "web/service.h"

namespace runbookd::daemon {

using Runs = std::map<planner::RunId, std::shared_ptr<Conductor>>;

// Of a run that is to be created.
planner::Result<void> known_target(config::Settings const& settings,
                                   web::RunRequest const& request);
// What is known before the target is asked. Refused where another run is at work there.
planner::Result<void> may_claim(Runs const& runs, store::Journal const& journal,
                                Conductor const& run, planner::Ask const& ask);
// Once the target has said which database it is: why it is not free for the run; empty where it is.
std::string taken(Runs const& runs, planner::RunId const& run,
                  planner::TargetIdentity const& database);

}  // namespace runbookd::daemon
