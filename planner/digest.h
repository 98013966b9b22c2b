// SHA-256, the only digest here: addresses plans and chains events.
#pragma once

#include <string>
#include <string_view>

namespace runbookd::planner {

std::string sha256_hex(std::string_view bytes);   // 64 lower-case hexadecimal digits
std::string digest_text(std::string_view bytes);  // "sha256:" and those

}  // namespace runbookd::planner
