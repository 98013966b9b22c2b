#include "planner/sql_undo.h"

#include <optional>

#include "planner/pg_tree.h"
#include "planner/relation_name.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

std::string name_text(pg::Node relation) { return to_sql(pg::name_of(relation)); }
std::string word(std::string const& name) { return quoted_identifier(name); }

Undo undo_of_command(std::string const& table, pg::Node command) {
  auto const alter = "ALTER TABLE " + table + " ";
  auto const type = command.text("subtype");
  auto const name = command.text("name");
  auto const column = word(name);
  if (type == "AT_AddColumn") {
    auto const added = word(command["def"].text("colname"));
    return {"column " + table + "." + added, alter + "DROP COLUMN " + added};
  }
  if (type == "AT_DropColumn") {
    return {"column " + table + "." + column, ""};
  }
  if (type == "AT_SetNotNull" || type == "AT_DropNotNull") {
    auto const reverse = type == "AT_SetNotNull" ? " DROP NOT NULL" : " SET NOT NULL";
    return {"not null " + table + "." + column, alter + "ALTER COLUMN " + column + reverse};
  }
  if (type == "AT_AddConstraint") {
    auto const added = command["def"].text("conname");
    return added.empty() ? Undo{}
                         : Undo{"constraint " + table + "." + word(added),
                                alter + "DROP CONSTRAINT " + word(added)};
  }
  if (type == "AT_DropConstraint") {
    return {"constraint " + table + "." + column, ""};
  }
  if (type == "AT_ValidateConstraint") {
    return {"validation " + table + "." + column, ""};
  }
  if (type == "AT_ColumnDefault") {
    return {"default " + table + "." + column, ""};
  }
  if (type == "AT_AlterColumnType") {
    return {"type " + table + "." + column, ""};
  }
  return {};
}

// Several commands in one statement are about all their subjects, and go back in reverse.
Undo undo_of_alter(pg::Node node) {
  auto const table = name_text(node["relation"]);
  Undo all;
  bool known = true;
  for (auto const& command : node.list("cmds")) {
    auto const one = undo_of_command(table, command);
    known = known && !one.sql.empty();
    all.subject += (all.subject.empty() ? "" : ", ") + one.subject;
    all.sql = one.sql + (all.sql.empty() ? "" : ";\n" + all.sql);
  }
  return {all.subject, known ? all.sql : ""};
}

Undo undo_of_index(pg::Node node) {
  auto const name = node.text("idxname");
  if (name.empty()) {
    return {};
  }
  auto const schema = pg::name_of(node["relation"]).schema;
  auto const index = to_sql({schema, name});
  auto const concurrently = node.flag("concurrent") ? "CONCURRENTLY " : "";
  return {"index " + to_sql({"", name}), std::string("DROP INDEX ") + concurrently + index};
}

Undo undo_of_drop(pg::Node node) {
  auto const objects = node.list("objects");
  if (objects.size() != 1) {
    return {};
  }
  auto const what = lower(pg::object_words(node.text("removeType")));
  auto name = pg::name_of(objects[0].is("List") ? objects[0].list("items") : objects);
  name.schema = what == "index" ? "" : name.schema;
  return {what + " " + to_sql(name), ""};
}

Undo undo_of_rename(pg::Node node) {
  auto const table = name_text(node["relation"]);
  auto const what = pg::object_words(node.text("renameType"));
  auto const from = word(node.text("subname"));
  auto const to = word(node.text("newname"));
  if (what == "TABLE") {
    auto const moved = to_sql({pg::name_of(node["relation"]).schema, node.text("newname")});
    return {"name of table " + table,
            "ALTER TABLE " + moved + " RENAME TO " + word(pg::name_of(node["relation"]).name)};
  }
  if (what == "COLUMN") {
    return {"name of column " + table + "." + from,
            "ALTER TABLE " + table + " RENAME COLUMN " + to + " TO " + from};
  }
  return {};
}

Undo undo_of_node(pg::Node node) {
  if (node.is("AlterTableStmt")) {
    return undo_of_alter(node);
  }
  if (node.is("IndexStmt")) {
    return undo_of_index(node);
  }
  if (node.is("DropStmt")) {
    return undo_of_drop(node);
  }
  if (node.is("RenameStmt")) {
    return undo_of_rename(node);
  }
  if (node.is("CreateStmt")) {
    auto const name = name_text(node["relation"]);
    return {"table " + name, "DROP TABLE " + name};
  }
  if (node.is("ViewStmt") && !node.flag("replace")) {
    auto const name = name_text(node["view"]);
    return {"view " + name, "DROP VIEW " + name};
  }
  return {};
}

// The tree of the one statement, kept alive beside its node.
struct Parsed {
  pg::Tree tree;
  pg::Node node;
};
Parsed parsed(Statement const& statement) {
  auto tree = pg::parse(statement.sql.text);
  auto const node = tree.ok() && tree.statements.size() == 1 ? tree.statements[0].node : pg::Node();
  return {std::move(tree), node};
}

// The one command of an ALTER TABLE.
pg::Node only_command(pg::Node node, std::string_view type) {
  auto const commands = node.is("AlterTableStmt") ? node.list("cmds") : pg::Nodes{};
  return commands.size() == 1 && commands[0].text("subtype") == type ? commands[0] : pg::Node();
}

}  // namespace

Undo undo_of(Statement const& statement) {
  auto const one = parsed(statement);
  return undo_of_node(one.node);
}

std::string constraint_clause(Statement const& statement) {
  auto const one = parsed(statement);
  if (!only_command(one.node, "AT_AddConstraint")) {
    return "";
  }
  for (auto const& token : pg::scan(statement.sql.text)) {
    if (pg::same_word(token.in(statement.sql.text), "ADD")) {
      return statement.sql.text.substr(token.offset);
    }
  }
  return "";
}

bool is_not_valid(Statement const& statement) {
  auto const one = parsed(statement);
  return only_command(one.node, "AT_AddConstraint")["def"].flag("skip_validation");
}

DroppedColumn dropped_column(Statement const& statement) {
  auto const one = parsed(statement);
  auto const command = only_command(one.node, "AT_DropColumn");
  return command ? DroppedColumn{name_text(one.node["relation"]), word(command.text("name"))}
                 : DroppedColumn{};
}

std::vector<std::string> result_columns(SqlText const& query) {
  auto const tree = pg::parse(query.text);
  std::vector<std::string> columns;
  if (!tree.ok() || tree.statements.size() != 1 || !tree.statements[0].node.is("SelectStmt")) {
    return columns;
  }
  for (auto const& target : tree.statements[0].node.list("targetList")) {
    auto const value = target["val"];
    auto name = target.text("name");
    if (name.empty() && value.is("ColumnRef")) {
      auto const parts = pg::names(value.list("fields"));
      name = parts.empty() ? "*" : parts.back();
    } else if (name.empty() && value.is("FuncCall")) {
      auto const parts = pg::names(value.list("funcname"));
      name = parts.empty() ? "" : parts.back();
    }
    columns.push_back(name);
  }
  return columns;
}

}  // namespace runbookd::planner
