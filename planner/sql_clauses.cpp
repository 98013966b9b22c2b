#include "planner/sql_clauses.h"

#include <algorithm>

#include "planner/pg_tree.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

// The clause was laid out for the place where it stood. Blanks within quotation marks count.
std::string on_one_line(std::string const& clause) {
  if (clause.find_first_of("'\"$") != std::string::npos) {
    return clause;
  }
  std::string line;
  for (char const c : clause) {
    bool const blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank || !line.ends_with(' ')) {
      line += blank ? ' ' : c;
    }
  }
  return line;
}

// A comment to the end of the line would swallow what the daemon puts behind the clause.
std::string without_comments(std::string clause) {
  auto const tokens = pg::scan(clause);
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
    if (token->comment) {
      clause.erase(token->offset, token->length);
    }
  }
  return on_one_line(trimmed(clause));
}

}  // namespace

Clauses::Clauses(std::string const& text, std::span<std::string_view const> keywords)
    : text_(text) {
  int depth = 0;
  for (auto const& token : pg::scan(text)) {
    auto const word = token.in(text);
    depth += word == "(" ? 1 : word == ")" ? -1 : 0;
    auto const keyword =
        std::ranges::find_if(keywords, [&](std::string_view k) { return pg::same_word(word, k); });
    if (depth == 0 && !token.comment && keyword != keywords.end() && !starts_.contains(*keyword)) {
      starts_[*keyword] = {token.offset, token.offset + token.length};
    }
  }
}

std::string Clauses::operator[](std::string_view keyword) const {
  auto const found = starts_.find(keyword);
  if (found == starts_.end()) {
    return "";
  }
  auto end = text_.size();
  for (auto const& [other, range] : starts_) {
    end = range.first > found->second.first ? std::min(end, range.first) : end;
  }
  return without_comments(text_.substr(found->second.second, end - found->second.second));
}

}  // namespace runbookd::planner
