// Checks against what the plan has done when they are asked.
#include <algorithm>
#include <array>

#include "planner/lint/plan_site.h"
#include "planner/replay.h"
#include "planner/sql.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

constexpr auto rules = std::to_array<LintRule>({
    {.id = "check/reads-what-is-gone",
     .severity = Severity::error,
     .title = "A check that reads what the plan has dropped",
     .why = "its query fails, and a check that fails with an error closes the gate",
     .fix = "ask for what should be there instead"},
    {.id = "check/reads-nothing-of-the-change",
     .severity = Severity::note,
     .title = "A check that reads no table of the plan",
     .why = "it reads none of the tables that the plan changes, so it seems to guard nothing of it",
     .fix = "select from the table that was changed"},
});

LintRule const& rule(std::string_view id) { return *std::ranges::find(rules, id, &LintRule::id); }

RelationName written(Node relation) {
  return {relation.text("schemaname"), relation.text("relname")};
}

struct Gone {
  std::vector<RelationName> tables;
  std::vector<std::pair<RelationName, std::string>> columns;
};

void add_gone(Gone& gone, Node node) {
  if (node.is("DropStmt") && node.text("removeType") == "OBJECT_TABLE") {
    for (auto const object : node.list("objects")) {
      gone.tables.push_back(pg::name_of(object.list("items")));
    }
  }
  auto const table = written(node["relation"]);
  for (auto const command : node.list("cmds")) {
    if (command.text("subtype") == "AT_DropColumn") {
      gone.columns.emplace_back(table, command.text("name"));
    } else if (command.text("subtype") == "AT_AddColumn") {
      std::erase_if(gone.columns, [&](auto const& one) {
        return same_table(one.first, table) && one.second == command["def"].text("colname");
      });
    }
  }
  if (node.is("CreateStmt") || node.is("ViewStmt") || node.is("CreateTableAsStmt")) {
    auto const made = node.is("ViewStmt")     ? written(node["view"])
                      : node.is("CreateStmt") ? table
                                              : written(node["into"]["rel"]);
    std::erase_if(gone.tables, [&](auto const& one) { return same_table(one, made); });
  }
  if (node.is("RenameStmt") && node.text("renameType") == "OBJECT_TABLE") {
    std::erase_if(gone.tables, [&](auto const& one) { return one.name == node.text("newname"); });
  }
  if (node.is("RenameStmt") && node.text("renameType") == "OBJECT_COLUMN") {
    std::erase_if(gone.columns, [&](auto const& one) {
      return same_table(one.first, table) && one.second == node.text("newname");
    });
  }
}

bool reads_gone(Check const& check, Gone const& gone) {
  auto const* fails = std::get_if<FailsWith>(&check.expect);
  if (fails != nullptr && fails->sqlstate.starts_with("42")) {
    return false;  // that it is gone is what the check asks
  }
  if (std::ranges::any_of(gone.tables, [&](auto const& one) { return reads(check.sql, one); })) {
    return true;
  }
  auto const tree = pg::parse(check.sql.text);
  for (auto const& one : tree.statements) {
    auto const tables = references_of(one.node);
    if (tables.size() != 1) {
      continue;  // whose column it is cannot be told
    }
    for (auto const node : pg::every(one.node)) {
      auto const path =
          node.is("ColumnRef") ? pg::names(node.list("fields")) : std::vector<std::string>{};
      bool const hit = !path.empty() && std::ranges::any_of(gone.columns, [&](auto const& column) {
        return same_table(column.first, tables.front().name) && column.second == path.back();
      });
      if (hit) {
        return true;
      }
    }
  }
  return false;
}

bool reads_only_others(Check const& check, std::vector<RelationName> const& touched) {
  auto const tree = pg::parse(check.sql.text);
  for (auto const& one : tree.statements) {
    auto const references = references_of(one.node);
    if (!one.node.is("SelectStmt") || references.empty()) {
      return false;
    }
    for (auto const& reference : references) {
      auto const& name = reference.name;
      bool const servers = name.name.starts_with("pg_") || name.schema == "pg_catalog" ||
                           name.schema == "information_schema";
      if (servers || std::ranges::any_of(
                         touched, [&](auto const& table) { return same_table(name, table); })) {
        return false;
      }
    }
  }
  return !tree.statements.empty();
}

std::vector<RelationName> touched_by(PlanSite const& site) {
  std::vector<RelationName> touched;
  for (auto const& step : site.steps) {
    for (auto const& one : step.forward) {
      for (auto const& reference : references_of(one.node())) {
        touched.push_back({"", reference.name.name});
      }
      for (auto const& lock : one.effects.locks) {
        touched.push_back({"", lock.relation.name});
      }
      for (auto const& [schema, name] : created_by(*one.statement)) {
        touched.push_back({"", name});
      }
      if (one.node().has("relation")) {
        touched.push_back({"", one.node()["relation"].text("relname")});
      }
    }
    auto const* fill = std::get_if<BackfillAction>(&step.step->forward);
    auto const update = fill == nullptr ? std::nullopt : update_of(*fill);
    auto const tree = pg::parse(update ? update->sql.text : "");
    for (auto const& one : tree.statements) {
      touched.push_back({"", one.node["relation"].text("relname")});
      for (auto const node : pg::every(one.node)) {
        if (node.is("RangeVar")) {
          touched.push_back({"", node.text("relname")});
        }
      }
    }
  }
  return touched;
}

}  // namespace

bool reads(SqlText const& query, RelationName const& table) {
  auto const tree = pg::parse(query.text);
  for (auto const& one : tree.statements) {
    auto const references = references_of(one.node);
    if (std::ranges::any_of(references,
                            [&](Reference const& r) { return same_table(r.name, table); })) {
      return true;
    }
    if (one.node.has("relation") && same_table(written(one.node["relation"]), table)) {
      return true;
    }
  }
  return false;
}

Findings judge_reading(PlanSite const& site) {
  Findings findings;
  Gone gone;
  auto const touched = touched_by(site);
  auto const look = [&](std::vector<Check> const& checks) {
    for (auto const& check : checks) {
      if (reads_gone(check, gone)) {
        findings.push_back(finding_of(
            rule("check/reads-what-is-gone"), check.sql.place,
            "check \"" + check.name + "\": " + std::string(rule("check/reads-what-is-gone").why)));
      } else if (!touched.empty() && reads_only_others(check, touched)) {
        findings.push_back(
            finding_of(rule("check/reads-nothing-of-the-change"), check.sql.place,
                       "check \"" + check.name +
                           "\": " + std::string(rule("check/reads-nothing-of-the-change").why)));
      }
    }
  };
  std::size_t next = 0;
  for (std::size_t i = 0; i < site.plan.phases.size(); ++i) {
    look(site.plan.phases[i].requirements);
    for (; next < site.steps.size() && site.steps[next].phase == i; ++next) {
      for (auto const& one : site.steps[next].forward) {
        add_gone(gone, one.node());
      }
    }
    look(site.plan.phases[i].validate);
    look(site.plan.phases[i].watch);
  }
  look(site.plan.final_checks);
  return findings;
}

std::span<LintRule const> reading_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
