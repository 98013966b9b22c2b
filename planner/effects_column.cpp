// Columns of ALTER TABLE: what the rows that are there get, and what goes.
#include <algorithm>
#include <iterator>

#include "planner/effects_alter.h"

namespace runbookd::planner {
namespace {

using pg::Node;

std::vector<Node> constraints_of(Node column, std::string_view type) {
  std::vector<Node> found;
  std::ranges::copy_if(column.list("constraints"), std::back_inserter(found),
                       [&](Node c) { return c.word("contype") == type; });
  return found;
}

bool is_serial(std::string const& type) {
  return type.ends_with("serial") || (type.starts_with("serial") && type.size() == 7);
}

enum class Filled { null, stored_default, rewritten };

// What the rows that are there get for a new column.
Filled filled(Recorder& r, Node column) {
  auto const type = pg::type_of(column["typeName"], r.catalog);
  if (pg::virtual_column(column)) {
    return Filled::null;  // computed when it is read
  }
  if (is_serial(type.name) || !constraints_of(column, "CONSTR_GENERATED").empty() ||
      !constraints_of(column, "CONSTR_IDENTITY").empty() || domain_constrains(r.catalog, type)) {
    return Filled::rewritten;
  }
  auto const defaults = constraints_of(column, "CONSTR_DEFAULT");
  if (!defaults.empty()) {
    auto const value = defaults.front()["raw_expr"];
    if (!r.catalog.complete) {
      for (auto const node : pg::every(value)) {
        auto const name = node.is("FuncCall") ? pg::name_of(node.list("funcname")) : RelationName{};
        if (!name.empty() && r.catalog.find_functions(name).empty() &&
            !pg::calls_volatile(node, r.catalog)) {
          r.assume(to_sql(name) + "() is taken for a function of the server");
        }
      }
    }
    bool const null = value.is("A_Const") && value.flag("isnull");
    return null                                   ? Filled::null
           : pg::calls_volatile(value, r.catalog) ? Filled::rewritten
                                                  : Filled::stored_default;
  }
  for (auto const* domain = r.catalog.find_type(type); domain != nullptr;
       domain = r.catalog.find_type(domain->base)) {
    if (domain->value) {
      return domain->value->is_volatile ? Filled::rewritten : Filled::stored_default;
    }
  }
  return Filled::null;
}

// From version 18 on a NOT NULL can be there without having been checked.
bool unvalidated_not_null(Relation const& table, std::string const& column) {
  return std::ranges::any_of(table.constraints, [&](Constraint const& c) {
    return c.kind == Constraint::Kind::not_null && !c.validated &&
           std::ranges::find(c.columns, column) != c.columns.end();
  });
}

}  // namespace

void each_table(Alter const& a, void (*visit)(Alter const&, Relation const&)) {
  visit(a, a.table);
  if (a.down) {
    for (auto const* below : a.r.catalog.descendants(a.table.name)) {
      visit(a, *below);
    }
  }
}

bool proven_not_null(Relation const& table, std::string const& column) {
  return std::ranges::any_of(table.constraints, [&](Constraint const& c) {
    return c.kind == Constraint::Kind::check && c.validated && c.enforced &&
           std::ranges::find(c.expression.never_null, column) != c.expression.never_null.end();
  });
}

bool domain_constrains(Catalog const& catalog, TypeName const& type) {
  if (type.array) {
    return false;  // NULL for an array of them is NULL of the array
  }
  for (auto const* domain = catalog.find_type(type);
       domain != nullptr && domain->kind == TypeInfo::Kind::domain;
       domain = catalog.find_type(domain->base)) {
    if (domain->not_null || !domain->checks.empty()) {
      return true;
    }
  }
  return false;
}

void add_column(Alter const& a) {
  auto const column = a.command["def"];
  auto const name = column.text("colname");
  if (a.table.column(name) != nullptr) {  // IF NOT EXISTS; otherwise it fails
    if (!a.command.flag("missing_ok")) {
      a.r.refuse();
    }
    return;
  }
  lock_tree(a.r, a.table, a.mode, a.down);
  auto const fill = filled(a.r, column);
  bool const verified =
      fill == Filled::null && (!constraints_of(column, "CONSTR_NOTNULL").empty() ||
                               !constraints_of(column, "CONSTR_PRIMARY").empty());
  std::vector<Relation const*> tables{&a.table};
  if (a.down) {
    auto const below = a.r.catalog.descendants(a.table.name);
    tables.insert(tables.end(), below.begin(), below.end());
  }
  for (auto const* table : tables) {
    if (table->column(name) != nullptr) {
      continue;
    }
    if (fill == Filled::rewritten) {
      a.r.rewrite(*table);
    } else if (verified) {
      a.r.scan(*table);
    }
  }
  for (auto const value : constraints_of(column, "CONSTR_DEFAULT")) {
    lock_sequences(a.r, pg::expression_of(value["raw_expr"], a.r.catalog));
  }
  for (auto const constraint : column.list("constraints")) {
    bool const with_default = !constraints_of(column, "CONSTR_DEFAULT").empty();
    add_constraint_effects(a.r, a.table, constraint, a.down, !with_default, name);
  }
  for (auto const* constraint : {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}) {
    if (!constraints_of(column, constraint).empty() && fill == Filled::null &&
        !pg::virtual_column(column)) {
      a.r.breaks("column " + to_sql(a.table.name) + "." + quoted_identifier(name),
                 "INSERT of the old application does not give it a value, and NULL is refused");
      break;
    }
  }
}

void drop_column(Alter const& a) {
  Fallout fallout(a.r.catalog, a.command.text("behavior") == "DROP_CASCADE", a.r.major);
  if (a.down) {
    fallout.drop_column(a.table.name, a.name());
  } else {
    fallout.drop_column_alone(a.table.name, a.name());
  }
  a.r.drop(fallout);
  if (!a.r.catalog.complete && a.table.columns.empty()) {
    a.r.drop_column(a.table.name, a.name());  // of a table that is taken for granted
  }
}

void set_not_null(Alter const& a) {
  each_table(a, [](Alter const& alter, Relation const& table) {
    auto const* column = table.column(alter.name());
    bool const already =
        column != nullptr && column->not_null && !unvalidated_not_null(table, alter.name());
    bool const above =
        alter.table.column(alter.name()) != nullptr && alter.table.column(alter.name())->not_null;
    if (&table != &alter.table && above) {
      return;  // it was handed down before
    }
    alter.r.lock(table, alter.mode);
    if (already || (column != nullptr && proven_not_null(table, alter.name()))) {
      return;
    }
    alter.r.scan(table);
    if (!alter.r.catalog.complete && alter.r.catalog.find(table.name) == nullptr) {
      alter.r.assume("no CHECK constraint proves that " + alter.column_words() + " holds no NULL");
    }
  });
  a.r.breaks(a.column_words(), "writes of the old application that leave it NULL are refused");
}

}  // namespace runbookd::planner
