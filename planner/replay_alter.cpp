// ALTER TABLE and its kin, and RENAME.
#include <algorithm>
#include <iterator>
#include <utility>

#include "planner/replay.h"
#include "planner/sql_expression.h"
#include "planner/toast.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using Names = std::vector<std::string>;

template <typename Change>
void change_column(Catalog& catalog, RelationName const& table, std::string const& column,
                   Change change) {
  std::vector<RelationName> tables{table};
  for (auto const* below : catalog.descendants(table)) {
    tables.push_back(below->name);
  }
  for (auto const& one : tables) {
    catalog.change(one, [&](Relation& relation) {
      for (auto& c : relation.columns) {
        if (c.name == column) {
          change(c);
        }
      }
    });
  }
}

struct Context {
  Catalog& catalog;
  RelationName table;
  Node command;
  bool down = true;  // not ONLY
  std::string name() const { return command.text("name"); }
  bool cascade() const { return command.text("behavior") == "DROP_CASCADE"; }
};

void drop_part(Context const& c, void (Fallout::*drop)(RelationName const&, std::string const&)) {
  Fallout fallout(c.catalog, c.cascade());
  (fallout.*drop)(c.table, c.name());
  remove(c.catalog, fallout);
}

void drop_column(Context const& c) {
  drop_part(c, c.down ? &Fallout::drop_column : &Fallout::drop_column_alone);
}

void set_default(Context const& c) {
  auto const expression = c.command["def"];
  auto const value = expression ? std::optional(pg::expression_of(expression, c.catalog))
                                : std::optional<Expression>();
  change_column(c.catalog, c.table, c.name(), [&](Column& column) { column.value = value; });
}

void set_type(Context const& c) {
  auto const type = pg::type_of(c.command["def"]["typeName"], c.catalog);
  auto const collation = pg::names(c.command["def"]["collClause"].list("collname"));
  change_column(c.catalog, c.table, c.name(), [&](Column& column) {
    column.type = type;
    column.collation = collation.empty() ? "" : collation.back();
  });
}

void validate(Context const& c) {
  std::vector<RelationName> tables{c.table};
  for (auto const* below : c.catalog.descendants(c.table)) {
    tables.push_back(below->name);
  }
  for (auto const& table : tables) {
    c.catalog.change(table, [&](Relation& relation) {
      for (auto& constraint : relation.constraints) {
        if (constraint.name == c.name()) {
          constraint.validated = true;
        }
      }
    });
  }
}

// Without NOT NULL its constraint is gone too.
void set_not_null(Context const& c, bool on) {
  c.catalog.change(c.table, [&](Relation& r) {
    for (auto& constraint : r.constraints) {
      if (constraint.kind == Constraint::Kind::not_null && constraint.columns == Names{c.name()}) {
        constraint.validated = true;
      }
    }
    std::erase_if(r.constraints, [&](Constraint const& one) {
      return !on && one.kind == Constraint::Kind::not_null && one.columns == Names{c.name()};
    });
  });
  change_column(c.catalog, c.table, c.name(), [on](Column& column) { column.not_null = on; });
}

void alter_constraint(Context const& c) {
  auto const definition = c.command["def"];
  auto const becomes = definition.text("becomes");
  Names columns;
  c.catalog.change(c.table, [&](Relation& r) {
    for (auto& constraint : r.constraints) {
      if (constraint.name != definition.text("conname") || becomes.empty()) {
        continue;
      }
      if (becomes.ends_with("inherit")) {
        constraint.no_inherit = becomes == "no_inherit";
        columns = constraint.columns;
      } else {
        constraint.enforced = constraint.validated = becomes == "enforced";
      }
    }
  });
  for (auto const& column : becomes == "inherit" ? columns : Names{}) {
    change_column(c.catalog, c.table, column, [](Column& one) { one.not_null = true; });
  }
}

void set_expression(Context const& c) {
  auto const value = pg::expression_of(c.command["def"], c.catalog);
  change_column(c.catalog, c.table, c.name(), [&](Column& column) { column.value = value; });
}

void move_table(Context const& c) {
  c.catalog.change(c.table, [&](Relation& r) { r.tablespace = c.name(); });
}

void attach(Context const& c) {
  auto const definition = c.command["def"];
  auto const* partition = c.catalog.find(pg::name_of(definition["name"]));
  if (partition == nullptr) {
    return;
  }
  auto copy = *partition;
  read_partition(c.catalog, copy, c.table, definition["bound"]);
  auto const name = copy.name;
  c.catalog.put(std::move(copy));
  take_over(c.catalog, name, c.table);
}

