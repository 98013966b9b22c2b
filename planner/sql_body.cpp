#include "planner/sql_body.h"

#include <algorithm>

namespace runbookd::planner::pg {
namespace {

// Where a statement of the procedural language may begin: after one of these.
bool opens_statement(std::string_view token) {
  return token == ";" || same_word(token, "BEGIN") || same_word(token, "LOOP") ||
         same_word(token, "THEN") || same_word(token, "ELSE");
}

std::string_view telling_word(std::string_view token) {
  for (std::string_view const word :
       {"UPDATE", "DELETE", "COMMIT", "ROLLBACK", "ALTER", "CLUSTER", "CREATE", "DROP", "INSERT",
        "LOCK", "MERGE", "REFRESH", "REINDEX", "TRUNCATE", "VACUUM"}) {
    if (same_word(token, word)) {
      return word;
    }
  }
  return "";
}

std::size_t end_of_statement(std::string const& body, std::vector<Token> const& tokens,
                             std::size_t from) {
  auto const end = std::find_if(tokens.begin() + static_cast<std::ptrdiff_t>(from), tokens.end(),
                                [&](Token const& token) { return token.in(body) == ";"; });
  return end == tokens.end() ? body.size() : end->offset;
}

}  // namespace

std::vector<BodyStatement> body_statements(std::string const& body) {
  auto tokens = scan(body);
  std::erase_if(tokens, [](Token const& token) { return token.comment; });
  std::vector<BodyStatement> found;
  int loops = 0;
  std::string_view before = ";";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    auto const word = tokens[i].in(body);
    if (same_word(word, "LOOP")) {
      loops += same_word(before, "END") ? -1 : 1;
    }
    if (auto const first = telling_word(word); !first.empty() && opens_statement(before)) {
      auto const begin = tokens[i].offset;
      auto const end = end_of_statement(body, tokens, i);
      found.push_back({std::string(first), body.substr(begin, end - begin), begin, loops > 0});
    }
    before = word;
  }
  return found;
}

std::string do_body(Node statement) {
  if (!statement.is("DoStmt")) {
    return "";
  }
  for (auto const& argument : statement.list("args")) {
    if (argument.text("defname") == "as") {
      return argument["arg"].text("sval");
    }
  }
  return "";
}

}  // namespace runbookd::planner::pg
