// The parse tree and the tokens of PostgreSQL's own parser, as small values. Private to
// planner/sql*.cpp and planner/lint/; nothing else sees libpg_query or the JSON in which it
// hands out its trees. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace runbookd::planner::pg {

// One node; cheap to copy; valid as long as its Tree. A node that is not there answers with
// nothing.
class Node {
 public:
  struct Child;

  Node() = default;
  explicit Node(nlohmann::json const* value);
  explicit operator bool() const { return value_ != nullptr; }

  std::string_view type() const {
    return type_;
  }  // "AlterTableStmt"; empty where the field says it
  bool is(std::string_view type) const { return type_ == type; }
  bool has(std::string_view field) const;
  Node operator[](std::string_view field) const;
  std::string text(std::string_view field) const;
  bool flag(std::string_view field) const;
  std::int64_t number(std::string_view field, std::int64_t missing = 0) const;
  std::vector<Node> list(std::string_view field) const;
  std::vector<Child> children() const;

 private:
  std::string_view type_;
  nlohmann::json const* value_ = nullptr;
};
struct Node::Child {
  std::string_view field;
  Node node;
};

// The node and everything below it, top first. Where `skip` names a field, that branch is left out.
std::vector<Node> every(Node root, std::string_view skip = "");
// {"a", "b"} of a list of String nodes such as a qualified name.
std::vector<std::string> names(std::vector<Node> const& strings);

struct ParsedStatement {
  Node node;
  std::size_t offset = 0;  // bytes; may start with blanks and comments
  std::size_t length = 0;
};
// SQL that the parser does not know, and that was read all the same: what it says is in the tree.
struct Newer {
  std::string_view words;  // "[NOT] ENFORCED"
  int since = 0;           // the first major version that knows it
  std::size_t offset = 0;  // bytes
};
struct Tree {
  std::shared_ptr<nlohmann::json const> json;  // what the nodes point into
  std::vector<ParsedStatement> statements;
  std::string error;             // the server parser's words; empty = parsed
  std::size_t error_offset = 0;  // bytes
  std::vector<Newer> newer;
  bool ok() const { return error.empty(); }
};
// The text must be valid UTF-8 without NUL, and not too_deep.
Tree parse(std::string const& sql);

struct Token {
  std::size_t offset = 0, length = 0;  // bytes
  bool comment = false;
  std::string_view in(std::string_view text) const { return text.substr(offset, length); }
};
// Nothing where the text ends inside a quotation or a comment.
std::vector<Token> scan(std::string const& sql);
// The parser needs stack for each level of nesting and has no bound of its own that fits ours.
bool too_deep(std::string_view sql, std::vector<Token> const& tokens);

// Keywords are ASCII: "Update" is "UPDATE".
bool same_word(std::string_view text, std::string_view upper_word);

}  // namespace runbookd::planner::pg
