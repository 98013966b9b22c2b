// SQL that cannot be read, and what its author had better write. Private to planner/sql*.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "planner/diagnostic.h"
#include "planner/pg_tree.h"
#include "planner/plan.h"

namespace runbookd::planner::pg {

// An error at a byte offset of the text.
Finding problem(SqlText const& sql, std::size_t offset, std::string rule, std::string message,
                std::string fix = "");
// Bytes `from` up to `to`, still knowing their place.
SqlText slice(SqlText const& script, std::size_t from, std::size_t to);
// Slices of one script, none before the last: each line of it is walked over once.
class Slices {
 public:
  explicit Slices(SqlText const& script) : script_(script), place_(script.place) {}
  SqlText next(std::size_t from, std::size_t to);

 private:
  SqlText const& script_;
  std::size_t at_ = 0;
  Place place_;
};

// What must be known before the text may go near the parser at all.
Findings unreadable(SqlText const& sql);
// Every syntax error of the script; `tree` is what the parser said to the whole of it.
Findings syntax_findings(SqlText const& script, Tree const& tree);
// The one that `tree` holds.
Finding syntax_error(SqlText const& sql, Tree const& tree);
constexpr int parser_major = 15;
// What that is where the oldest server that the SQL is for may know more than the parser: then
// nobody here can tell, and it is passed on.
Finding maybe_newer(Finding syntax_error, std::string const& text, int oldest_server);

struct Piece {
  std::size_t begin = 0, end = 0;
};
// Every statement of a text that does not parse as a whole, without its semicolon.
std::vector<Piece> split(std::string const& text, std::vector<Token> const& tokens);
Statement statement_of(SqlText text, Node node);
// One that cannot be read, as far as its words tell.
Statement unread_statement(SqlText text);

// UPDATE … LIMIT is the mistake of people who know MySQL; they want batches.
bool limits_a_row_change(std::string const& text, std::size_t error);

bool copies_through_client(Node statement);
Finding copy_problem(SqlText const& sql, std::size_t offset);

}  // namespace runbookd::planner::pg
