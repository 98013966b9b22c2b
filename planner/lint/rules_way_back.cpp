// The way back: a rollback undoes what its step made, all of it, nothing else, in reverse.
#include <algorithm>
#include <array>

#include "planner/lint/plan_site.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

constexpr auto rules = std::to_array<LintRule>({
    {.id = "rollback/leaves-behind",
     .severity = Severity::warning,
     .title = "A rollback leaves something of its step",
     .why = "the rollback does not take it away, so the schema differs from what it was before the "
            "step, and the rollback stops there",
     .fix = "drop it in the rollback"},
    {.id = "rollback/drops-what-was-there",
     .severity = Severity::warning,
     .title = "A rollback drops what its step did not make",
     .why = "the step did not make it, so the rollback destroys something that was there before",
     .fix = "leave it out of the rollback"},
    {.id = "rollback/wrong-order",
     .severity = Severity::warning,
     .title = "A rollback that is not the reverse of its step",
     .why = "it drops what the rest still needs, so the server refuses, or takes it along with "
            "CASCADE",
     .fix = "undo the statements of the step in reverse order"},
});

enum class Kind { table, column, index, constraint, view, trigger, sequence, type, not_null };

struct Thing {
  Kind kind;
  RelationName table;  // itself, or what it belongs to
  std::string name;
};

// An index or a type is found by its name alone: a DROP does not say of which table.
bool same(Thing const& one, Thing const& other) {
  if (one.kind != other.kind || one.name != other.name) {
    return false;
  }
  bool const by_name = one.kind == Kind::index || one.kind == Kind::type;
  return by_name || same_table(one.table, other.table);
}

std::string words(Thing const& thing) {
  auto const of = to_sql(thing.table);
  switch (thing.kind) {
    case Kind::table:
      return "table " + of;
    case Kind::column:
      return "column " + of + "." + quoted_identifier(thing.name);
    case Kind::index:
      return "index " + quoted_identifier(thing.name);
    case Kind::constraint:
      return "constraint " + quoted_identifier(thing.name) + " of " + of;
    case Kind::view:
      return "view " + of;
    case Kind::trigger:
      return "trigger " + quoted_identifier(thing.name) + " of " + of;
    case Kind::sequence:
      return "sequence " + of;
    case Kind::type:
      return "type " + quoted_identifier(thing.name);
    case Kind::not_null:
      return "NOT NULL of " + of + "." + quoted_identifier(thing.name);
  }
  __builtin_unreachable();
}

RelationName written(Node relation) {
  return {relation.text("schemaname"), relation.text("relname")};
}

struct Changes {
  std::vector<Thing> made, gone;
};

void add_command(Changes& changes, RelationName const& table, Node command) {
  auto const type = command.text("subtype");
  auto const name = command.text("name");
  if (type == "AT_AddColumn") {
    changes.made.push_back({Kind::column, table, command["def"].text("colname")});
  } else if (type == "AT_DropColumn") {
    changes.gone.push_back({Kind::column, table, name});
  } else if (type == "AT_AddConstraint" && !command["def"].text("conname").empty()) {
    changes.made.push_back({Kind::constraint, table, command["def"].text("conname")});
  } else if (type == "AT_DropConstraint") {
    changes.gone.push_back({Kind::constraint, table, name});
  } else if (type == "AT_SetNotNull") {
    changes.made.push_back({Kind::not_null, table, name});
  } else if (type == "AT_DropNotNull") {
    changes.gone.push_back({Kind::not_null, table, name});
  }
}

void add_drop(Changes& changes, Node node) {
  auto const what = node.text("removeType");
  for (auto const object : node.list("objects")) {
    auto const path = pg::names(object.list("items"));
    if (path.empty()) {
      continue;
    }
    RelationName const name{path.size() > 1 ? path[path.size() - 2] : "", path.back()};
    if (what == "OBJECT_TABLE") {
      changes.gone.push_back({Kind::table, name, ""});
    } else if (what == "OBJECT_INDEX") {
      changes.gone.push_back({Kind::index, {}, name.name});
    } else if (what == "OBJECT_VIEW" || what == "OBJECT_MATVIEW") {
      changes.gone.push_back({Kind::view, name, ""});
    } else if (what == "OBJECT_SEQUENCE") {
      changes.gone.push_back({Kind::sequence, name, ""});
    } else if (what == "OBJECT_TRIGGER" && path.size() > 1) {
      changes.gone.push_back({Kind::trigger,
                              {path.size() > 2 ? path[path.size() - 3] : "", path[path.size() - 2]},
                              path.back()});
    }
  }
}

void add(Changes& changes, Node node) {
  if (node.is("CreateStmt") && node["relation"].text("relpersistence") != "t") {
    changes.made.push_back({Kind::table, written(node["relation"]), ""});
  } else if (node.is("CreateTableAsStmt")) {
    bool const view = node.text("objtype") == "OBJECT_MATVIEW";
    changes.made.push_back({view ? Kind::view : Kind::table, written(node["into"]["rel"]), ""});
  } else if (node.is("SelectStmt") && node.has("intoClause")) {
    changes.made.push_back({Kind::table, written(node["intoClause"]["rel"]), ""});
  } else if (node.is("IndexStmt") && !node.text("idxname").empty()) {
    changes.made.push_back({Kind::index, {}, node.text("idxname")});
  } else if (node.is("ViewStmt") && !node.flag("replace")) {
    changes.made.push_back({Kind::view, written(node["view"]), ""});
  } else if (node.is("CreateTrigStmt") && !node.flag("replace")) {
    changes.made.push_back({Kind::trigger, written(node["relation"]), node.text("trigname")});
  } else if (node.is("CreateSeqStmt")) {
    changes.made.push_back({Kind::sequence, written(node["sequence"]), ""});
  } else if (node.is("AlterTableStmt")) {
    for (auto const command : node.list("cmds")) {
      add_command(changes, written(node["relation"]), command);
    }
  } else if (node.is("DropStmt")) {
    add_drop(changes, node);
  }
}

