// A plan for readers: phases, steps with their SQL, checks, the way back.
#pragma once

#include "planner/plan.h"
#include "web/ctl/line.h"
#include "web/ctl/render.h"

namespace runbookd::ctl {

Lines render_plan(planner::Plan const& plan, View const& view);

}  // namespace runbookd::ctl
