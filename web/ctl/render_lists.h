// Tables and documents other than the run itself, as lines.
#pragma once

#include <string>
#include <vector>

#include "web/ctl/json.h"
#include "web/ctl/line.h"
#include "web/ctl/render.h"

namespace runbookd::ctl {

// Columns as wide as their content; two blanks between.
Lines table(std::vector<std::string> const& head, std::vector<Lines> const& rows);

Lines render_runs(Json const& rows, View const& view);    // run list
Lines render_plans(Json const& rows, View const& view);   // plan list
Lines render_active(Json const& rows, View const& view);  // status: what each waits for
Lines render_preview(Json const& preview);                // rollback --preview
Lines render_step(Json const& step, View const& view);    // one step with SQL and attempts
Line render_event(Json const& event, View const& view);   // one line

}  // namespace runbookd::ctl
