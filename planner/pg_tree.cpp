#include "planner/pg_tree.h"

#include <charconv>
#include <cstdlib>
#include <utility>

#include <pg_query.h>

namespace runbookd::planner::pg {
namespace {

using Kind = Value::Kind;

// The error's place comes as a count of characters from 1; all other places are bytes from 0.
std::size_t byte_offset(std::string_view text, int cursor) {
  std::size_t offset = 0;
  for (int left = cursor - 1; left > 0 && offset < text.size(); --left) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0U) == 0x80U) {
      ++offset;
    }
  }
  return offset;
}

// What is in a tree, and the text that its words stand in.
struct Source {
  explicit Source(char* answer) : json(answer), values(read_json(answer)) {}
  Source(Source const&) = delete;
  Source& operator=(Source const&) = delete;
  ~Source() { std::free(json); }

  char* json;
  std::vector<Value> values;
};

std::vector<ParsedStatement> statements_of(Node tree, std::size_t text_size) {
  std::vector<ParsedStatement> found;
  for (auto const raw : tree.list("stmts")) {
    auto const offset = static_cast<std::size_t>(raw.number("stmt_location"));
    auto const length = static_cast<std::size_t>(raw.number("stmt_len"));  // 0 = up to the end
    if (raw.has("stmt")) {
      found.push_back({raw["stmt"], offset, length == 0 ? text_size - offset : length});
    }
  }
  return found;
}

}  // namespace

Value const* Node::find(std::string_view field) const {
  if (!object() || field.empty()) {
    return nullptr;
  }
  for (auto const* member = value_->begin(); member != value_->end(); member = member->next()) {
    // most keys of a node differ in this already; a call to compare costs more than the walk
    if (member->key_size == field.size() && *member->key == field.front() &&
        member->field() == field) {
      return member;
    }
  }
  return nullptr;
}

Node Node::operator[](std::string_view field) const {
  auto const* found = find(field);
  return found != nullptr && found->kind == Kind::object ? Node(found) : Node{};
}

std::string_view Node::word(std::string_view field) const {
  auto const* found = find(field);
  return found != nullptr && found->kind == Kind::text ? found->text() : std::string_view();
}

bool Node::flag(std::string_view field) const {
  auto const* found = find(field);
  return found != nullptr && found->kind == Kind::yes;
}

std::int64_t Node::number(std::string_view field, std::int64_t missing) const {
  auto const* found = find(field);
  if (found == nullptr || found->kind != Kind::number) {
    return missing;
  }
  auto const digits = found->text();
  std::int64_t number = missing;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

Nodes Node::list(std::string_view field) const {
  auto const* found = find(field);
  return found != nullptr && found->kind == Kind::list ? Nodes(found) : Nodes();
}

std::vector<std::string> names(Nodes strings) {
  std::vector<std::string> texts;
  for (auto const node : strings) {
    if (node.is("String")) {
      texts.push_back(node.text("sval"));
    }
  }
  return texts;
}

Tree parse(std::string const& sql) {
  Tree tree;
  auto result = pg_query_parse(sql.c_str());
  if (result.error != nullptr) {
    tree.error = result.error->message;
    tree.error_offset = byte_offset(sql, result.error->cursorpos);
  } else {
    // libpg_query frees what it is left with
    auto const source = std::make_shared<Source>(std::exchange(result.parse_tree, nullptr));
    if (source->values.empty()) {
      tree.error = "the parser's answer cannot be read";
    } else {
      tree.statements = statements_of(Node(source->values.data()), sql.size());
      tree.source = source;
    }
  }
  pg_query_free_parse_result(result);
  return tree;
}

}  // namespace runbookd::planner::pg
