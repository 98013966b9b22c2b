// CREATE TABLE and the parts of tables.
#include <algorithm>
#include <utility>

#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using Names = std::vector<std::string>;

constexpr std::size_t longest_name = 63;

bool taken(Catalog const& catalog, RelationName const& name) {
  return catalog.find(name) != nullptr || catalog.find_index(name);
}

// "orders" + "_" + "code" + "_key", shortened as the server does.
std::string chosen_name(std::string table, std::string columns, std::string const& label) {
  auto const fixed = label.size() + 1 + (columns.empty() ? 0 : 1);
  while (table.size() + columns.size() + fixed > longest_name) {
    (table.size() > columns.size() ? table : columns).pop_back();
  }
  return table + (columns.empty() ? "" : "_" + columns) + "_" + label;
}

std::string joined(Names const& words) {
  std::string all;
  for (auto const& word : words) {
    all += (all.empty() ? "" : "_") + word;
  }
  return all;
}

struct Serial {
  std::string_view word, type;
};
constexpr Serial serials[] = {{"serial", "int4"},  {"serial4", "int4"},     {"bigserial", "int8"},
                              {"serial8", "int8"}, {"smallserial", "int2"}, {"serial2", "int2"}};

RelationName make_sequence(Catalog& catalog, Relation const& table, std::string const& column) {
  Relation sequence{.kind = RelationKind::sequence};
  sequence.temporary = table.temporary;
  sequence.unlogged = table.unlogged;
  sequence.name = {table.name.schema, chosen_name(table.name.name, column, "seq")};
  auto const base = sequence.name.name;
  for (int i = 1; taken(catalog, sequence.name); ++i) {
    sequence.name.name = base + std::to_string(i);
  }
  sequence.owner_table = table.name;
  sequence.owner_column = column;
  auto const name = sequence.name;
  catalog.put(std::move(sequence));
  return name;
}

char action_of(std::string const& text) { return text.empty() ? 'a' : text.front(); }

Constraint::Kind kind_of(std::string const& type) {
  return type == "CONSTR_PRIMARY"     ? Constraint::Kind::primary_key
         : type == "CONSTR_UNIQUE"    ? Constraint::Kind::unique
         : type == "CONSTR_EXCLUSION" ? Constraint::Kind::exclusion
         : type == "CONSTR_FOREIGN"   ? Constraint::Kind::foreign_key
         : type == "CONSTR_NOTNULL"   ? Constraint::Kind::not_null
                                      : Constraint::Kind::check;
}

Names primary_key_of(Catalog const& catalog, RelationName const& name) {
  auto const* table = catalog.find(name);
  if (table != nullptr) {
    for (auto const& constraint : table->constraints) {
      if (constraint.kind == Constraint::Kind::primary_key) {
        return constraint.columns;
      }
    }
  }
  return {};
}

std::string constraint_name(Catalog const& catalog, Relation const& table, Constraint const& c) {
  switch (c.kind) {
    case Constraint::Kind::primary_key:
      return free_name(catalog, table, {}, "pkey");
    case Constraint::Kind::unique:
      return free_name(catalog, table, c.columns, "key");
    case Constraint::Kind::exclusion:
      return free_name(catalog, table, c.columns, "excl");
    case Constraint::Kind::foreign_key:
      return free_name(catalog, table, c.columns, "fkey");
    case Constraint::Kind::not_null:
      return free_name(catalog, table, c.columns, "not_null");
    case Constraint::Kind::check:
      return free_name(catalog, table,
                       c.expression.columns.size() == 1 ? c.expression.columns : Names{}, "check");
  }
  __builtin_unreachable();
}

std::vector<Index>::iterator find_index(Relation& table, std::string const& name) {
  return std::ranges::find_if(table.indexes, [&](Index const& i) { return i.name.name == name; });
}

