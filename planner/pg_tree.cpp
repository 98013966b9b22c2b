#include "planner/pg_tree.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <pg_query.h>

#include "planner/pg_newer.h"

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

using Text = std::unique_ptr<char, decltype([](char* text) { std::free(text); })>;

// What is in a tree, and the text that its words stand in.
struct Source {
  explicit Source(Text answer) : json(std::move(answer)), values(read_json(json.get())) {}

  Text json;
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

struct Answer {
  Text json;  // nothing where there is an error
  std::string error;
  std::size_t error_offset = 0;
};

Answer ask(std::string const& sql) {
  Answer answer;
  auto result = pg_query_parse(sql.c_str());
  if (result.error != nullptr) {
    answer.error = result.error->message;
    answer.error_offset = byte_offset(sql, result.error->cursorpos);
  } else {
    // libpg_query frees what it is left with
    answer.json.reset(std::exchange(result.parse_tree, nullptr));
  }
  pg_query_free_parse_result(result);
  return answer;
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
  auto answer = ask(sql);
  std::optional<OlderText> older;
  constexpr int most = 64;  // of newer forms in one text
  for (int i = 0; !answer.error.empty() && i < most; ++i) {
    if (!older) {
      older.emplace(sql);
    }
    if (!older->rewrite(answer.error_offset)) {
      break;
    }
    answer = ask(older->text());
  }
  Tree tree{.error = std::move(answer.error), .error_offset = answer.error_offset};
  if (older && !older->found().empty()) {
    tree.error_offset = older->original(answer.error_offset);
    tree.newer = older->found();
    if (answer.json) {
      answer.json.reset(strdup(older->restored(answer.json.get()).c_str()));
    }
  }
  if (tree.ok()) {
    auto const source = std::make_shared<Source>(std::move(answer.json));
    if (source->values.empty()) {
      tree.error = "the parser's answer cannot be read";
      return tree;
    }
    tree.statements = statements_of(Node(source->values.data()), sql.size());
    tree.source = source;
  }
  return tree;
}

}  // namespace runbookd::planner::pg
