// The clauses of one statement, by the keyword that opens each, outside of parentheses: also where
// the parser knows no such statement (UPDATE … LIMIT). Private to planner/sql_batch*. Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace runbookd::planner {

class Clauses {
 public:
  Clauses(std::string const& text, std::span<std::string_view const> keywords);

  bool has(std::string_view keyword) const { return starts_.contains(keyword); }
  std::size_t at(std::string_view keyword) const { return starts_.at(keyword).first; }
  // Without comments; laid out on one line where that is harmless.
  std::string operator[](std::string_view keyword) const;

 private:
  std::string const& text_;
  std::map<std::string_view, std::pair<std::size_t, std::size_t>> starts_;
};

}  // namespace runbookd::planner
