// ALTER COLUMN … TYPE: whether every row is written anew, and what hangs on the column.
#include <algorithm>
#include <optional>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

enum class Conversion { none, rewrite };

// Pairs whose values are stored alike, one way or both.
struct Alike {
  std::string_view from, to;
};
constexpr Alike alike[] = {
    {"varchar", "text"},   {"text", "varchar"},   {"citext", "text"},   {"text", "citext"},
    {"citext", "varchar"}, {"varchar", "citext"}, {"xml", "text"},      {"xml", "varchar"},
    {"cidr", "inet"},      {"bit", "varbit"},     {"varbit", "bit"},    {"int4", "oid"},
    {"oid", "int4"},       {"int4", "regclass"},  {"regclass", "int4"}, {"oid", "regclass"},
    {"regclass", "oid"},   {"oid", "regproc"},    {"oid", "regtype"},   {"oid", "regrole"},
    {"regtype", "oid"},    {"regrole", "oid"},    {"regproc", "oid"},
};

bool temporal(std::string const& name) {
  return name == "time" || name == "timetz" || name == "timestamp" || name == "timestamptz";
}

bool utc(std::string const& zone) {
  constexpr std::string_view names[] = {"UTC",       "ETC/UTC",       "GMT",       "ETC/GMT",
                                        "UCT",       "ETC/UCT",       "ZULU",      "ETC/ZULU",
                                        "UNIVERSAL", "ETC/UNIVERSAL", "GREENWICH", "ETC/GREENWICH",
                                        "GMT0",      "ETC/GMT0",      "0"};
  return std::ranges::any_of(names, [&](auto name) { return pg::same_word(zone, name); });
}

// The same type with other modifiers: is the new one wider?
bool widens(TypeName const& from, TypeName const& to) {
  if (to.modifiers.empty()) {
    return to.name != "bpchar" && to.name != "bit";
  }
  auto const number = [](TypeName const& type, std::size_t i) {
    return i < type.modifiers.size() ? type.modifiers[i] : 0;
  };
  if (temporal(to.name)) {
    constexpr int finest = 6;
    return number(to, 0) >= finest || (!from.modifiers.empty() && number(to, 0) >= number(from, 0));
  }
  if (to.name == "interval") {
    constexpr int every_field = 32767, finest = 6;
    auto const fields = [](TypeName const& type) {
      return type.modifiers.empty() ? every_field : type.modifiers[0];
    };
    bool const as_fine = number(to, 1) >= finest || to.modifiers.size() < 2 ||
                         (from.modifiers.size() == 2 && number(to, 1) >= number(from, 1));
    return fields(to) == fields(from) && as_fine;
  }
  if (from.modifiers.empty()) {
    return false;
  }
  if (to.name == "numeric") {
    return number(to, 1) == number(from, 1) && number(to, 0) >= number(from, 0);
  }
  if (to.name == "varchar" || to.name == "varbit") {
    return number(to, 0) >= number(from, 0);
  }
  return false;
}

TypeName base_of(Catalog const& catalog, TypeName type) {
  for (auto const* domain = catalog.find_type(type);
       domain != nullptr && domain->kind == TypeInfo::Kind::domain;
       domain = catalog.find_type(type)) {
    if (type.array) {
      return type;
    }
    type = domain->base;
  }
  return type;
}

Conversion conversion(Recorder& r, TypeName const& from, TypeName const& to) {
  if (from == to) {
    return Conversion::none;
  }
  if (!to.array && domain_constrains(r.catalog, to) && !pg::same_base(from, to)) {
    return Conversion::rewrite;
  }
  auto const source = base_of(r.catalog, from);
  auto const goal = base_of(r.catalog, to);
  if (source == goal) {
    return Conversion::none;
  }
  if (pg::same_base(source, goal)) {
    if (source.array) {
      return goal.modifiers.empty() ? Conversion::none : Conversion::rewrite;
    }
    return widens(source, goal) ? Conversion::none : Conversion::rewrite;
  }
  if (source.array || goal.array) {
    return Conversion::rewrite;
  }
  bool const stamps = (source.name == "timestamp" && goal.name == "timestamptz") ||
                      (source.name == "timestamptz" && goal.name == "timestamp");
  if (stamps) {
    auto as_goal = source;
    as_goal.name = goal.name;
    r.assume("the session's TimeZone is " + r.catalog.time_zone);
    return utc(r.catalog.time_zone) && (as_goal == goal || widens(as_goal, goal))
               ? Conversion::none
               : Conversion::rewrite;
  }
  bool const stored_alike = std::ranges::any_of(
      alike, [&](Alike const& pair) { return pair.from == source.name && pair.to == goal.name; });
  if (!stored_alike) {
    return Conversion::rewrite;
  }
  // a limit that the source does not promise has to be checked
  auto as_goal = source;
  as_goal.name = goal.name;
  as_goal.schema = goal.schema;
  bool const limited =
      !goal.modifiers.empty() && (source.name != "varchar" && source.name != "bit");
  return limited || (!goal.modifiers.empty() && !widens(as_goal, goal)) ? Conversion::rewrite
                                                                        : Conversion::none;
}

// The operator class that an index on it gets by itself.
std::string comparison(Catalog const& catalog, TypeName const& type) {
  auto const base = base_of(catalog, type);
  auto const name = base.name == "varchar"                                    ? "text"
                    : base.name == "cidr"                                     ? "inet"
                    : base.name == "regclass" || base.name.starts_with("reg") ? "oid"
                                                                              : base.name;
  return name + (base.array ? "[]" : "");
}

template <typename List, typename Item>
bool has(List const& list, Item const& item) {
  return std::ranges::find(list, item) != std::ranges::end(list);
}

