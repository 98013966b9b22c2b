// Small works on words, for all who cut texts or put them together. ASCII alone has cases. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runbookd::planner {

std::string trimmed(std::string_view text);  // of blanks, tabs and ends of lines around it
std::string lower(std::string_view text);
std::string joined(std::vector<std::string> const& parts, std::string_view between = ", ");

}  // namespace runbookd::planner