Changes changes_of(std::vector<StepStatement> const& statements) {
  Changes changes;
  for (auto const& one : statements) {
    add(changes, one.node());
  }
  return changes;
}

bool in(std::vector<Thing> const& list, Thing const& thing) {
  return std::ranges::any_of(list, [&](Thing const& one) { return same(one, thing); });
}

// What goes with its table goes with it.
bool goes_with_table(Thing const& thing, std::vector<Thing> const& gone) {
  return thing.kind != Kind::table && std::ranges::any_of(gone, [&](Thing const& one) {
           return one.kind == Kind::table && same_table(one.table, thing.table);
         });
}

// … or with its column: which columns a constraint or index is over is not followed.
bool may_go_with_column(Thing const& thing, std::vector<Thing> const& gone) {
  bool const hangs =
      thing.kind == Kind::index || thing.kind == Kind::constraint || thing.kind == Kind::not_null;
  return hangs && std::ranges::any_of(gone, [](Thing const& one) {
           return one.kind == Kind::column || one.kind == Kind::table;
         });
}

// It ends as it began within the step itself.
bool temporary(Thing const& thing, Changes const& step) { return in(step.gone, thing); }

bool opaque(std::vector<StepStatement> const& statements) {
  return std::ranges::any_of(statements, [](StepStatement const& one) {
    return one.node().is("DoStmt") || one.node().is("CallStmt") || one.node().is("RenameStmt") ||
           one.node().is("DropOwnedStmt") ||
           (one.node().is("DropStmt") && one.node().text("removeType") == "OBJECT_SCHEMA") ||
           (one.node().is("DropStmt") && one.node().text("behavior") == "DROP_CASCADE");
  });
}

// "DROP TABLE a" before what refers to a is gone.
bool refers_to(Node node, RelationName const& table) {
  return std::ranges::any_of(pg::every(node), [&](Node one) {
    return one.is("Constraint") && one.text("contype") == "CONSTR_FOREIGN" &&
           same_table(written(one["pktable"]), table);
  });
}

Findings judge_order(StepSite const& site, Changes const& back) {
  for (std::size_t i = 0; i < back.gone.size(); ++i) {
    if (back.gone[i].kind != Kind::table) {
      continue;
    }
    for (auto const& forward : site.forward) {
      if (!refers_to(forward.node(), back.gone[i].table)) {
        continue;
      }
      Changes made;
      add(made, forward.node());
      for (std::size_t later = i + 1; later < back.gone.size(); ++later) {
        bool const itself = same(back.gone[later], back.gone[i]);
        if (!itself && in(made.made, back.gone[later]) &&
            !same_table(back.gone[later].table, back.gone[i].table)) {
          auto const& statement = *site.backward.front().statement;
          return {finding_of(rules[2], statement.sql.place,
                             words(back.gone[i]) + " goes before " + words(back.gone[later]) +
                                 ", which refers to it: " + std::string(rules[2].why),
                             "", site.label)};
        }
      }
    }
  }
  return {};
}

Findings judge_step(StepSite const& site) {
  if (!site.step->reversible() || site.backward.empty() || opaque(site.forward) ||
      opaque(site.backward)) {
    return {};
  }
  auto const* sql = std::get_if<SqlAction>(&site.step->forward);
  if (sql != nullptr && sql->statements.size() != site.forward.size()) {
    return {};  // what could not be read may have made it
  }
  auto const step = changes_of(site.forward), back = changes_of(site.backward);
  Findings findings;
  for (auto const& thing : step.made) {
    if (!in(back.gone, thing) && !temporary(thing, step) && !goes_with_table(thing, back.gone) &&
        !may_go_with_column(thing, back.gone)) {
      findings.push_back(finding_of(rules[0], site.backward.front().statement->sql.place,
                                    words(thing) + ": " + std::string(rules[0].why), "",
                                    site.label));
    }
  }
  for (auto const& thing : back.gone) {
    bool const made_back = in(back.made, thing);  // dropped and made anew
    bool const hangs = goes_with_table(thing, step.made);
    if (!in(step.made, thing) && !made_back && !hangs && thing.kind != Kind::not_null) {
      findings.push_back(finding_of(rules[1], site.backward.front().statement->sql.place,
                                    words(thing) + ": " + std::string(rules[1].why), "",
                                    site.label));
    }
  }
  auto const order = judge_order(site, back);
  findings.insert(findings.end(), order.begin(), order.end());
  return findings;
}

}  // namespace

Findings judge_ways_back(PlanSite const& site) {
  Findings findings;
  for (auto const& step : site.steps) {
    auto const more = judge_step(step);
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

std::span<LintRule const> way_back_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
