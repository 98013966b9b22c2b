// Names of relations, and how SQL writes them. Pure values.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace runbookd::planner {

struct RelationName {
  std::string schema;  // empty = not known
  std::string name;
  auto operator<=>(RelationName const&) const = default;
  bool empty() const { return name.empty(); }
};

// To look one up without copying its words.
struct RelationNameView {
  std::string_view schema, name;
  friend auto operator<=>(RelationName const& left, RelationNameView right) {
    auto const schemas = left.schema <=> right.schema;
    return schemas != 0 ? schemas : left.name <=> right.name;
  }
};

std::string quoted_identifier(std::string_view word);  // only where SQL needs the quotes
std::string to_sql(RelationName const& name);          // public."Order Items"

}  // namespace runbookd::planner
