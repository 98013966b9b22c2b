#include "planner/source_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "planner/utf8.h"

namespace runbookd::planner {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::string without_carriage_returns(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\r' || i + 1 == raw.size() || raw[i + 1] != '\n') {
      text += raw[i];
    }
  }
  return text;
}

// The value of `\uXXXX` at `at`, or nothing.
std::optional<unsigned> unit_at(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text.substr(at, 2) != "\\u") {
    return std::nullopt;
  }
  unsigned value = 0;
  auto const* first = text.data() + at + 2;
  auto const [end, error] = std::from_chars(first, first + 4, value, 16);
  return error == std::errc{} && end == first + 4 ? std::optional{value} : std::nullopt;
}

std::optional<unsigned> pair_at(std::string_view text, std::size_t at) {
  auto const high = unit_at(text, at);
  auto const low = unit_at(text, at + 6);
  bool const pair =
      high && low && *high >= 0xD800 && *high < 0xDC00 && *low >= 0xDC00 && *low < 0xE000;
  return pair ? std::optional{0x10000U + ((*high - 0xD800U) << 10U) + (*low - 0xDC00U)}
              : std::nullopt;
}

std::string long_escape(unsigned character) {
  std::array<char, 8> digits{};
  auto const end = std::to_chars(digits.begin(), digits.end(), character, 16).ptr;
  auto const length = static_cast<std::size_t>(end - digits.begin());
  return "\\U" + std::string(8 - length, '0') + std::string(digits.data(), length);
}

// JSON writes characters beyond U+FFFF as two escapes, which YAML does not know.
std::string with_joined_pairs(std::string text) {
  auto const first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos || text[first] != '{' || text.find("\\u") == std::string::npos) {
    return text;
  }
  std::string joined;
  for (std::size_t i = 0; i < text.size();) {
    if (auto const character = pair_at(text, i)) {
      joined += long_escape(*character);
      i += 12;
    } else {
      std::size_t const length = text[i] == '\\' ? 2 : 1;  // `\\u` is no escape of a character
      joined += text.substr(i, length);
      i += length;
    }
  }
  return joined;
}

std::vector<std::size_t> starts_of_lines(std::string_view text) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      starts.push_back(i + 1);
    }
  }
  return starts;
}

std::vector<std::size_t> continuations_in(std::string_view text) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (continues_character(text[i])) {
      found.push_back(i);
    }
  }
  return found;
}

bool is_forbidden(std::string_view text, std::size_t at) {
  auto const c = static_cast<unsigned char>(text[at]);
  bool const line_end = c == '\n' || c == '\t' || (c == '\r' && text.substr(at, 2) == "\r\n");
  return c < 0x20 && !line_end;
}

Finding unreadable(std::string message, std::string fix) {
  return {.rule = "plan/syntax", .message = std::move(message), .fix = std::move(fix)};
}

Finding bad_character(std::string_view text, std::size_t at, std::string const& file) {
  Finding finding =
      text[at] == '\0'
          ? unreadable("a NUL byte stands here, which no SQL text can hold",
                       "save the file as plain UTF-8 text")
          : unreadable(
                "a control character stands here, which plan files cannot hold",
                "remove it, or write it as an escape such as \"\\u0007\" in quotation marks");
  std::size_t const line = static_cast<std::size_t>(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  auto const before = text.substr(0, at).rfind('\n');
  std::size_t const start = before == std::string_view::npos ? 0 : before + 1;
  finding.place = {file, static_cast<int>(line) + 1, static_cast<int>(at - start) + 1};
  return finding;
}

}  // namespace

Findings text_findings(std::string_view text, std::string const& file) {
  if (text.size() > max_document_bytes) {
    Finding finding = unreadable(
        "the file holds " + std::to_string(text.size()) + " bytes; more than 8 MiB are not read",
        "move data out of the plan, or split the plan");
    finding.place = {file, 0, 0};
    return {finding};
  }
  for (std::size_t at = 0; at < text.size();) {
    std::size_t const length = character_length(text, at);
    if (length == 0) {
      Finding finding = bad_character(text, at, file);
      finding.message = "the bytes here are not valid UTF-8";
      finding.fix = "save the file in UTF-8";
      return {finding};
    }
    if (is_forbidden(text, at)) {
      return {bad_character(text, at, file)};
    }
    at += length;
  }
  return {};
}

SourceText::SourceText(std::string_view raw) {
  if (raw.starts_with(byte_order_mark)) {
    raw.remove_prefix(byte_order_mark.size());
  }
  text_ = with_joined_pairs(without_carriage_returns(raw));
  line_starts_ = starts_of_lines(text_);
  continuations_ = continuations_in(text_);
}

std::size_t SourceText::line_index(std::size_t offset) const {
  auto const after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<std::size_t>(after - line_starts_.begin()) - 1;
}

Spot SourceText::spot(std::size_t offset) const {
  std::size_t const at = std::min(offset, text_.size());
  std::size_t const line = line_index(at);
  auto const first =
      std::lower_bound(continuations_.begin(), continuations_.end(), line_starts_[line]);
  auto const last = std::lower_bound(first, continuations_.end(), at);
  auto const characters = static_cast<std::ptrdiff_t>(at - line_starts_[line]) - (last - first);
  return {static_cast<int>(line) + 1, static_cast<int>(characters) + 1};
}

std::string_view SourceText::rest_of_line(std::size_t offset) const {
  std::size_t const at = std::min(offset, text_.size());
  std::size_t const next = line_index(at) + 1;
  std::size_t const end = next < line_starts_.size() ? line_starts_[next] - 1 : text_.size();
  return std::string_view(text_).substr(at, end - at);
}

std::size_t SourceText::next_line(std::size_t offset) const {
  std::size_t const next = line_index(offset) + 1;
  return next < line_starts_.size() ? line_starts_[next] : text_.size();
}

std::optional<std::size_t> SourceText::closing_quote(std::size_t offset) const {
  char const quote = text_.at(offset);
  for (std::size_t i = offset + 1; i < text_.size(); ++i) {
    bool const pair = quote == '\'' && text_.compare(i, 2, "''") == 0;
    if (pair || (quote == '"' && text_[i] == '\\')) {
      ++i;  // an escaped character
    } else if (text_[i] == quote) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace runbookd::planner
