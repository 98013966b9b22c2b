// Constraints and indexes of tables, and their copies in partitions.
#include <algorithm>
#include <utility>

#include "planner/replay.h"
#include "planner/sql_expression.h"
#include "planner/words.h"

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
  c.enforced = !node.flag("not_enforced");
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
  bool const not_null = constraint.kind == Constraint::Kind::not_null;
  if (constraint.no_inherit || (!check && !foreign && !not_null)) {
    return;
  }
  constraint.inherited = true;
  for (auto const* child : catalog.children(table)) {
    auto const name = child->name;
    if ((!foreign || child->partition) && child->constraint(constraint.name) == nullptr) {
      catalog.change(name, [&](Relation& r) {
        r.constraints.push_back(constraint);
        if (not_null) {
          set_not_null(r, constraint.columns);
        }
      });
    }
    hand_down(catalog, name, constraint);
  }
}

// What keeps one index from standing in for another as a partition's, beside its keys. How they are
// sorted is none of it: the server does not compare that.
std::string comparison_of(Node part) {
  auto const collation = pg::names(part.list("collation"));
  auto const classes = pg::names(part.list("opclass"));
  return (classes.empty() ? "" : "." + classes.back()) +
         (collation.empty() ? "" : " in " + collation.back());
}

}  // namespace

std::string free_name(Catalog const& catalog, Relation const& table, Names const& columns,
                      std::string const& label) {
  Names unique;
  for (auto const& column : columns) {
    if (!column.empty()) {
      unique.push_back(column);
    }
  }
  auto const base = chosen_name(table.name.name, joined(unique, "_"), label);
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
      index.definition += " " + words.back() + "(" + joined(expression.columns, "_") + ")";
    } else {
      index.definition += " " + column;
    }
    index.definition += comparison_of(part);
  };
  std::ranges::for_each(statement.list("indexParams"), add);
  for (auto const part : statement.list("indexIncludingParams")) {
    index.definition += " +";
    add(part);
  }
  if (auto const where = statement["whereClause"]) {
    auto const expression = pg::expression_of(where, catalog);
    index.definition += " where " + joined(expression.columns, "_");
    for (auto const& [column, op, value] : expression.conditions) {
      index.definition += " " + column + op + value;
    }
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
    if (constraint.kind == Constraint::Kind::primary_key ||
        constraint.kind == Constraint::Kind::not_null) {
      set_not_null(r, constraint.columns);
    }
    r.constraints.push_back(constraint);
  });
  if (indexed && adopted.empty()) {
    add_index(catalog, name, index_of_constraint(*catalog.find(name), constraint, node));
  }
  hand_down(catalog, name, constraint);
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

}  // namespace runbookd::planner
