// The server's own reckoning (heapam_relation_needs_toast_table).
#include "planner/toast.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace runbookd::planner {
namespace {

struct FixedType {
  std::string_view name;
  std::int64_t bytes, alignment;
};
constexpr FixedType fixed_types[] = {
    {"bool", 1, 1},        {"box", 32, 8},     {"char", 1, 1},    {"cid", 4, 4},
    {"circle", 24, 8},     {"date", 4, 4},     {"float4", 4, 4},  {"float8", 8, 8},
    {"int2", 2, 2},        {"int4", 4, 4},     {"int8", 8, 8},    {"interval", 16, 8},
    {"line", 24, 8},       {"lseg", 32, 8},    {"macaddr", 6, 4}, {"macaddr8", 8, 4},
    {"money", 8, 8},       {"name", 64, 1},    {"oid", 4, 4},     {"pg_lsn", 8, 8},
    {"point", 16, 8},      {"regclass", 4, 4}, {"regproc", 4, 4}, {"regrole", 4, 4},
    {"regtype", 4, 4},     {"tid", 6, 2},      {"time", 8, 8},    {"timestamp", 8, 8},
    {"timestamptz", 8, 8}, {"timetz", 12, 8},  {"uuid", 16, 1},   {"xid", 4, 4},
    {"xid8", 8, 8}};

struct Width {
  std::int64_t bytes = 0, alignment = 1;
  bool toastable = false, bounded = true;
};

Width varying(std::int64_t bytes) { return {bytes, 4, true, true}; }

// The longest that a value of a type with modifiers can be, in an encoding of up to four bytes.
Width varying(TypeName const& type) {
  constexpr std::int64_t header = 4, bytes_per_character = 4, digits_per_group = 4;
  if (!type.modifiers.empty() && !type.array) {
    auto const modifier = type.modifiers.front();
    if (type.name == "varchar" || type.name == "bpchar") {
      return varying(modifier * bytes_per_character + header);
    }
    if (type.name == "bit" || type.name == "varbit") {
      return varying((modifier + 7) / 8 + 2 * header);
    }
    if (type.name == "numeric") {
      auto const groups = (modifier + 2 * (digits_per_group - 1)) / digits_per_group;
      return varying(2 * header + 2 * groups);
    }
  }
  if (type.name == "bpchar" && !type.array) {
    return varying(bytes_per_character + header);
  }
  return {0, 4, true, false};
}

Width width_of(Catalog const& catalog, TypeName type) {
  auto const* info = catalog.find_type(type);
  while (info != nullptr && info->kind == TypeInfo::Kind::domain && !type.array) {
    type = info->base;
    info = catalog.find_type(type);
  }
  if (type.array) {
    return varying(type);
  }
  if (info != nullptr) {
    return info->kind == TypeInfo::Kind::enumeration ? Width{4, 4} : varying(type);
  }
  if (type.name.empty()) {
    return {};  // of a query's column, which is not known
  }
  auto const fixed = std::ranges::find(fixed_types, type.name, &FixedType::name);
  return fixed == std::end(fixed_types) ? varying(type) : Width{fixed->bytes, fixed->alignment};
}

constexpr std::int64_t aligned(std::int64_t bytes, std::int64_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

bool needs_toast(Catalog const& catalog, Relation const& relation) {
  if (relation.kind != RelationKind::table && relation.kind != RelationKind::materialized_view) {
    return false;
  }
  constexpr std::int64_t row_header = 23, threshold = 2032, word = 8;
  std::int64_t bytes = 0;
  bool toastable = false, bounded = true;
  for (auto const& column : relation.columns) {
    if (column.generated == 'v') {
      continue;
    }
    auto const width = width_of(catalog, column.type);
    bytes = aligned(bytes, width.alignment) + width.bytes;
    toastable = toastable || width.toastable;
    bounded = bounded && width.bounded;
  }
  auto const nulls = (static_cast<std::int64_t>(relation.columns.size()) + 7) / 8;
  return toastable &&
         (!bounded || aligned(row_header + nulls, word) + aligned(bytes, word) > threshold);
}

void settle_toast(Catalog& catalog, RelationName const& name) {
  auto const* relation = catalog.find(name);
  if (relation != nullptr && !relation->toast && needs_toast(catalog, *relation)) {
    catalog.change(RelationName(relation->name), [](Relation& r) { r.toast = true; });
  }
}

}  // namespace runbookd::planner
