// Which commands move a run on.
#pragma once

#include <string>
#include <vector>

#include "web/ctl/json.h"

namespace runbookd::ctl {

std::string next_command(Json const& snapshot);
// Sentences with the other commands that a failed run allows and its message does not name.
std::vector<std::string> other_ways(Json const& snapshot);

}  // namespace runbookd::ctl
