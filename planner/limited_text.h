// Texts that may be of any size, cut to one that can be kept or shown. Pure.
#pragma once

#include <string>
#include <string_view>

namespace runbookd::planner {

// At most so many bytes of it, never half a character, and then "… (500000 bytes)": its true size,
// also of a text that was cut before.
std::string limited(std::string_view text, std::size_t most);

// What is kept of either side of a check's result.
inline constexpr std::size_t longest_side = 4096;

}  // namespace runbookd::planner
