// CREATE TABLE and columns.
#include <algorithm>
#include <utility>

#include "planner/replay.h"
#include "planner/sql_expression.h"
#include "planner/toast.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using Names = std::vector<std::string>;

struct Serial {
  std::string_view word, type;
};
constexpr Serial serials[] = {{"serial", "int4"},  {"serial4", "int4"},     {"bigserial", "int8"},
                              {"serial8", "int8"}, {"smallserial", "int2"}, {"serial2", "int2"}};

RelationName make_sequence(Catalog& catalog, Relation const& table, std::string const& column) {
  Relation sequence{.kind = RelationKind::sequence};
  sequence.temporary = table.temporary;
  sequence.unlogged = table.unlogged;
  sequence.name = {table.name.schema, free_name(catalog, table, {column}, "seq")};
  sequence.owner_table = table.name;
  sequence.owner_column = column;
  auto const name = sequence.name;
  catalog.put(std::move(sequence));
  return name;
}

void copy_like(Catalog& catalog, RelationName const& table, Node like) {
  auto const* source = catalog.find(pg::name_of(like["relation"]));
  if (source == nullptr) {
    return;
  }
  constexpr int defaults = 1 << 3, constraints = 1 << 2, indexes = 1 << 6;
  auto const options = like.number("options");
  auto const columns = source->columns;
  auto const checks = source->constraints;
  auto const copied = source->indexes;
  catalog.change(table, [&](Relation& r) {
    for (auto column : columns) {
      if ((options & defaults) == 0) {
        column.value.reset();
        column.generated = 0;
      }
      column.identity = 0;
      r.columns.push_back(std::move(column));
    }
    for (auto const& check : checks) {
      bool const wanted = check.kind == Constraint::Kind::check ? (options & constraints) != 0
                          : check.kind != Constraint::Kind::foreign_key ? (options & indexes) != 0
                                                                        : false;
      if (wanted) {
        r.constraints.push_back(check);
      }
    }
  });
  if ((options & indexes) != 0) {
    for (auto index : copied) {
      index.parent = {};
      auto const* made = catalog.find(table);
      auto const name = index.constraint ? index.name.name : "";
      index.name = {table.schema,
                    free_name(catalog, *made, index.constraint ? Names{} : index.columns,
                              index.constraint ? "pkey" : "idx")};
      catalog.change(table, [&](Relation& r) {
        for (auto& constraint : r.constraints) {
          if (constraint.name == name) {
            constraint.name = index.name.name;
          }
        }
        r.indexes.push_back(index);
      });
    }
  }
}

void inherit(Relation& table, Relation const& parent) {
  for (auto const& column : parent.columns) {
    if (table.column(column.name) == nullptr) {
      auto copy = column;
      if (table.partition) {
        copy.identity = column.identity;
      }
      table.columns.push_back(std::move(copy));
    }
  }
  for (auto constraint : parent.constraints) {
    if (constraint.kind == Constraint::Kind::check && !constraint.no_inherit &&
        table.constraint(constraint.name) == nullptr) {
      constraint.inherited = true;
      table.constraints.push_back(std::move(constraint));
    }
  }
}

}  // namespace

void read_partition_key(Relation& table, Node spec, Catalog const& catalog) {
  auto const strategy = spec.text("strategy");
  table.kind = RelationKind::partitioned_table;
  table.partition_strategy = pg::same_word(strategy, "LIST") || strategy == "l"   ? "list"
                             : pg::same_word(strategy, "HASH") || strategy == "h" ? "hash"
                                                                                  : "range";
  for (auto const part : spec.list("partParams")) {
    if (auto const name = part.text("name"); !name.empty()) {
      table.partition_key.columns.push_back(name);
    } else {
      table.partition_key.functions = pg::expression_of(part["expr"], catalog).functions;
    }
  }
}

