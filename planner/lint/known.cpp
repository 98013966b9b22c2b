#include "planner/lint/known.h"

#include <algorithm>
#include <charconv>

#include "planner/sql_expression.h"
#include "planner/sql_kind.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

RelationName written(Node relation) {
  return {relation.text("schemaname"), relation.text("relname")};
}

// "5s", 5000, "1min", as the server reads them; 0 = none.
std::optional<std::int64_t> milliseconds(Node value) {
  auto const text = pg::literal(value).value_or("");
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  auto unit = std::string(end, text.data() + text.size());
  unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
  return number * (unit == "s"     ? 1'000
                   : unit == "min" ? 60'000
                   : unit == "h"   ? 3'600'000
                   : unit == "d"   ? 86'400'000
                                   : 1);
}

void learn_setting(Known& known, Node statement) {
  auto const name = statement.text("name");
  auto* setting = name == "lock_timeout"        ? &known.lock_timeout
                  : name == "statement_timeout" ? &known.statement_timeout
                                                : nullptr;
  if (setting == nullptr) {
    return;
  }
  auto const values = statement.list("args");
  *setting = values.empty() ? std::nullopt : milliseconds(values.front());
}

void learn_command(Known& known, RelationName const& table, Node command) {
  auto const type = command.text("subtype");
  auto const def = command["def"];
  auto const name = command.text("name");
  if (type == "AT_AddConstraint") {
    known.checks.push_back({.table = table,
                            .name = def.text("conname"),
                            .not_null = columns_never_null(def["raw_expr"]),
                            .validated = !def.flag("skip_validation"),
                            .in_transaction = true});
  } else if (type == "AT_DropConstraint") {
    std::erase_if(known.checks, [&](KnownCheck const& check) {
      return check.name == name && same_table(check.table, table);
    });
  } else if (type == "AT_ValidateConstraint") {
    bool ours = false;
    for (auto& check : known.checks) {
      if (check.name == name && same_table(check.table, table)) {
        check.validated = ours = true;
      }
    }
    if (!ours) {
      known.other_validated.push_back(table);
    }
  }
}

void learn_created(Known& known, Node statement, Catalog const& before) {
  if (statement.is("RenameStmt")) {
    auto const from = written(statement["relation"]);
    if (statement.text("renameType") == "OBJECT_TABLE" && known.is_new(from)) {
      known.created.emplace(statement.text("newname"), from.schema);
    }
    return;
  }
  if (statement.is("AlterObjectSchemaStmt")) {
    return;
  }
  for (auto const& [schema, name] : pg::created_by(statement)) {
    if (before.find({schema, name}) == nullptr) {
      known.created.emplace(name, schema);
    }
  }
}

}  // namespace

bool same_table(RelationName const& left, RelationName const& right) {
  bool const schemas = left.schema.empty() || right.schema.empty() || left.schema == right.schema;
  return schemas && left.name == right.name;
}

bool Known::is_new(RelationName const& table) const {
  auto const [first, last] = created.equal_range(table.name);
  return std::any_of(first, last,
                     [&](auto const& one) { return same_table({one.second, one.first}, table); });
}

bool Known::proves_not_null(RelationName const& table, std::string const& column) const {
  auto const here = [&](RelationName const& one) { return same_table(one, table); };
  return std::ranges::any_of(other_validated, here) ||
         std::ranges::any_of(checks, [&](KnownCheck const& check) {
           return check.validated && here(check.table) &&
                  std::ranges::find(check.not_null, column) != check.not_null.end();
         });
}

bool Known::has_valid_check(RelationName const& table) const {
  auto const here = [&](RelationName const& one) { return same_table(one, table); };
  return std::ranges::any_of(other_validated, here) ||
         std::ranges::any_of(
             checks, [&](KnownCheck const& check) { return check.validated && here(check.table); });
}

void begin_transaction(Known& known) { known.open = true; }

void end_transaction(Known& known, NewTables tables) {
  known.open = known.by_script = known.changed_schema = false;
  known.held.clear();
  known.new_labels.clear();
  if (tables == NewTables::are_in_use) {
    known.created.clear();
  }
  // those of an open transaction are the last
  for (auto check = known.checks.rbegin(); check != known.checks.rend() && check->in_transaction;
       ++check) {
    check->in_transaction = false;
  }
}

void learn(Known& known, Node statement, Effects const& effects, int line, Catalog const& before) {
  for (auto const& lock : effects.locks) {
    if (!blocks_writes(lock.mode) || known.is_new(lock.relation)) {
      continue;
    }
    auto const [held, fresh] = known.held.try_emplace(lock.name, Held{lock.mode, line});
    if (!fresh && held->second.mode < lock.mode) {
      held->second = {lock.mode, line};
    }
    known.changed_schema = true;
  }
  if (statement.is("AlterTableStmt")) {
    auto const table = written(statement["relation"]);
    for (auto const command : statement.list("cmds")) {
      learn_command(known, table, command);
    }
  } else if (statement.is("VariableSetStmt")) {
    learn_setting(known, statement);
  } else if (statement.is("AlterEnumStmt") && statement.text("oldVal").empty()) {
    known.new_labels.push_back(statement.text("newVal"));
  } else if (statement.is("CreatePolicyStmt")) {
    known.policies.push_back(written(statement["table"]));
  } else if (statement.is("DropStmt") && statement.text("removeType") == "OBJECT_INDEX") {
    for (auto const object : statement.list("objects")) {
      known.dropped_indexes.push_back(pg::name_of(object.list("items")).name);
    }
  }
  learn_created(known, statement, before);
}

std::vector<std::string> columns_never_null(Node expression) {
  if (expression.is("NullTest") && expression.text("nulltesttype") == "IS_NOT_NULL") {
    auto const path = pg::names(expression["arg"].list("fields"));
    return path.empty() ? path : std::vector{path.back()};
  }
  std::vector<std::string> columns;
  if (expression.is("BoolExpr") && expression.text("boolop") == "AND_EXPR") {
    for (auto const part : expression.list("args")) {
      auto const more = columns_never_null(part);
      columns.insert(columns.end(), more.begin(), more.end());
    }
  }
  return columns;
}

}  // namespace runbookd::planner::lint_rules