// An index becomes a constraint, and takes its name.
void adopt_index(Relation& table, std::string const& index, Constraint& constraint) {
  auto const found = find_index(table, index);
  if (found == table.indexes.end()) {
    return;
  }
  constraint.columns = found->columns;
  found->constraint = true;
  if (constraint.name.empty()) {
    constraint.name = index;
  }
  found->name.name = constraint.name;
}

Index index_of_constraint(Relation const& table, Constraint const& constraint, Node node) {
  Index index{.name = {table.name.schema, constraint.name}, .columns = constraint.columns};
  index.unique = constraint.kind != Constraint::Kind::exclusion;
  index.constraint = true;
  index.tablespace = node.text("indexspace");
  if (!index.unique) {
    index.method = node.text("access_method").empty() ? "gist" : node.text("access_method");
  }
  index.definition = index.method + (index.unique ? " unique" : "");
  for (auto const& column : constraint.columns) {
    index.definition += " " + column;
  }
  for (auto const& included : pg::names(node.list("including"))) {
    index.columns.push_back(included);
    index.definition += " + " + included;
  }
  return index;
}

void set_not_null(Relation& table, Names const& columns) {
  for (auto& column : table.columns) {
    if (std::ranges::find(columns, column.name) != columns.end()) {
      column.not_null = true;
    }
  }
}

Constraint read_constraint(Catalog const& catalog, Relation const& table, Node node,
                           std::string const& column) {
  Constraint c{.kind = kind_of(node.text("contype")), .name = node.text("conname")};
  c.columns = pg::names(node.list(c.kind == Constraint::Kind::foreign_key ? "fk_attrs" : "keys"));
  if (c.columns.empty() && !column.empty() && c.kind != Constraint::Kind::check) {
    c.columns = {column};
  }
  for (auto const part : node.list("exclusions")) {
    auto const items = part.list("items");
    c.columns.push_back(items.empty() ? "" : items.front().text("name"));
  }
  c.validated = !node.flag("skip_validation");
  c.no_inherit = node.flag("is_no_inherit");
  if (c.kind == Constraint::Kind::check) {
    c.expression = pg::expression_of(node["raw_expr"], catalog);
  }
  if (c.kind == Constraint::Kind::foreign_key) {
    auto const written = pg::name_of(node["pktable"]);
    auto const* other = catalog.find(written);
    c.references = other != nullptr ? other->name : catalog.made_as(written);
    c.referenced_columns = pg::names(node.list("pk_attrs"));
    if (c.referenced_columns.empty()) {
      c.referenced_columns = primary_key_of(catalog, c.references);
    }
    c.on_delete = action_of(node.text("fk_del_action"));
    c.on_update = action_of(node.text("fk_upd_action"));
  }
  if (c.name.empty() && node.text("indexname").empty()) {
    c.name = constraint_name(catalog, table, c);
  }
  return c;
}

