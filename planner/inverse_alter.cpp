// ALTER TABLE, and what else is altered by the same commands: each command's inverse.
#include <algorithm>
#include <array>
#include <iterator>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

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
  // About the table, or its part of that name.
  Change asks(Thing thing, Does does, About about, std::string detail, std::string const& what,
              std::optional<std::string> if_absent = std::nullopt) const {
    return asked(std::move(thing), does,
                 {.about = about,
                  .kind = object,
                  .object = to_sql(this->table),
                  .part = name(),
                  .detail = std::move(detail)},
                 what, std::move(if_absent));
  }
};

Change add_column(Command const& it) {
  auto const name = it.def().text("colname");
  auto const thing = it.thing(Kind::column, name);
  auto const what = it.object == "TYPE" ? "DROP ATTRIBUTE " : "DROP COLUMN ";
  auto const drop = it.alter + what + word(name);
  return it.node.flag("missing_ok")
             ? made_unless_there(thing, "COLUMN", to_sql(it.table), name, drop)
             : made(thing, drop);
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
  if (it.text("behavior") == "DROP_CASCADE") {
    return refused(thing, Does::removes, takes_along);
  }
  return it.asks(thing, Does::removes, About::constraint, "",
                 "what the constraint " + word(it.name()) + " said",
                 nothing_if(it.node.flag("missing_ok")));
}

Change validate(Command const& it) {
  return it.asks(it.thing(Kind::validation, it.name()), Does::alters, About::validation, "",
                 "what the constraint " + word(it.name()) + " says");
}

Change set_default(Command const& it) {
  return it.asks(it.thing(Kind::column_default, it.name()), Does::alters, About::column_default, "",
                 "the former default of " + it.label());
}

Change alter_type(Command const& it) {
  auto const thing = it.thing(Kind::column_type, it.name());
  if (it.object == "TYPE") {
    return unknown(thing, Does::alters, "the former type of " + it.label());
  }
  if (it.def().has("raw_default")) {  // USING
    return refused(
        thing, Does::alters,
        "the expression after USING computes other values, and no inverse of it is known");
  }
  return it.asks(thing, Does::alters, About::column_type, type_words(it.def()["typeName"]),
                 "the former type of " + it.label());
}

// What a column has beside its type and default.
Change set_column(Command const& it) {
  auto const type = it.text("subtype");
  auto const what = type == "AT_SetStatistics"    ? "STATISTICS"
                    : type == "AT_SetStorage"     ? "STORAGE"
                    : type == "AT_SetCompression" ? "COMPRESSION"
                                                  : "OPTIONS";
  if (it.name().empty()) {  // of an index: by the column's number
    return unknown(it.thing(Kind::other, "this setting"), Does::alters, "what was set before");
  }
  return it.asks(it.thing(Kind::setting, what + (" of " + it.name())), Does::alters,
                 About::column_setting, what, "what was set before");
}

// SET (fillfactor = 70), RESET (toast.autovacuum_enabled)
Change set_options(Command const& it) {
  std::vector<std::string> names;
  for (auto const& option : it.def().list("items")) {
    auto const space = option.text("defnamespace");
    names.push_back((space.empty() ? "" : space + ".") + option.text("defname"));
  }
  return it.asks(it.thing(Kind::setting, "options"), Does::alters, About::options, joined(names),
                 "what was set before");
}

// ENABLE, DISABLE TRIGGER and RULE in all their forms
Change switch_over(Command const& it) {
  bool const rule = it.text("subtype").ends_with("Rule");
  return it.asks(it.thing(Kind::setting, (rule ? "rule " : "trigger ") + word(it.name())),
                 Does::alters, rule ? About::rules_enabled : About::triggers_enabled,
                 it.text("subtype"), "whether it was enabled before");
}

template <About about>
Change set_whole(Command const& it) {
  auto const detail = about == About::owner ? it.alter + "OWNER TO" : it.alter + "SET TABLESPACE";
  return asked(it.thing(Kind::setting, std::string(it.text("subtype"))), Does::alters,
               {.about = about,
                .kind = it.object,
                .object = to_sql(it.table),
                .part = it.node["newowner"].text("rolename"),
                .detail = detail},
               "what was set before");
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
  return asked(partition(it), Does::alters,
               {.about = About::bound,
                .kind = "TABLE",
                .object = name_text(it.def()["name"]),
                .part = "",
                .detail = to_sql(it.table)},
               "the partition's bound");
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
    {"AT_SetStatistics", set_column},
    {"AT_SetStorage", set_column},
    {"AT_SetCompression", set_column},
    {"AT_SetOptions", set_column},
    {"AT_ResetOptions", set_column},
    {"AT_SetRelOptions", set_options},
    {"AT_ResetRelOptions", set_options},
    {"AT_ChangeOwner", set_whole<About::owner>},
    {"AT_SetTableSpace", set_whole<About::tablespace>},
    {"AT_ReplicaIdentity", set_whole<About::replica_identity>},
    {"AT_ClusterOn", set_whole<About::clustered>},
    {"AT_DropCluster", set_whole<About::clustered>},
    {"AT_EnableTrig", switch_over},
    {"AT_EnableAlwaysTrig", switch_over},
    {"AT_EnableReplicaTrig", switch_over},
    {"AT_DisableTrig", switch_over},
    {"AT_EnableTrigAll", switch_over},
    {"AT_DisableTrigAll", switch_over},
    {"AT_EnableTrigUser", switch_over},
    {"AT_DisableTrigUser", switch_over},
    {"AT_EnableRule", switch_over},
    {"AT_EnableAlwaysRule", switch_over},
    {"AT_EnableReplicaRule", switch_over},
    {"AT_DisableRule", switch_over},
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
    return {refused({Kind::table, table, ""}, Does::alters, if_there, "leave IF EXISTS out")};
  }
  auto const alter = "ALTER " + object + (only ? " ONLY " : " ") + to_sql(table) + " ";
  Changes all;
  std::ranges::transform(statement.list("cmds"), std::back_inserter(all),
                         [&](Node command) { return of_command({command, table, alter, object}); });
  return all;
}

}  // namespace runbookd::planner::inverse
