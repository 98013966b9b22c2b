// The tokens of PostgreSQL's own scanner. Private to planner/sql*.cpp and planner/lint/.
// Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runbookd::planner::pg {

struct Token {
  std::size_t offset = 0, length = 0;  // bytes
  bool comment = false;
  bool operator==(Token const&) const = default;
  std::string_view in(std::string_view text) const { return text.substr(offset, length); }
};
// Nothing where the text ends inside a quotation or a comment.
std::vector<Token> scan(std::string const& sql);
// The two ways in which `scan` reads: by libpg_query, and by ourselves where the text holds plain
// forms only.
std::vector<Token> scan_slowly(std::string const& sql);
std::optional<std::vector<Token>> scan_plainly(std::string_view sql);
// The parser needs stack for each level of nesting and has no bound of its own that fits ours.
bool too_deep(std::string_view sql, std::vector<Token> const& tokens);

// Keywords are ASCII: "Update" is "UPDATE".
bool same_word(std::string_view text, std::string_view upper_word);

}  // namespace runbookd::planner::pg