void add_column(Catalog& catalog, RelationName const& name, Node definition) {
  auto const* table = catalog.find(name);
  if (table == nullptr) {
    return;
  }
  Column column{.name = definition.text("colname"),
                .type = pg::type_of(definition["typeName"], catalog)};
  if (table->column(column.name) != nullptr) {
    return;
  }
  auto const collation = pg::names(definition["collClause"].list("collname"));
  column.collation = collation.empty() ? "" : collation.back();
  auto const constraints = definition.list("constraints");
  for (auto const node : constraints) {
    auto const type = node.text("contype");
    if (type == "CONSTR_NOTNULL" || type == "CONSTR_PRIMARY" || type == "CONSTR_IDENTITY") {
      column.not_null = true;
    }
    if (type == "CONSTR_DEFAULT" || type == "CONSTR_GENERATED") {
      column.value = pg::expression_of(node["raw_expr"], catalog);
      column.generated = pg::virtual_column(definition) ? 'v'
                         : type == "CONSTR_GENERATED"   ? 's'
                                                        : '\0';
    }
    if (type == "CONSTR_IDENTITY") {
      column.identity = node.text("generated_when").empty() ? 'd' : node.text("generated_when")[0];
    }
  }
  auto const serial = std::ranges::find(serials, column.type.name, &Serial::word);
  if (serial != std::end(serials)) {
    column.type.name = serial->type;
    column.not_null = true;
    auto const sequence = make_sequence(catalog, *table, column.name);
    column.value = Expression{.relations = {sequence}, .is_volatile = true};
  } else if (column.identity != 0) {
    make_sequence(catalog, *table, column.name);
  }
  auto const made = column;
  catalog.change(name, [&](Relation& r) { r.columns.push_back(std::move(column)); });
  for (auto const* child : catalog.descendants(name)) {
    if (child->column(made.name) == nullptr) {
      auto const child_name = child->name;
      catalog.change(child_name, [&](Relation& r) { r.columns.push_back(made); });
    }
  }
  for (auto const node : constraints) {
    auto const type = node.text("contype");
    if (type == "CONSTR_CHECK" || type == "CONSTR_PRIMARY" || type == "CONSTR_UNIQUE" ||
        type == "CONSTR_FOREIGN") {
      add_constraint(catalog, name, node, made.name);
    }
  }
}

void read_partition(Catalog& catalog, Relation& partition, RelationName const& table, Node bound) {
  auto const* parent = catalog.find(table);
  if (parent == nullptr) {
    return;
  }
  partition.parents = {parent->name};
  partition.partition = true;
  partition.default_partition = bound.flag("is_default");
  partition.bound =
      pg::conditions_of_bound(bound, parent->partition_strategy, parent->partition_key);
}

void replay_create_table(Catalog& catalog, Node statement) {
  auto const base = statement.is("CreateForeignTableStmt") ? statement["base"] : statement;
  auto const variable = base["relation"];
  Relation table;
  table.temporary = variable.text("relpersistence") == "t";
  table.unlogged = variable.text("relpersistence") == "u";
  table.name = catalog.made_as(pg::name_of(variable), table.temporary);
  if (catalog.relations().contains(table.name)) {
    return;
  }
  if (statement.is("CreateForeignTableStmt")) {
    table.kind = RelationKind::foreign_table;
  }
  table.tablespace = base.text("tablespacename");
  if (auto const method = base.text("accessMethod"); !method.empty()) {
    table.access_method = method;
  }
  if (auto const spec = base["partspec"]) {
    read_partition_key(table, spec, catalog);
  }
  if (auto const type = base["ofTypename"]) {
    auto const* info = catalog.find_type(pg::type_of(type));
    if (info != nullptr) {
      table.of_type = info->name;
      table.columns = info->attributes;
    }
  }
  auto const name = table.name;
  auto const bound = base["partbound"];
  std::vector<RelationName> parents;
  for (auto const parent : base.list("inhRelations")) {
    if (auto const* found = catalog.find(pg::name_of(parent))) {
      parents.push_back(found->name);
    }
  }
  if (bound && !parents.empty()) {
    read_partition(catalog, table, parents.front(), bound);
  } else {
    table.parents = parents;
  }
  catalog.put(std::move(table));
  for (auto const& parent : parents) {
    auto const* found = catalog.find(parent);
    auto const copy = *found;
    catalog.change(name, [&](Relation& r) { inherit(r, copy); });
  }
  std::vector<Node> later;
  for (auto const element : base.list("tableElts")) {
    if (element.is("ColumnDef")) {
      add_column(catalog, name, element);
    } else if (element.is("TableLikeClause")) {
      copy_like(catalog, name, element);
    } else if (element.is("Constraint")) {
      later.push_back(element);
    }
  }
  for (auto const element : later) {
    add_constraint(catalog, name, element);
  }
  if (bound && !parents.empty()) {
    take_over(catalog, name, parents.front());
  }
  settle_toast(catalog, name);
}

}  // namespace runbookd::planner
