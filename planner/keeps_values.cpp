#include "planner/keeps_values.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "planner/pg_tree.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

std::optional<TypeName> parsed(std::string const& type) {
  auto const tree = pg::parse("SELECT NULL::" + type);
  if (!tree.ok()) {
    return std::nullopt;
  }
  for (auto const& node : pg::every(tree.statements.front().node)) {
    if (node.is("TypeCast")) {
      return pg::type_of(node["typeName"]);
    }
  }
  return std::nullopt;
}

using Pair = std::pair<std::string_view, std::string_view>;
// Into a type without modifiers that holds each of these values as it is. What depends on a
// session's settings (dates as text, times with and without zone) is not here.
constexpr auto wider = std::to_array<Pair>({
    {"int2", "int4"},    {"int2", "int8"},      {"int4", "int8"},    {"int2", "numeric"},
    {"int4", "numeric"}, {"int8", "numeric"},   {"int2", "float4"},  {"int2", "float8"},
    {"int4", "float8"},  {"float4", "float8"},  {"varchar", "text"}, {"text", "varchar"},
    {"int2", "text"},    {"int4", "text"},      {"int8", "text"},    {"numeric", "text"},
    {"uuid", "text"},    {"bool", "text"},      {"json", "text"},    {"jsonb", "text"},
    {"inet", "text"},    {"cidr", "text"},      {"macaddr", "text"}, {"float8", "text"},
    {"float4", "text"},  {"uuid", "varchar"},   {"int4", "varchar"}, {"int8", "varchar"},
    {"cidr", "inet"},    {"date", "timestamp"},
});

// Of one type to the same with other modifiers.
bool grows(TypeName const& from, TypeName const& to) {
  if (from.modifiers == to.modifiers) {
    return true;
  }
  if (to.modifiers.empty()) {
    return from.name != "bpchar";  // without a length it is padded to another one
  }
  if (from.modifiers.empty()) {
    return false;
  }
  if (from.name == "numeric") {
    auto const scale = [](TypeName const& type) {
      return type.modifiers.size() > 1 ? type.modifiers[1] : 0;
    };
    return scale(to) >= scale(from) &&
           to.modifiers[0] - scale(to) >= from.modifiers[0] - scale(from);
  }
  constexpr auto by_length = std::to_array<std::string_view>(
      {"varchar", "varbit", "timestamp", "timestamptz", "time", "timetz"});
  bool const known = std::ranges::find(by_length, from.name) != by_length.end();
  return known && to.modifiers[0] >= from.modifiers[0];
}

}  // namespace

bool keeps_every_value(std::string const& from, std::string const& to) {
  auto const old = parsed(from);
  auto const now = parsed(to);
  if (!old || !now || !old->schema.empty() || !now->schema.empty() || old->array != now->array) {
    return false;
  }
  if (old->name == now->name) {
    return grows(*old, *now);
  }
  return now->modifiers.empty() &&
         std::ranges::find(wider, Pair{old->name, now->name}) != wider.end();
}

}  // namespace runbookd::planner
