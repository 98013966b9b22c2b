#include "planner/size_words.h"

#include <array>
#include <cstdio>

namespace runbookd::planner {

std::string size_text(std::int64_t bytes) {
  constexpr std::array units{"bytes", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f" : "%.1f", value);
  return std::string(text) + " " + units[unit];
}

}  // namespace runbookd::planner
