// ALTER TABLE, and what else is altered by the same commands: each command's inverse.
#include <algorithm>
#include <array>
#include <iterator>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"

namespace runbookd::planner::inverse {
namespace {

// One command, and where it stands.
struct Command {
  Node node;
  RelationName table;
  std::string alter;   // "ALTER TABLE ONLY s.t "
  std::string object;  // "TABLE"
  std::string text(std::string_view field) const { return node.text(field); }
  std::string name() const { return node.text("name"); }
  Node def() const { return node["def"]; }
  Thing thing(Kind kind, std::string part) const { return {kind, table, std::move(part)}; }
  std::string column() const { return alter + "ALTER COLUMN " + word(name()); }
  std::string label() const { return to_sql(table) + "." + word(name()); }
};

Change add_column(Command const& it) {
  auto const name = it.def().text("colname");
  auto const thing = it.thing(Kind::column, name);
  if (it.node.flag("missing_ok")) {
    return refused(thing, Does::makes, unless_there);
  }
  auto const drop = it.object == "TYPE" ? "DROP ATTRIBUTE " : "DROP COLUMN ";
  return made(thing, it.alter + drop + word(name));
}

Change drop_column(Command const& it) {
  return refused(it.thing(Kind::column, it.name()), Does::removes,
                 "the values of " + it.label() + " are gone with the column",
                 "keep a copy of them in a step before, or say `irreversible: <reason>`");
}

Change set_not_null(Command const& it) {
  return made(it.thing(Kind::not_null, it.name()), it.column() + " DROP NOT NULL");
}

Change drop_not_null(Command const& it) {
  return {.thing = it.thing(Kind::not_null, it.name()),
          .does = Does::removes,
          .back = it.column() + " SET NOT NULL"};
}

Change add_constraint(Command const& it) {
  auto const def = it.def();
  auto const name = def.text("conname");
  auto const thing = it.thing(Kind::constraint, name);
  if (name.empty()) {
    return refused(thing, Does::makes, "the server chooses the constraint's name",
                   "give it one: ADD CONSTRAINT <name> …");
  }
  if (!def.text("indexname").empty()) {
    return refused(thing, Does::makes,
                   "the constraint takes the index " + word(def.text("indexname")) +
                       " over, and dropping it drops the index");
  }
  if (def.text("contype") == "CONSTR_PRIMARY") {
    return refused(thing, Does::makes,
                   "a primary key makes its columns NOT NULL, they stay so without it, and the "
                   "text does not tell which were so before");
  }
  return made(thing, it.alter + "DROP CONSTRAINT " + word(name));
}

Change drop_constraint(Command const& it) {
  auto const thing = it.thing(Kind::constraint, it.name());
  if (it.node.flag("missing_ok")) {
    return refused(thing, Does::removes, if_there);
  }
  if (it.text("behavior") == "DROP_CASCADE") {
    return refused(thing, Does::removes, takes_along);
  }
  return unknown(thing, Does::removes, "what the constraint " + word(it.name()) + " said");
}

Change validate(Command const& it) {
  return unknown(it.thing(Kind::validation, it.name()), Does::alters,
                 "what the constraint " + word(it.name()) + " says");
}

Change set_default(Command const& it) {
  return unknown(it.thing(Kind::column_default, it.name()), Does::alters,
                 "the former default of " + it.label());
}

Change alter_type(Command const& it) {
  return unknown(it.thing(Kind::column_type, it.name()), Does::alters,
                 "the former type of " + it.label());
}

// One word against another.
struct Pair {
  std::string_view command, back;
};
constexpr auto pairs = std::to_array<Pair>({
    {"AT_EnableRowSecurity", "DISABLE ROW LEVEL SECURITY"},
    {"AT_DisableRowSecurity", "ENABLE ROW LEVEL SECURITY"},
    {"AT_ForceRowSecurity", "NO FORCE ROW LEVEL SECURITY"},
    {"AT_NoForceRowSecurity", "FORCE ROW LEVEL SECURITY"},
    {"AT_SetLogged", "SET UNLOGGED"},
    {"AT_SetUnLogged", "SET LOGGED"},
});

Change enable_trigger(Command const& it) {
  return altered(it.thing(Kind::setting, "trigger " + word(it.name())),
                 it.alter + "DISABLE TRIGGER " + word(it.name()));
}
Change disable_trigger(Command const& it) {
  return altered(it.thing(Kind::setting, "trigger " + word(it.name())),
                 it.alter + "ENABLE TRIGGER " + word(it.name()));
}

// A partition that comes or goes.
Thing partition(Command const& it) {
  return it.thing(Kind::setting, "partition " + name_text(it.def()["name"]));
}
Change attach(Command const& it) {
  if (it.object == "INDEX") {
    return refused(partition(it), Does::alters,
                   "an index that became part of another is never detached again");
  }
  return altered(partition(it), it.alter + "DETACH PARTITION " + name_text(it.def()["name"]));
}
Change detach(Command const& it) {
  if (it.def().flag("concurrent")) {
    return refused(partition(it), Does::alters,
                   "DETACH … CONCURRENTLY leaves a check constraint on the partition, whose name "
                   "the server chooses");
  }
  return unknown(partition(it), Does::alters, "the partition's bound");
}

Change inherit(Command const& it) {
  auto const parent = name_text(it.def());
  bool const added = it.text("subtype") == "AT_AddInherit";
  return altered(it.thing(Kind::setting, "parent " + parent),
                 it.alter + (added ? "NO INHERIT " : "INHERIT ") + parent);
}

Change add_identity(Command const& it) {
  return altered(it.thing(Kind::column_default, it.name()), it.column() + " DROP IDENTITY");
}
Change drop_identity(Command const& it) {
  return refused(it.thing(Kind::column_default, it.name()), Does::alters,
                 "the position of the identity's sequence is gone with it");
}
Change drop_expression(Command const& it) {
  return refused(it.thing(Kind::column_default, it.name()), Does::alters,
                 "no statement makes an ordinary column a generated one");
}

struct Rule {
  std::string_view command;
  Change (*change)(Command const&);
};
constexpr auto rules = std::to_array<Rule>({
    {"AT_AddColumn", add_column},
    {"AT_DropColumn", drop_column},
    {"AT_SetNotNull", set_not_null},
    {"AT_DropNotNull", drop_not_null},
    {"AT_AddConstraint", add_constraint},
    {"AT_DropConstraint", drop_constraint},
    {"AT_ValidateConstraint", validate},
    {"AT_ColumnDefault", set_default},
    {"AT_AlterColumnType", alter_type},
    {"AT_EnableTrig", enable_trigger},
    {"AT_DisableTrig", disable_trigger},
    {"AT_AttachPartition", attach},
    {"AT_DetachPartition", detach},
    {"AT_AddInherit", inherit},
    {"AT_DropInherit", inherit},
    {"AT_AddIdentity", add_identity},
    {"AT_DropIdentity", drop_identity},
    {"AT_DropExpression", drop_expression},
});

Change of_command(Command const& it) {
  auto const type = it.text("subtype");
  if (auto const pair = std::ranges::find(pairs, type, &Pair::command); pair != pairs.end()) {
    auto const back = std::string(pair->back);
    return altered(it.thing(Kind::setting, back), it.alter + back);
  }
  if (auto const rule = std::ranges::find(rules, type, &Rule::command); rule != rules.end()) {
    return rule->change(it);
  }
  return unknown(it.thing(Kind::other, "this setting"), Does::alters, "what was set before");
}

}  // namespace

Changes of_alter_table(Node statement) {
  auto const relation = statement["relation"];
  auto const object = pg::object_words(statement.text("objtype"));
  bool const only = !relation.flag("inh") && object != "TYPE";
  auto const table = pg::name_of(relation);
  if (statement.flag("missing_ok")) {
    return {refused({Kind::table, table, ""}, Does::alters, if_there)};
  }
  auto const alter = "ALTER " + object + (only ? " ONLY " : " ") + to_sql(table) + " ";
  Changes all;
  std::ranges::transform(statement.list("cmds"), std::back_inserter(all),
                         [&](Node command) { return of_command({command, table, alter, object}); });
  return all;
}

}  // namespace runbookd::planner::inverse