// On the tables below; children get checks, partitions all.
void hand_down(Catalog& catalog, RelationName const& table, Constraint constraint) {
  bool const check = constraint.kind == Constraint::Kind::check;
  bool const foreign = constraint.kind == Constraint::Kind::foreign_key;
  if (constraint.no_inherit || (!check && !foreign)) {
    return;
  }
  constraint.inherited = true;
  for (auto const* child : catalog.children(table)) {
    auto const name = child->name;
    if ((check || child->partition) && child->constraint(constraint.name) == nullptr) {
      catalog.change(name, [&](Relation& r) { r.constraints.push_back(constraint); });
    }
    hand_down(catalog, name, constraint);
  }
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

std::string free_name(Catalog const& catalog, Relation const& table, Names const& columns,
                      std::string const& label) {
  Names unique;
  for (auto const& column : columns) {
    if (!column.empty()) {
      unique.push_back(column);
    }
  }
  auto const base = chosen_name(table.name.name, joined(unique), label);
  auto name = base;
  for (int i = 1; taken(catalog, {table.name.schema, name}) || table.constraint(name) != nullptr;
       ++i) {
    name = base + std::to_string(i);
  }
  return name;
}

Index index_of(Catalog const& catalog, Relation const& table, Node statement) {
  Index index;
  index.method = statement.text("accessMethod").empty() ? "btree" : statement.text("accessMethod");
  index.unique = statement.flag("unique");
  index.tablespace = statement.text("tableSpace");
  index.definition = index.method + (index.unique ? " unique" : "");
  Names words;
  auto const add = [&](Node part) {
    auto const column = part.text("name");
    index.columns.push_back(column);
    words.push_back(column);
    if (column.empty()) {
      auto const expression = pg::expression_of(part["expr"], catalog);
      auto& all = index.expression;
      all.columns.insert(all.columns.end(), expression.columns.begin(), expression.columns.end());
      all.functions.insert(all.functions.end(), expression.functions.begin(),
                           expression.functions.end());
      auto const call =
          part["expr"].is("FuncCall") ? pg::names(part["expr"].list("funcname")) : Names{};
      words.back() = call.empty() ? "expr" : call.back();
      index.definition += " " + words.back() + "(" + joined(expression.columns) + ")";
    } else {
      index.definition +=
          " " + column +
          (part.list("opclass").empty() ? "" : "." + pg::names(part.list("opclass")).back());
    }
  };
  std::ranges::for_each(statement.list("indexParams"), add);
  for (auto const part : statement.list("indexIncludingParams")) {
    index.definition += " +";
    add(part);
  }
  if (auto const where = statement["whereClause"]) {
    auto const expression = pg::expression_of(where, catalog);
    index.definition += " where " + joined(expression.columns);
    index.expression.conditions = expression.conditions;
    auto& all = index.expression;
    all.columns.insert(all.columns.end(), expression.columns.begin(), expression.columns.end());
    all.functions.insert(all.functions.end(), expression.functions.begin(),
                         expression.functions.end());
  }
  std::ranges::sort(index.expression.columns);
  auto const again = std::ranges::unique(index.expression.columns);
  index.expression.columns.erase(again.begin(), again.end());
  auto const name = statement.text("idxname");
  index.name = {table.name.schema, name.empty() ? free_name(catalog, table, words, "idx") : name};
  return index;
}

void add_index(Catalog& catalog, RelationName const& name, Index index) {
  auto const* table = catalog.find(name);
  if (table == nullptr || catalog.find_index(index.name)) {
    return;
  }
  auto const made = index;
  bool const partitioned = table->kind == RelationKind::partitioned_table;
  catalog.change(name, [&](Relation& r) { r.indexes.push_back(std::move(index)); });
  if (!partitioned) {
    return;
  }
  for (auto const* child : catalog.children(name)) {
    auto const child_name = child->name;
    auto const same = std::ranges::find_if(child->indexes, [&](Index const& i) {
      return i.definition == made.definition && i.parent.empty();
    });
    if (same != child->indexes.end()) {
      auto const existing = same->name.name;
      catalog.change(child_name, [&](Relation& r) { find_index(r, existing)->parent = made.name; });
      continue;
    }
    auto copy = made;
    copy.parent = made.name;
    copy.name = {child_name.schema,
                 made.constraint && std::ranges::any_of(catalog.find(name)->constraints,
                                                        [&](auto& c) {
                                                          return c.name == made.name.name &&
                                                                 c.kind ==
                                                                     Constraint::Kind::primary_key;
                                                        })
                     ? free_name(catalog, *child, {}, "pkey")
                     : free_name(catalog, *child, made.columns, made.constraint ? "key" : "idx")};
    if (made.constraint) {
      auto const* parent = catalog.find(name)->constraint(made.name.name);
      if (parent != nullptr) {
        auto constraint = *parent;
        constraint.name = copy.name.name;
        constraint.inherited = true;
        catalog.change(child_name, [&](Relation& r) {
          r.constraints.push_back(constraint);
          if (constraint.kind == Constraint::Kind::primary_key) {
            set_not_null(r, constraint.columns);
          }
        });
      }
    }
    add_index(catalog, child_name, std::move(copy));
  }
}

void add_constraint(Catalog& catalog, RelationName const& name, Node node,
                    std::string const& column) {
  auto const* table = catalog.find(name);
  if (table == nullptr) {
    return;
  }
  auto constraint = read_constraint(catalog, *table, node, column);
  if (constraint.kind == Constraint::Kind::not_null) {
    catalog.change(name, [&](Relation& r) { set_not_null(r, constraint.columns); });
    return;
  }
  bool const indexed = constraint.kind == Constraint::Kind::primary_key ||
                       constraint.kind == Constraint::Kind::unique ||
                       constraint.kind == Constraint::Kind::exclusion;
  auto const adopted = node.text("indexname");
  if (table->constraint(constraint.name) != nullptr) {
    return;
  }
  catalog.change(name, [&](Relation& r) {
    if (!adopted.empty()) {
      adopt_index(r, adopted, constraint);
    }
    if (constraint.kind == Constraint::Kind::primary_key) {
      set_not_null(r, constraint.columns);
    }
    r.constraints.push_back(constraint);
  });
  if (indexed && adopted.empty()) {
    add_index(catalog, name, index_of_constraint(*catalog.find(name), constraint, node));
  }
  hand_down(catalog, name, constraint);
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
      column.generated = type == "CONSTR_GENERATED" ? 's' : '\0';
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

void take_over(Catalog& catalog, RelationName const& partition, RelationName const& table) {
  auto const* parent = catalog.find(table);
  if (parent == nullptr || catalog.find(partition) == nullptr) {
    return;
  }
  auto const indexes = parent->indexes;
  auto const constraints = parent->constraints;
  auto const triggers = parent->triggers;
  auto const same_key = [](Constraint const& l, Constraint const& r) {
    return l.kind == r.kind && l.columns == r.columns && l.references == r.references;
  };
  for (auto const& constraint : constraints) {
    if (constraint.kind != Constraint::Kind::foreign_key) {
      continue;
    }
    catalog.change(partition, [&](Relation& r) {
      auto const own = std::ranges::find_if(r.constraints,
                                            [&](auto const& c) { return same_key(c, constraint); });
      if (own == r.constraints.end()) {
        r.constraints.push_back(constraint);
        r.constraints.back().inherited = true;
      } else {
        own->inherited = true;
      }
    });
  }
  for (auto const& index : indexes) {
    auto const* child = catalog.find(partition);
    auto const same = std::ranges::find_if(child->indexes, [&](Index const& i) {
      return i.definition == index.definition && i.parent.empty();
    });
    if (same != child->indexes.end()) {
      auto const existing = same->name.name;
      catalog.change(partition, [&](Relation& r) { find_index(r, existing)->parent = index.name; });
      continue;
    }
    auto copy = index;
    copy.parent = index.name;
    auto const of = std::ranges::find(constraints, index.name.name, &Constraint::name);
    bool const primary =
        of != constraints.end() && of->kind == Constraint::Kind::primary_key && index.constraint;
    copy.name = {partition.schema, primary ? free_name(catalog, *child, {}, "pkey")
                                           : free_name(catalog, *child, index.columns,
                                                       index.constraint ? "key" : "idx")};
    if (index.constraint && of != constraints.end()) {
      auto constraint = *of;
      constraint.name = copy.name.name;
      constraint.inherited = true;
      catalog.change(partition, [&](Relation& r) { r.constraints.push_back(constraint); });
    }
    add_index(catalog, partition, std::move(copy));
  }
  catalog.change(partition, [&](Relation& r) {
    for (auto trigger : triggers) {
      if (trigger.each_row) {
        trigger.inherited = true;
        r.triggers.push_back(std::move(trigger));
      }
    }
  });
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
}

}  // namespace runbookd::planner