struct Change {
  std::string column;
  TypeName from, to;
  bool rewrite = false, collation = false;
};

// Both tables' triggers of the key are made anew; whether the rows are looked at again is a matter
// of the operators.
void remake_keys(Recorder& r, Relation const& table, Change const& change) {
  bool const other_comparison =
      comparison(r.catalog, change.from) != comparison(r.catalog, change.to);
  auto const lock_both = [&](Relation const& child, Constraint const& key) {
    lock_referenced(r, key.references, LockMode::access_exclusive);
    r.lock(child, LockMode::access_exclusive);
    if (auto const* parent = r.catalog.find(key.references)) {
      r.lock(*parent, LockMode::share_row_exclusive);
      r.lock(child, LockMode::share_row_exclusive);
      add_key_triggers(r, child, *parent, key.referenced_columns);
    }
    if (other_comparison && key.validated) {
      r.scan(child);
    }
    if (auto const* parent = r.catalog.find(key.references);
        parent != nullptr && parent != &child) {
      r.maybe_scan(*parent);
    }
  };
  for (auto const& key : table.constraints) {
    if (key.kind == Constraint::Kind::foreign_key && has(key.columns, change.column)) {
      lock_both(table, key);
    }
  }
  for (auto const* child : r.catalog.referencing(table.name)) {
    for (auto const& key : child->constraints) {
      if (key.references == table.name && has(key.referenced_columns, change.column)) {
        lock_both(*child, key);
      }
    }
  }
}

void remake_indexes(Recorder& r, Relation const& table, Change const& change) {
  bool const other_comparison =
      comparison(r.catalog, change.from) != comparison(r.catalog, change.to) || change.collation;
  for (auto const& index : table.indexes) {
    bool const in_expression = has(index.expression.columns, change.column);
    if (!in_expression && !has(index.columns, change.column)) {
      continue;
    }
    r.lock_index(table, index, LockMode::access_exclusive);
    r.remake(index);
    r.lock(table, LockMode::share);
    if (!index.constraint) {
      r.lock(table, LockMode::access_share);  // its definition is written down before
    }
    // a part of a partitioned index is made anew with it, and never taken over
    if (in_expression || other_comparison || !index.parent.empty()) {
      r.scan(table);
    }
  }
}

void change_table(Recorder& r, Relation const& table, Change const& change) {
  r.lock(table, LockMode::access_exclusive);
  if (change.rewrite) {
    r.rewrite(table);
    for (auto const& index : table.indexes) {
      if (has(index.columns, change.column) || has(index.expression.columns, change.column)) {
        r.not_rebuilt(index);  // a new one is made in its place
      }
    }
  }
  remake_indexes(r, table, change);
  for (auto const& check : table.constraints) {
    if (check.kind == Constraint::Kind::check && check.validated &&
        has(check.expression.columns, change.column)) {
      r.lock(table, LockMode::access_share);
      r.scan(table);
    }
  }
  remake_keys(r, table, change);
}

// USING v::varchar(50) is what the server would do by itself.
bool own_cast(Node value, std::string const& column, TypeName const& to) {
  if (value.is("TypeCast") && pg::type_of(value["typeName"]) == to) {
    value = value["arg"];
  }
  auto const fields =
      value.is("ColumnRef") ? pg::names(value.list("fields")) : std::vector<std::string>{};
  return !fields.empty() && fields.back() == column;
}

std::string spelled(TypeName const& type) {
  auto text = type.name;
  for (std::size_t i = 0; i < type.modifiers.size(); ++i) {
    text += (i == 0 ? "(" : ",") + std::to_string(type.modifiers[i]);
  }
  return text + (type.modifiers.empty() ? "" : ")") + (type.array ? "[]" : "");
}

}  // namespace

void alter_column_type(Recorder& r, Relation const& table, Node command) {
  auto const definition = command["def"];
  Change change{.column = command.text("name"),
                .to = pg::type_of(definition["typeName"], r.catalog)};
  auto const* column = table.column(change.column);
  auto const place = to_sql(table.name) + "." + quoted_identifier(change.column);
  if (column == nullptr) {
    if (!r.catalog.complete) {
      r.assume("the type that " + place + " has now is not known, so a rewrite is assumed");
    }
    change.rewrite = !r.catalog.complete;
  } else {
    change.from = column->type;
    auto const using_value = definition["raw_default"];
    bool const computed = using_value && !own_cast(using_value, change.column, change.to);
    change.rewrite = computed || conversion(r, change.from, change.to) == Conversion::rewrite;
    auto const collation = pg::names(definition["collClause"].list("collname"));
    change.collation = (collation.empty() ? "" : collation.back()) != column->collation;
  }
  change_table(r, table, change);
  for (auto const* below : r.catalog.descendants(table.name)) {
    change_table(r, *below, change);
  }
  for (auto const* sequence : r.catalog.sequences_of(table.name)) {
    if (sequence->owner_column == change.column && column != nullptr && column->identity != 0) {
      r.lock(*sequence, LockMode::share_row_exclusive);
    }
  }
  if (column != nullptr && column->value) {
    lock_sequences(r, *column->value);
  }
  for (auto const* view : r.catalog.readers(table.name)) {
    for (auto const& use : view->uses) {
      if (use.relation == table.name && has(use.columns, change.column) &&
          change.from != change.to) {
        r.assume("the server refuses this while " + to_sql(view->name) + " reads the column");
      }
    }
  }
  if (column != nullptr && change.from != change.to) {
    r.breaks("column " + place, "it is of type " + spelled(change.to) + " and no longer " +
                                    spelled(change.from) +
                                    ": comparisons, parameters and results change");
  }
}

}  // namespace runbookd::planner
