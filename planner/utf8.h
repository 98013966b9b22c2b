// Which bytes are UTF-8. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace runbookd::planner {

// Bytes of the character at `at`, 0 = not UTF-8 (overlong forms and surrogates are not).
std::size_t character_length(std::string_view text, std::size_t at);
// Position of the first byte that is no UTF-8; npos = all is well.
std::size_t bad_utf8(std::string_view text);

}  // namespace runbookd::planner