void attach_index(Catalog& catalog, Node statement) {
  auto const parent = catalog.find_index(pg::name_of(statement["relation"]));
  auto const commands = statement.list("cmds");
  auto const child = catalog.find_index(pg::name_of(commands.front()["def"]["name"]));
  if (parent && child) {
    auto const above = parent.index->name;
    auto const index = child.index->name;
    catalog.change(child.table->name, [&](Relation& r) {
      for (auto& one : r.indexes) {
        if (one.name == index) {
          one.parent = above;
        }
      }
    });
  }
}

void detach(Context const& c) {
  auto const* partition = c.catalog.find(pg::name_of(c.command["def"]["name"]));
  if (partition == nullptr) {
    return;
  }
  auto const name = partition->name;
  c.catalog.change(name, [](Relation& r) {
    r.partition = r.default_partition = r.detach_pending = false;
    r.parents.clear();
    r.bound.clear();
    for (auto& index : r.indexes) {
      index.parent = {};
    }
    for (auto& constraint : r.constraints) {
      constraint.inherited = false;
    }
    std::erase_if(r.triggers, [](Trigger const& t) { return t.inherited; });
  });
}

void change_parents(Context const& c, bool add) {
  auto const* parent = c.catalog.find(pg::name_of(c.command["def"]));
  if (parent == nullptr) {
    return;
  }
  auto const name = parent->name;
  c.catalog.change(c.table, [&](Relation& r) {
    std::erase(r.parents, name);
    if (add) {
      r.parents.push_back(name);
    }
  });
}

void cluster_on(Context const& c, bool on) {
  c.catalog.change(c.table, [&](Relation& r) {
    for (auto& index : r.indexes) {
      index.clustered = on && index.name.name == c.name();
    }
  });
}

void add_identity(Context const& c) {
  auto const* table = c.catalog.find(c.table);
  Relation sequence{.kind = RelationKind::sequence};
  sequence.name = {c.table.schema, free_name(c.catalog, *table, {c.name()}, "seq")};
  sequence.owner_table = c.table;
  sequence.owner_column = c.name();
  c.catalog.put(std::move(sequence));
  change_column(c.catalog, c.table, c.name(), [](Column& column) { column.identity = 'a'; });
}

void drop_identity(Context const& c) {
  Fallout fallout(c.catalog, false);
  for (auto const* sequence : c.catalog.sequences_of(c.table)) {
    if (sequence->owner_column == c.name()) {
      fallout.drop_relation(sequence->name);
    }
  }
  remove(c.catalog, fallout);
  change_column(c.catalog, c.table, c.name(), [](Column& column) { column.identity = 0; });
}

struct Subcommand {
  std::string_view subtype;
  void (*replay)(Context const&);
};
constexpr Subcommand rules[] = {
    {"AT_AddColumn", [](Context const& c) { add_column(c.catalog, c.table, c.command["def"]); }},
    {"AT_DropColumn", drop_column},
    {"AT_ColumnDefault", set_default},
    {"AT_AlterConstraint", alter_constraint},
    {"AT_SetExpression", set_expression},
    {"AT_SetNotNull", [](Context const& c) { set_not_null(c, true); }},
    {"AT_DropNotNull", [](Context const& c) { set_not_null(c, false); }},
    {"AT_AlterColumnType", set_type},
    {"AT_AddConstraint",
     [](Context const& c) { add_constraint(c.catalog, c.table, c.command["def"]); }},
    {"AT_DropConstraint", [](Context const& c) { drop_part(c, &Fallout::drop_constraint); }},
    {"AT_ValidateConstraint", validate},
    {"AT_AttachPartition", attach},
    {"AT_DetachPartition", detach},
    {"AT_DetachPartitionFinalize", detach},
    {"AT_AddInherit", [](Context const& c) { change_parents(c, true); }},
    {"AT_DropInherit", [](Context const& c) { change_parents(c, false); }},
    {"AT_ClusterOn", [](Context const& c) { cluster_on(c, true); }},
    {"AT_DropCluster", [](Context const& c) { cluster_on(c, false); }},
    {"AT_AddIdentity", add_identity},
    {"AT_DropIdentity", drop_identity},
    {"AT_SetTableSpace", move_table},
    {"AT_SetLogged",
     [](Context const& c) { c.catalog.change(c.table, [](auto& r) { r.unlogged = false; }); }},
    {"AT_SetUnLogged",
     [](Context const& c) { c.catalog.change(c.table, [](auto& r) { r.unlogged = true; }); }},
    {"AT_DropExpression",
     [](Context const& c) {
       change_column(c.catalog, c.table, c.name(), [](Column& column) { column.generated = 0; });
     }},
    {"AT_SetAccessMethod",
     [](Context const& c) {
       c.catalog.change(c.table, [&](auto& r) { r.access_method = c.name(); });
     }},
};

