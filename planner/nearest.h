// "Did you mean": the known name that a wrong one resembles.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runbookd::planner {

// Empty = nothing is near enough to be meant.
std::string nearest(std::string_view wrong, std::vector<std::string> const& known);

}  // namespace runbookd::planner
