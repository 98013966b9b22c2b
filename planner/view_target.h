// Plan + run + what a target has just told -> the JSON that the API shows.
#pragma once

#include <string>

#include "planner/lock_tree.h"
#include "planner/preflight.h"
#include "planner/view.h"

namespace runbookd::planner {

std::string locks_json(RunFacts const& facts, LocksSeen const& just_seen, Moment taken);
std::string preflight_json(RunFacts const& facts, Preflight const& preflight, Moment taken);

}  // namespace runbookd::planner
