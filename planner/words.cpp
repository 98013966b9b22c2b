#include "planner/words.h"

#include <algorithm>

namespace runbookd::planner {

std::string trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(" \t\r\n");
  auto const last = text.find_last_not_of(" \t\r\n");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string joined(std::vector<std::string> const& parts, std::string_view between) {
  std::string out;
  for (auto const& part : parts) {
    out.append(out.empty() ? std::string_view() : between).append(part);
  }
  return out;
}

}  // namespace runbookd::planner
