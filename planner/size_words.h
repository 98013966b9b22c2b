// Sizes for people.
#pragma once

#include <cstdint>
#include <string>

namespace runbookd::planner {

std::string size_text(std::int64_t bytes);  // "1.2 GB"

}  // namespace runbookd::planner