void alter_type(Catalog& catalog, Node statement) {
  auto const* info = catalog.find_type({.schema = pg::name_of(statement["relation"]).schema,
                                        .name = pg::name_of(statement["relation"]).name});
  if (info == nullptr) {
    return;
  }
  auto& type = catalog.types.at(info->name);
  for (auto const command : statement.list("cmds")) {
    auto const what = command.text("subtype");
    auto const definition = command["def"];
    if (what == "AT_AddColumn") {
      type.attributes.push_back({.name = definition.text("colname"),
                                 .type = pg::type_of(definition["typeName"], catalog)});
    } else if (what == "AT_DropColumn") {
      std::erase_if(type.attributes, [&](auto const& a) { return a.name == command.text("name"); });
    } else if (what == "AT_AlterColumnType") {
      for (auto& attribute : type.attributes) {
        if (attribute.name == command.text("name")) {
          attribute.type = pg::type_of(definition["typeName"], catalog);
        }
      }
    }
  }
}

void rename_column(Catalog& catalog, RelationName const& table, std::string const& from,
                   std::string const& to) {
  auto const renamed = [&](std::vector<std::string>& names) {
    std::ranges::replace(names, from, to);
  };
  auto const in_expression = [&](Expression& e) {
    renamed(e.columns);
    renamed(e.never_null);
    for (auto& condition : e.conditions) {
      if (condition.column == from) {
        condition.column = to;
      }
    }
  };
  auto const readers = catalog.readers(table);
  auto const referencing = catalog.referencing(table);
  std::vector<RelationName> others;
  for (auto const* other : readers) {
    others.push_back(other->name);
  }
  for (auto const* other : referencing) {
    others.push_back(other->name);
  }
  catalog.change(table, [&](Relation& r) {
    for (auto& column : r.columns) {
      if (column.name == from) {
        column.name = to;
      }
      if (column.value) {
        in_expression(*column.value);
      }
    }
    for (auto& constraint : r.constraints) {
      renamed(constraint.columns);
      in_expression(constraint.expression);
    }
    for (auto& index : r.indexes) {
      renamed(index.columns);
      in_expression(index.expression);
    }
    renamed(r.partition_key.columns);
  });
  for (auto const& other : others) {
    catalog.change(other, [&](Relation& r) {
      for (auto& use : r.uses) {
        if (use.relation == table) {
          renamed(use.columns);
        }
      }
      for (auto& constraint : r.constraints) {
        if (constraint.references == table) {
          renamed(constraint.referenced_columns);
        }
      }
    });
  }
  for (auto const& sequence : catalog.sequences_of(table)) {
    if (sequence->owner_column == from) {
      auto const name = sequence->name;
      catalog.change(name, [&](Relation& r) { r.owner_column = to; });
    }
  }
}

void rename_index(Catalog& catalog, RelationName const& index, std::string const& to) {
  auto const found = catalog.find_index(index);
  if (!found) {
    return;
  }
  auto const old = found.index->name;
  auto const table = found.table->name;
  std::vector<RelationName> parts;
  for (auto const* child : catalog.children(table)) {
    parts.push_back(child->name);
  }
  catalog.change(table, [&](Relation& r) {
    for (auto& one : r.indexes) {
      if (one.name == old) {
        one.name.name = to;
      }
    }
    for (auto& constraint : r.constraints) {
      if (constraint.name == old.name && constraint.kind != Constraint::Kind::check) {
        constraint.name = to;
      }
    }
  });
  for (auto const& part : parts) {
    catalog.change(part, [&](Relation& r) {
      for (auto& one : r.indexes) {
        if (one.parent == old) {
          one.parent.name = to;
        }
      }
    });
  }
}

template <typename Part>
void rename_part(Catalog& catalog, RelationName const& table, std::vector<Part> Relation::* parts,
                 std::string const& from, std::string const& to) {
  catalog.change(table, [&](Relation& r) {
    for (auto& part : r.*parts) {
      if (part.name == from) {
        part.name = to;
      }
    }
  });
}

}  // namespace

