#include "web/ctl/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <utility>

#include "planner/words.h"

namespace runbookd::ctl {

namespace {

constexpr char32_t broken = 0xFFFD;

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

int length_of(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead < 0xE0) {
    return 2;
  }
  if (lead >= 0xE0 && lead < 0xF0) {
    return 3;
  }
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

bool is_allowed(char32_t code, int bytes) {
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  return code >= smallest[bytes] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

Character character_at(std::string_view text, std::size_t at) {
  auto const lead = static_cast<unsigned char>(text[at]);
  auto const bytes = length_of(lead);
  if (bytes == 0 || at + bytes > text.size()) {
    return {broken, 1};
  }
  char32_t code = bytes == 1 ? lead : lead & (0x7F >> bytes);
  for (int i = 1; i < bytes; ++i) {
    auto const next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0) != 0x80) {
      return {broken, 1};
    }
    code = (code << 6) | (next & 0x3F);
  }
  return is_allowed(code, bytes) ? Character{code, static_cast<std::size_t>(bytes)}
                                 : Character{broken, 1};
}

struct Range {
  char32_t first, last;
};
constexpr std::array<Range, 8> without_width{{{0x0300, 0x036F},
                                              {0x200B, 0x200F},
                                              {0x202A, 0x202E},
                                              {0x2060, 0x2069},
                                              {0x20D0, 0x20FF},
                                              {0xFE00, 0xFE0F},
                                              {0xFE20, 0xFE2F},
                                              {0xFEFF, 0xFEFF}}};
constexpr std::array<Range, 9> wide{{{0x1100, 0x115F},
                                     {0x2E80, 0xA4CF},
                                     {0xAC00, 0xD7A3},
                                     {0xF900, 0xFAFF},
                                     {0xFE30, 0xFE6F},
                                     {0xFF00, 0xFF60},
                                     {0xFFE0, 0xFFE6},
                                     {0x1F300, 0x1FAFF},
                                     {0x20000, 0x3FFFD}}};

template <std::size_t n>
bool within(std::array<Range, n> const& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](Range r) { return code >= r.first && code <= r.last; });
}

int width_of(char32_t code) {
  if (within(without_width, code)) {
    return 0;
  }
  return within(wide, code) ? 2 : 1;
}

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

// Marks that reorder the text around them could make a line lie about its content.
bool reorders(char32_t code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_clean(std::string& out, std::string_view text, std::size_t at, Character c) {
  if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
    out += ' ';
  } else if (is_control(c.code) || c.code == broken || reorders(c.code)) {
    out += '?';
  } else {
    out.append(text.substr(at, c.bytes));
  }
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  for (std::size_t at = 0; at < text.size();) {
    auto const c = character_at(text, at);
    width += width_of(c.code);
    at += c.bytes;
  }
  return width;
}

std::string clean(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto const c = character_at(text, at);
    append_clean(out, text, at, c);
    at += c.bytes;
  }
  return out;
}

std::vector<std::string> clean_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto const end = text.find('\n');
    lines.push_back(clean(text.substr(0, end)));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

std::string fit(std::string_view text, int width, std::string_view mark) {
  if (display_width(text) <= width) {
    return std::string(text);
  }
  auto const room = width - display_width(mark);
  std::string out;
  int used = 0;
  for (std::size_t at = 0; at < text.size();) {
    auto const c = character_at(text, at);
    used += width_of(c.code);
    if (used > room) {
      break;
    }
    out.append(text.substr(at, c.bytes));
    at += c.bytes;
  }
  return room >= 0 ? out + std::string(mark) : std::string();
}

std::string pad(std::string text, int width) {
  auto const used = display_width(text);
  return used < width ? text.append(width - used, ' ') : text;
}

std::vector<std::string> wrap(std::string_view text, int width, int most, std::string_view mark) {
  std::vector<std::string> lines;
  std::string line;
  auto words = split(text, ' ');
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto const longer = line.empty() ? words[i] : line + ' ' + words[i];
    if (display_width(longer) <= width || line.empty()) {
      line = longer;
    } else if (static_cast<int>(lines.size()) + 1 < most) {
      lines.push_back(std::exchange(line, words[i]));
    } else {
      line = longer;  // too long on purpose: the cut below marks it
      break;
    }
  }
  if (!line.empty()) {
    lines.push_back(line);
  }
  for (auto& each : lines) {
    each = fit(each, width, mark);
  }
  return lines;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto const end = text.find(separator);
    if (auto const part = text.substr(0, end); !part.empty()) {
      parts.emplace_back(part);
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

std::string shell_quote(std::string_view word) {
  auto const plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_-./:@%+=,").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) {
    return std::string(word);
  }
  std::string out = "'";
  for (char const c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

namespace {

int distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      auto const replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, std::vector<std::string> const& candidates) {
  auto const closer = [word](auto const& a, auto const& b) {
    return distance(word, a) < distance(word, b);
  };
  auto const best = std::min_element(candidates.begin(), candidates.end(), closer);
  auto const limit = std::max<int>(2, static_cast<int>(word.size()) / 3);
  return best != candidates.end() && distance(word, *best) <= limit ? *best : std::string();
}

}  // namespace runbookd::ctl
