// A line of output as spans with a meaning, so that widths are counted before colours are added.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runbookd::ctl {

enum class Tone { plain, dim, strong, good, active, waiting, bad };

// What the terminal may be shown.
struct Look {
  bool colour = false;
  bool unicode = false;
  std::string_view cut() const { return unicode ? "…" : "..."; }
  std::string_view arrow() const { return unicode ? "→" : "->"; }
  std::string_view dash() const { return unicode ? "–" : "-"; }
};

class Line {
 public:
  Line() = default;
  explicit Line(std::string text) { add(std::move(text)); }

  // It is to be pasted: printed to its end, however wide that is.
  Line& whole() {
    whole_ = true;
    return *this;
  }
  // Text from the daemon is cleaned here, once.
  Line& add(std::string_view text, Tone tone = Tone::plain);
  Line& add(Line const& other);
  Line& column(int at);  // blanks up to this column, at least one
  int width() const;
  bool empty() const { return spans_.empty(); }
  // At most `width` columns (0 = any), without blanks at the end, with colours if the look has
  // them.
  std::string print(Look look, int width = 0) const;

 private:
  struct Span {
    Tone tone;
    std::string text;
  };
  Line trimmed() const;
  std::vector<Span> spans_;
  bool whole_ = false;
};
using Lines = std::vector<Line>;

std::vector<std::string> print(Lines const& lines, Look look, int width = 0);

// A state's icon and its tone; the word always stands beside it.
std::string_view icon_for(std::string_view state, Look look);
Tone tone_for(std::string_view state);

}  // namespace runbookd::ctl
