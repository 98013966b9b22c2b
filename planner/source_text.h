// The raw text of a document, before any parser: what may stand in it, and where a byte of it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/document.h"

namespace runbookd::planner {

class SourceText {
 public:
  // Drops a byte order mark, turns CR LF into LF, and in JSON joins the two halves of an escaped
  // character.
  explicit SourceText(std::string_view raw);

  std::string const& text() const { return text_; }
  Spot spot(std::size_t offset) const;

  // The line that begins at or holds `offset`, without its end.
  std::string_view rest_of_line(std::size_t offset) const;
  std::size_t next_line(std::size_t offset) const;

  // Where a quoted value that opens at `offset` closes; nothing = never.
  std::optional<std::size_t> closing_quote(std::size_t offset) const;

 private:
  std::size_t line_index(std::size_t offset) const;

  // A document may be one line of megabytes, so no question about a place may walk along its line.
  std::string text_;
  std::vector<std::size_t> line_starts_;
  std::vector<std::size_t> continuations_;  // bytes that begin no character
};

}  // namespace runbookd::planner
