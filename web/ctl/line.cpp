#include "web/ctl/line.h"

#include <algorithm>
#include <array>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::dim:
      return "\x1b[2m";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::active:
      return "\x1b[36m";
    case Tone::waiting:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
  }
  __builtin_unreachable();
}

std::string painted(std::string const& text, Tone tone, Look look) {
  auto const code = code_of(tone);
  if (!look.colour || code.empty() || text.empty()) {
    return text;
  }
  return std::string(code) + text + "\x1b[0m";
}

struct Face {
  std::string_view state;
  std::string_view unicode, ascii;
  Tone tone;
};
constexpr std::array<Face, 28> faces{{
    {"pending", "○", ".", Tone::dim},
    {"gated", "◇", "o", Tone::waiting},
    {"waiting", "◇", "o", Tone::waiting},
    {"running", "▶", ">", Tone::active},
    {"validating", "▶", ">", Tone::active},
    {"soaking", "◔", "~", Tone::active},
    {"pausing", "▶", ">", Tone::waiting},
    {"paused", "‖", "=", Tone::waiting},
    {"succeeded", "✔", "+", Tone::good},
    {"passed", "✔", "+", Tone::good},
    {"failed", "✘", "!", Tone::bad},
    {"error", "✘", "!", Tone::bad},
    {"open", "○", ".", Tone::dim},
    {"retry_scheduled", "↻", "~", Tone::waiting},
    {"interrupted", "◼", "#", Tone::waiting},
    {"skipped", "↷", "-", Tone::waiting},
    {"accepted", "↷", "-", Tone::waiting},
    {"partly_skipped", "↷", "-", Tone::waiting},
    {"mismatch", "✘", "!", Tone::bad},
    {"unknown", "?", "?", Tone::bad},
    {"lost", "?", "?", Tone::bad},
    {"attention", "?", "?", Tone::bad},
    {"reverting", "◀", "<", Tone::active},
    {"reverted", "↩", "<", Tone::dim},
    {"revert_failed", "✘", "!", Tone::bad},
    {"cancelling", "▶", ">", Tone::waiting},
    {"rolled_back", "↩", "<", Tone::waiting},
    {"cancelled", "◼", "#", Tone::waiting},
}};

Face face_of(std::string_view state) {
  auto const found = std::find_if(faces.begin(), faces.end(),
                                  [state](Face const& face) { return face.state == state; });
  return found == faces.end() ? Face{state, "·", "*", Tone::plain} : *found;
}

}  // namespace

Line& Line::add(std::string_view text, Tone tone) {
  if (!text.empty()) {
    spans_.push_back({tone, clean(text)});
  }
  return *this;
}

Line& Line::add(Line const& other) {
  spans_.insert(spans_.end(), other.spans_.begin(), other.spans_.end());
  return *this;
}

Line& Line::column(int at) { return add(std::string(std::max(1, at - width()), ' ')); }

int Line::width() const {
  int sum = 0;
  for (auto const& span : spans_) {
    sum += display_width(span.text);
  }
  return sum;
}

Line Line::trimmed() const {
  auto line = *this;
  while (!line.spans_.empty()) {
    auto& text = line.spans_.back().text;
    text.erase(text.find_last_not_of(' ') + 1);
    if (!text.empty()) {
      break;
    }
    line.spans_.pop_back();
  }
  return line;
}

std::string Line::print(Look look, int width) const {
  auto const line = trimmed();
  auto const too_wide = width > 0 && !whole_ && line.width() > width;
  auto room = too_wide ? width - display_width(look.cut()) : 1 << 20;
  std::string out;
  for (auto const& span : line.spans_) {
    auto const text = fit(span.text, room, "");
    out += painted(text, span.tone, look);
    room -= display_width(text);
    if (text.size() < span.text.size()) {
      break;
    }
  }
  return too_wide ? out.append(look.cut()) : out;
}

std::vector<std::string> print(Lines const& lines, Look look, int width) {
  std::vector<std::string> out;
  for (auto const& line : lines) {
    out.push_back(line.print(look, width));
  }
  return out;
}

std::string_view icon_for(std::string_view state, Look look) {
  auto const face = face_of(state);
  return look.unicode ? face.unicode : face.ascii;
}

Tone tone_for(std::string_view state) { return face_of(state).tone; }

}  // namespace runbookd::ctl
