#include "planner/pg_tree.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <pg_query.h>

#include "planner/pg_newer.h"

namespace runbookd::planner::pg {
namespace {

using Json = nlohmann::json;

// A node whose type is not fixed by its field is wrapped: {"ColumnRef": {…}}. Fields begin in lower
// case.
bool is_wrapper(Json const& value) {
  if (!value.is_object() || value.size() != 1) {
    return false;
  }
  auto const& key = value.begin().key();
  return !key.empty() && key.front() >= 'A' && key.front() <= 'Z' && value.begin()->is_object();
}

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

std::vector<ParsedStatement> statements_of(Json const& tree, std::size_t text_size) {
  std::vector<ParsedStatement> found;
  auto const list = tree.find("stmts");
  if (list == tree.end()) {
    return found;
  }
  for (auto const& raw : *list) {
    auto const offset = raw.value("stmt_location", std::size_t{0});
    auto const length = raw.value("stmt_len", std::size_t{0});  // 0 = up to the end
    if (!raw.contains("stmt")) {
      continue;
    }
    found.push_back({Node(&raw["stmt"]), offset, length == 0 ? text_size - offset : length});
  }
  return found;
}

// Just enough of the protocol buffer wire form for the scanner's answer.
class Wire {
 public:
  explicit Wire(std::string_view bytes) : bytes_(bytes) {}
  bool done() const { return at_ >= bytes_.size(); }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; !done() && shift < 64; shift += 7) {
      auto const byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80U) == 0) {
        break;
      }
    }
    return value;
  }
  std::string_view bytes() {
    auto const length = std::min<std::size_t>(varint(), bytes_.size() - at_);
    at_ += length;
    return bytes_.substr(at_ - length, length);
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

constexpr std::uint64_t sql_comment = 275, c_comment = 276;

Token token_from(std::string_view bytes) {
  Wire wire(bytes);
  std::uint64_t start = 0, end = 0, kind = 0;
  while (!wire.done()) {
    auto const tag = wire.varint();
    auto const value = wire.varint();  // every field of a token is a number
    switch (tag >> 3U) {
      case 1:
        start = value;
        break;
      case 2:
        end = value;
        break;
      case 4:
        kind = value;
        break;
      default:
        break;
    }
  }
  return {start, end - start, kind == sql_comment || kind == c_comment};
}

std::vector<Token> tokens_from(std::string_view bytes) {
  std::vector<Token> tokens;
  Wire wire(bytes);
  while (!wire.done()) {
    auto const tag = wire.varint();
    if ((tag & 7U) == 2) {
      tokens.push_back(token_from(wire.bytes()));
    } else {
      wire.varint();
    }
  }
  return tokens;
}

struct Answer {
  Json json;
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
    answer.json = Json::parse(result.parse_tree, nullptr, false);
  }
  pg_query_free_parse_result(result);
  if (answer.json.is_discarded()) {
    answer.error = "the parser's answer cannot be read";
  }
  return answer;
}

}  // namespace

Node::Node(Json const* value) : value_(value) {
  if (is_wrapper(*value)) {
    type_ = value->begin().key();
    value_ = &*value->begin();
  }
}

bool Node::has(std::string_view field) const {
  return value_ != nullptr && value_->is_object() && value_->contains(field);
}

Node Node::operator[](std::string_view field) const {
  if (!has(field)) {
    return {};
  }
  auto const& value = *value_->find(field);
  return value.is_object() ? Node(&value) : Node{};
}

std::string Node::text(std::string_view field) const {
  return has(field) && value_->find(field)->is_string() ? value_->find(field)->get<std::string>()
                                                        : std::string();
}

bool Node::flag(std::string_view field) const {
  return has(field) && value_->find(field)->is_boolean() && value_->find(field)->get<bool>();
}

std::int64_t Node::number(std::string_view field, std::int64_t missing) const {
  return has(field) && value_->find(field)->is_number() ? value_->find(field)->get<std::int64_t>()
                                                        : missing;
}

std::vector<Node> Node::list(std::string_view field) const {
  std::vector<Node> nodes;
  if (!has(field) || !value_->find(field)->is_array()) {
    return nodes;
  }
  for (auto const& item : *value_->find(field)) {
    nodes.emplace_back(&item);
  }
  return nodes;
}

std::vector<Node::Child> Node::children() const {
  std::vector<Child> found;
  if (value_ == nullptr || !value_->is_object()) {
    return found;
  }
  for (auto const& [key, value] : value_->items()) {
    if (value.is_object()) {
      found.push_back({key, Node(&value)});
    }
    if (value.is_array()) {
      for (auto const& item : value) {
        found.push_back({key, Node(&item)});
      }
    }
  }
  return found;
}

std::vector<Node> every(Node root, std::string_view skip) {
  std::vector<Node> found;
  std::vector<Node> open{root};  // not recursive: trees may be deeper than our stack
  while (!open.empty()) {
    auto const node = open.back();
    open.pop_back();
    found.push_back(node);
    auto children = node.children();
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      if (skip.empty() || child->field != skip) {
        open.push_back(child->node);
      }
    }
  }
  return found;
}

std::vector<std::string> names(std::vector<Node> const& strings) {
  std::vector<std::string> texts;
  for (auto const& node : strings) {
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
    older->restore(answer.json);
  }
  if (tree.ok()) {
    tree.json = std::make_shared<Json const>(std::move(answer.json));
    tree.statements = statements_of(*tree.json, sql.size());
  }
  return tree;
}

std::vector<Token> scan(std::string const& sql) {
  std::vector<Token> tokens;
  auto result = pg_query_scan(sql.c_str());
  if (result.error == nullptr) {
    tokens = tokens_from({result.pbuf.data, result.pbuf.len});
  }
  pg_query_free_scan_result(result);
  return tokens;
}

bool too_deep(std::string_view sql, std::vector<Token> const& tokens) {
  // Every token since the last comma may be a level of its own; a closed bracket gives its levels
  // back. Measured: 60,000 such levels still fit into 8 MiB of stack, whatever the construct.
  constexpr std::size_t limit = 20'000;
  std::vector<std::size_t> open{0};
  std::size_t total = 0;
  for (auto const& token : tokens) {
    auto const text = token.in(sql);
    ++open.back();
    ++total;
    if (text == "(" || text == "[") {
      open.push_back(0);
    } else if ((text == ")" || text == "]") && open.size() > 1) {
      total -= open.back();
      open.pop_back();
    } else if (text == "," || text == ";") {
      total -= open.back();
      open.back() = 0;
    }
    if (total > limit) {
      return true;
    }
  }
  return false;
}

bool same_word(std::string_view text, std::string_view upper_word) {
  return std::ranges::equal(text, upper_word, [](char have, char want) {
    return (have >= 'a' && have <= 'z' ? have - 'a' + 'A' : have) == want;
  });
}

}  // namespace runbookd::planner::pg
