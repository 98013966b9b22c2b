#include "planner/size.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace runbookd::planner {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t bytes;
};
constexpr std::array units{Unit{"TB", 1LL << 40}, Unit{"GB", 1LL << 30}, Unit{"MB", 1LL << 20},
                           Unit{"kB", 1LL << 10}, Unit{"B", 1}};

}  // namespace

std::optional<std::int64_t> parse_size(std::string_view text) {
  std::int64_t count = 0;
  auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem != std::errc{} || count < 0) {
    return std::nullopt;
  }
  auto name = text.substr(static_cast<std::size_t>(end - text.data()));
  name.remove_prefix(name.starts_with(' ') ? 1 : 0);
  for (auto const& unit : units) {
    if (unit.name == name && count <= std::numeric_limits<std::int64_t>::max() / unit.bytes) {
      return count * unit.bytes;
    }
  }
  return std::nullopt;
}

std::string size_text(std::int64_t bytes) {
  for (auto const& unit : units) {
    if (bytes != 0 && bytes % unit.bytes == 0) {
      return std::to_string(bytes / unit.bytes).append(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

std::string size_words(double bytes) {
  constexpr std::array units_of_people{"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units_of_people.size()) {
    bytes /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f" : "%.1f", bytes);
  return std::string(text.data()) + " " + units_of_people[unit];
}

std::string grouped(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto at = std::ssize(text) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

}  // namespace runbookd::planner
