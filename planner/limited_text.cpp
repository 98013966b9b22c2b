#include "planner/limited_text.h"

#include <algorithm>

namespace runbookd::planner {
namespace {

constexpr std::string_view mark = "… (", unit = " bytes)";

bool goes_on(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Where the note of an earlier cut begins; npos = it was not cut.
std::size_t note_of(std::string_view text) {
  auto const at = text.rfind(mark);
  if (at == std::string_view::npos || !text.ends_with(unit)) {
    return std::string_view::npos;
  }
  auto const size = text.substr(at + mark.size());
  return all_digits(size.substr(0, size.size() - unit.size())) ? at : std::string_view::npos;
}

}  // namespace

std::string limited(std::string_view text, std::size_t most) {
  auto const cut_before = note_of(text);
  auto const body = text.substr(0, cut_before);
  if (body.size() <= most) {
    return std::string(text);
  }
  auto const note = cut_before == std::string_view::npos
                        ? std::string(mark) + std::to_string(text.size()) + std::string(unit)
                        : std::string(text.substr(cut_before));
  auto end = most;
  while (end > 0 && goes_on(body[end])) {
    --end;
  }
  return std::string(body.substr(0, end)) + note;
}

}  // namespace runbookd::planner
