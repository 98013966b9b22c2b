// What a target tells about a run, as lines for people: locks, and what stands in a phase's way.
#pragma once

#include "web/ctl/json.h"
#include "web/ctl/line.h"
#include "web/ctl/render.h"

namespace runbookd::ctl {

Lines render_locks(Json const& locks, View const& view);
Lines render_preflight(Json const& preflight, View const& view);
// Only what is not well; nothing where all is, or was not looked at.
// `with_next`: with what may be done about it, which is for a look of this moment.
Lines render_warnings(Json const& preflight, int indent, bool with_next = true);

}  // namespace runbookd::ctl
