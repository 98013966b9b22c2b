// The way back: a rollback undoes what its step made, all of it, nothing else, in reverse.
#include <algorithm>
#include <array>

#include "planner/inverse.h"
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

using Kind = Thing::Kind;

struct MadeAndGone {
  std::vector<Thing> made, gone;
};

// What a rollback is held to take away; of others the same thing may be named in several ways.
bool followed(Thing const& thing) {
  switch (thing.kind) {
    case Kind::table:
    case Kind::column:
    case Kind::index:
    case Kind::view:
    case Kind::trigger:
    case Kind::sequence:
    case Kind::type:
    case Kind::policy:
    case Kind::not_null:
      return true;
    case Kind::constraint:
      return !thing.name.empty();
    case Kind::function:
    case Kind::validation:
    case Kind::column_default:
    case Kind::column_type:
    case Kind::table_name:
    case Kind::column_name:
    case Kind::setting:
    case Kind::other:
      return false;
  }
  __builtin_unreachable();
}

void add(MadeAndGone& all, Node node) {
  for (auto const& change : planner::changes_of(node)) {
    bool const temporary = std::holds_alternative<NothingBack>(change.back);
    bool const unnamed = change.thing.kind == Kind::index && change.thing.name.empty();
    if (!followed(change.thing) || temporary || unnamed) {
      continue;
    }
    if (change.does == Change::Does::makes) {
      all.made.push_back(change.thing);
    } else if (change.does == Change::Does::removes) {
      all.gone.push_back(change.thing);
    }
  }
}

MadeAndGone changes_in(std::vector<StepStatement> const& statements) {
  MadeAndGone changes;
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
bool temporary(Thing const& thing, MadeAndGone const& step) { return in(step.gone, thing); }

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
           same_table(pg::name_of(one["pktable"]), table);
  });
}

Findings judge_order(StepSite const& site, MadeAndGone const& back) {
  for (std::size_t i = 0; i < back.gone.size(); ++i) {
    if (back.gone[i].kind != Kind::table) {
      continue;
    }
    for (auto const& forward : site.forward) {
      if (!refers_to(forward.node(), back.gone[i].table)) {
        continue;
      }
      MadeAndGone made;
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
  auto const step = changes_in(site.forward), back = changes_in(site.backward);
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
