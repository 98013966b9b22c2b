// Amounts of bytes as people write them: "50MB", "5GB". Units are powers of 1024, as PostgreSQL's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace runbookd::planner {

// A bare number is refused: a unit is always said. Units: B, kB, MB, GB, TB.
std::optional<std::int64_t> parse_size(std::string_view text);
// The shortest exact spelling: 52'428'800 -> "50MB".
std::string size_text(std::int64_t bytes);
// For people, rounded: "1.2 GB".
std::string size_words(double bytes);

// "8,000,000"
std::string grouped(std::int64_t number);

}  // namespace runbookd::planner
