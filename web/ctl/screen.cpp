#include "web/ctl/screen.h"

namespace runbookd::ctl {

namespace {

constexpr auto hide_cursor = "\x1b[?25l";
constexpr auto show_cursor = "\x1b[?25h";
constexpr auto clear_line_end = "\x1b[K";
constexpr auto clear_below = "\x1b[J";

std::string up(std::size_t lines) {
  return lines == 0 ? std::string("\r") : "\r\x1b[" + std::to_string(lines) + "A";
}

}  // namespace

Screen::~Screen() {
  if (hidden_cursor_) {
    out_ << show_cursor << std::flush;
  }
}

void Screen::draw(std::vector<std::string> const& lines) {
  if (!fresh_ && lines == shown_) {
    return;
  }
  // one write, so that no half picture is ever seen
  std::string bytes = hidden_cursor_ ? "" : hide_cursor;
  bytes += fresh_ && hidden_cursor_ ? "\x1b[2J\x1b[H" : up(shown_.size());
  for (auto const& line : lines) {
    bytes += line + clear_line_end + "\n";
  }
  out_ << bytes << clear_below << std::flush;
  shown_ = lines;
  fresh_ = false;
  hidden_cursor_ = true;
}

}  // namespace runbookd::ctl
