// What a run has recorded, for the document of its plan.
#pragma once

#include <string>
#include <vector>

#include "planner/render.h"
#include "web/ctl/json.h"

namespace runbookd::ctl {

// `snapshot`: the run; `steps`: the document of each step, with its attempts.
planner::RunRecord record_of(Json const& snapshot, std::vector<Json> const& steps);

}  // namespace runbookd::ctl
