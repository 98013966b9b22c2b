#include "web/openapi_schema.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

#include "planner/document.h"

namespace runbookd::web {
namespace {

using planner::Node;

template <typename Number>
bool reads_as(std::string const& text, Number& number) {
  auto const* const end = text.data() + text.size();
  auto const [at, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc() && at == end;
}

Tree scalar(Node const& node) {
  std::int64_t whole = 0;
  double real = 0;
  if (!node.plain) {
    return node.text;
  }
  if (node.text == "true" || node.text == "false") {
    return node.text == "true";
  }
  if (node.text == "null") {
    return nullptr;
  }
  if (reads_as(node.text, whole)) {
    return whole;
  }
  return reads_as(node.text, real) ? Tree(real) : Tree(node.text);
}

Tree tree_of(Node const& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::scalar:
      return scalar(node);
    case Node::Kind::sequence: {
      auto list = Tree::array();
      std::ranges::transform(node.children, std::back_inserter(list), tree_of);
      return list;
    }
    case Node::Kind::mapping: {
      auto object = Tree::object();
      for (auto const& child : node.children) {
        object[child.key] = tree_of(child);
      }
      return object;
    }
  }
  __builtin_unreachable();
}

bool lists(Tree const& list, std::string const& word) {
  return std::ranges::find(list, Tree(word)) != list.end();
}

// What both say of members, the nearer word counts.
Tree joined(Tree base, Tree const& own) {
  for (auto const& [key, value] : own.items()) {
    if (key == "properties") {
      base[key].update(value);
    } else if (key == "all_but") {
      base[key].insert(base[key].end(), value.begin(), value.end());
    } else if (key != "like") {
      base[key] = value;
    }
  }
  return base;
}

Tree with_what_it_is_like(Tree schema, Tree const& named) {
  if (!schema.is_object() || !schema.contains("like")) {
    return schema;
  }
  auto const name = schema["like"].get<std::string>();
  auto base = with_what_it_is_like(named.at(name), named);
  base.erase("description");
  return joined(std::move(base), schema);
}

void require_all_but(Tree& schema) {
  auto required = Tree::array();
  for (auto const& [name, member] : schema["properties"].items()) {
    if (!lists(schema["all_but"], name)) {
      required.push_back(name);
    }
  }
  schema.erase("all_but");
  if (!required.empty()) {
    schema["required"] = std::move(required);
  }
}

}  // namespace

Tree tree_of_yaml(std::string_view name, std::string_view text) {
  auto const document = planner::read_document(text, std::string(name));
  if (!document.root || !document.findings.empty()) {
    throw std::logic_error(document.findings.empty() ? std::string(name)
                                                     : to_text(document.findings.front()));
  }
  return tree_of(*document.root);
}

Tree plain_schema(Tree schema, Tree const& named) {
  schema = with_what_it_is_like(std::move(schema), named);
  if (schema.is_object() && schema.contains("all_but")) {
    require_all_but(schema);
  }
  if (schema.is_structured()) {
    for (auto& part : schema) {
      part = plain_schema(std::move(part), named);
    }
  }
  return schema;
}

}  // namespace runbookd::web
