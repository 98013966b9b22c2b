// Plans as they come in. Pure.
#pragma once

#include "planner/plan_reader.h"
#include "web/service.h"

namespace runbookd::daemon {

// Lint's findings come after the reader's: they speak about a plan that could be read.
planner::ReadPlan read_and_lint(web::PlanUpload const& upload);

// `consequence`: what the problems have kept from happening, "nothing was stored".
planner::Result<planner::ReadPlan> readable(web::PlanUpload const& upload,
                                            std::string const& consequence);

}  // namespace runbookd::daemon