void replay_alter_table(Catalog& catalog, Node statement) {
  auto const object = statement.text("objtype");
  auto const commands = statement.list("cmds");
  if (object == "OBJECT_TYPE") {
    alter_type(catalog, statement);
    return;
  }
  if (object == "OBJECT_INDEX" && !commands.empty() &&
      commands.front().text("subtype") == "AT_AttachPartition") {
    attach_index(catalog, statement);
    return;
  }
  auto const name = pg::name_of(statement["relation"]);
  auto const* table = catalog.find(name);
  if (table == nullptr) {
    if (auto const index = catalog.find_index(name)) {
      for (auto const command : commands) {
        if (command.text("subtype") == "AT_SetTableSpace") {
          auto const full = index.index->name;
          catalog.change(index.table->name, [&](Relation& r) {
            for (auto& one : r.indexes) {
              if (one.name == full) {
                one.tablespace = command.text("name");
              }
            }
          });
          break;
        }
      }
    }
    return;
  }
  auto const full = table->name;
  // dropping comes first on the server, whatever the order of the commands
  for (bool const dropping : {true, false}) {
    for (auto const command : commands) {
      auto const subtype = command.text("subtype");
      bool const drops = subtype == "AT_DropColumn" || subtype == "AT_DropConstraint";
      auto const rule = std::ranges::find(rules, subtype, &Subcommand::subtype);
      if (rule != std::end(rules) && drops == dropping) {
        rule->replay({catalog, full, command, statement["relation"].flag("inh")});
      }
    }
  }
  settle_toast(catalog, full);
  std::vector<RelationName> below;
  std::ranges::transform(catalog.descendants(full), std::back_inserter(below), &Relation::name);
  std::ranges::for_each(below, [&](auto const& one) { settle_toast(catalog, one); });
}

void replay_rename(Catalog& catalog, Node statement) {
  auto const kind = statement.text("renameType");
  auto const written = pg::name_of(statement["relation"]);
  auto const from = statement.text("subname");
  auto const to = statement.text("newname");
  auto const* relation = catalog.find(written);
  auto const name = relation != nullptr ? relation->name : written;
  if (kind == "OBJECT_COLUMN" && relation != nullptr) {
    std::vector<RelationName> tables{name};
    for (auto const* below : catalog.descendants(name)) {
      tables.push_back(below->name);
    }
    for (auto const& table : tables) {
      rename_column(catalog, table, from, to);
    }
  } else if (kind == "OBJECT_TABCONSTRAINT") {
    rename_part(catalog, name, &Relation::constraints, from, to);
    rename_index(catalog, {name.schema, from}, to);
  } else if (kind == "OBJECT_TRIGGER") {
    rename_part(catalog, name, &Relation::triggers, from, to);
  } else if (kind == "OBJECT_RULE") {
    rename_part(catalog, name, &Relation::rules, from, to);
  } else if (kind == "OBJECT_POLICY") {
    rename_part(catalog, name, &Relation::policies, from, to);
  } else if (kind == "OBJECT_SCHEMA") {
    catalog.schemas.erase(from);
    catalog.schemas.insert(to);
    std::vector<RelationName> inside;
    for (auto const& [one, r] : catalog.relations()) {
      if (one.schema == from) {
        inside.push_back(one);
      }
    }
    for (auto const& one : inside) {
      catalog.rename(one, {to, one.name});
    }
  } else if (kind == "OBJECT_TYPE" || kind == "OBJECT_DOMAIN") {
    auto const object = statement["object"];
    auto const written_type = pg::name_of(object.list(object.is("List") ? "items" : "names"));
    auto const* type =
        catalog.find_type({.schema = written_type.schema, .name = written_type.name});
    if (type != nullptr) {
      auto copy = *type;
      auto const old = copy.name;
      copy.name.name = to;
      catalog.types.erase(old);
      catalog.types[copy.name] = copy;
      std::vector<RelationName> users;
      for (auto const& [one, r] : catalog.relations()) {
        users.push_back(one);
      }
      for (auto const& one : users) {
        catalog.change(one, [&](Relation& r) {
          for (auto& column : r.columns) {
            if (column.type.schema == old.schema && column.type.name == old.name) {
              column.type.name = to;
            }
          }
        });
      }
    }
  } else if (relation != nullptr) {
    catalog.rename(name, {name.schema, to});
  } else {
    rename_index(catalog, written, to);
  }
}

}  // namespace runbookd::planner
