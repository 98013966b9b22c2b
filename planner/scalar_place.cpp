#include "planner/scalar_place.h"

#include <algorithm>

namespace runbookd::planner {
namespace {

// The blanks before the first character that is none; all of them, where there is no such
// character.
std::size_t leading_blanks(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

std::size_t skip_blank_lines(SourceText const& source, std::size_t line) {
  while (line < source.text().size() &&
         leading_blanks(source.rest_of_line(line)) == source.rest_of_line(line).size()) {
    line = source.next_line(line);
  }
  return line;
}

// A block says how far it is indented by its first line that is not blank.
void locate_block(SourceText const& source, std::size_t opening, Node& node) {
  std::string_view const text = node.text;
  std::size_t const begin = source.next_line(opening);
  std::size_t const line = skip_blank_lines(source, begin);
  auto const breaks = std::min(text.find_first_not_of(" \n"), text.size());
  auto const newline = text.substr(0, breaks).rfind('\n');
  std::size_t const kept = newline == std::string_view::npos ? breaks : breaks - newline - 1;
  std::size_t const indent = leading_blanks(source.rest_of_line(line)) -
                             std::min(kept, leading_blanks(source.rest_of_line(line)));
  node.text_spot = source.spot(begin);
  node.text_spot.column += static_cast<int>(indent);
  auto const length = text.find_last_not_of('\n') + 1;
  bool const one_line =
      begin == line && source.text().compare(line + indent, length, text, 0, length) == 0;
  bool const literal = source.text()[opening] == '|';
  node.text_indent = literal || one_line ? static_cast<int>(indent) : -1;
}

void locate_inline(SourceText const& source, std::size_t start, Node& node) {
  node.text_spot = source.spot(start);
  bool const verbatim = source.text().compare(start, node.text.size(), node.text) == 0;
  node.text_indent = verbatim && node.text.find('\n') == std::string::npos ? 0 : -1;
}

void note_comment(SourceText const& source, std::size_t start, Node& node) {
  auto const rest = source.rest_of_line(start + node.text.size());
  auto const hash = rest.find_first_not_of(" \t");
  if (node.text_indent == 0 && hash != std::string_view::npos && rest[hash] == '#') {
    node.comment = rest.substr(hash);
  }
}

}  // namespace

bool locate_scalar(SourceText const& source, std::size_t opening, Node& node) {
  if (node.plain) {
    locate_inline(source, opening, node);
    note_comment(source, opening, node);
    return true;
  }
  char const mark = opening < source.text().size() ? source.text()[opening] : ' ';
  if (mark == '|' || mark == '>') {
    locate_block(source, opening, node);
    return true;
  }
  if ((mark == '"' || mark == '\'') && !source.closing_quote(opening)) {
    return false;
  }
  locate_inline(source, opening + 1, node);
  return true;
}

}  // namespace runbookd::planner
