// What the daemon says of a run, wrapped; the commands in it stand whole, so that they can be
// pasted.
#include <string_view>

#include "web/ctl/render.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

constexpr std::string_view program = "runbookctl ";

struct Piece {
  std::string text;
  bool is_command = false;
};

// A command goes to the end of its part of the sentence.
std::vector<Piece> pieces_of(std::string_view message) {
  std::vector<Piece> pieces;
  while (!message.empty()) {
    bool const command = message.starts_with(program);
    auto const end = command ? message.find("; ") : message.find(program);
    auto const next = end == std::string_view::npos ? message.size() : end + (command ? 2 : 0);
    auto text = message.substr(0, end);
    text.remove_suffix(text.ends_with(' ') ? 1 : 0);
    pieces.push_back({std::string(text), command});
    message.remove_prefix(next);
  }
  return pieces;
}

}  // namespace

Lines render_message(std::string const& message, int indent, int most, View const& view) {
  auto const text = clean(message);
  auto const room = view.width - indent;
  auto const line = [indent](std::string const& words) {
    return indent > 0 ? Line().column(indent).add(words) : Line().add(words);
  };
  if (display_width(text) <= room) {
    return text.empty() ? Lines() : Lines{line(text)};
  }
  // a screen that is drawn again counts its lines: there a command is broken, at its blanks
  bool const redrawn = view.height > 0;
  constexpr int any_number = 1000;
  Lines lines;
  for (auto const& piece : pieces_of(text)) {
    if (piece.is_command && !redrawn) {
      lines.push_back(line(piece.text).whole());
      continue;
    }
    auto const count = piece.is_command ? any_number : most;
    for (auto const& each : wrap(piece.text, room, count, view.look.cut())) {
      lines.push_back(line(each));
    }
  }
  return lines;
}

}  // namespace runbookd::ctl
