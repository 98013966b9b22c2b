// SHA-256, the only digest here: addresses plans, chains events and stands for secrets.
#pragma once

#include <string>
#include <string_view>

namespace runbookd::planner {

std::string sha256_hex(std::string_view bytes);   // 64 lower-case hexadecimal digits
std::string digest_text(std::string_view bytes);  // "sha256:" and those
// How long it takes tells nothing about where they differ.
bool same_digest(std::string_view one, std::string_view other);

}  // namespace runbookd::planner
