#include "planner/sql_undo.h"

#include "planner/inverse.h"
#include "planner/pg_tree.h"
#include "planner/relation_name.h"
#include "planner/sql_expression.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

std::string name_text(pg::Node relation) { return to_sql(pg::name_of(relation)); }
std::string word(std::string const& name) { return quoted_identifier(name); }

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

// A statement of several commands is about all their subjects, and goes back in reverse.
Undo undo_of(Statement const& statement) {
  auto const one = parsed(statement);
  Undo all;
  bool known = true;
  for (auto const& change : changes_of(one.node)) {
    auto const* sql = std::get_if<std::string>(&change.back);
    known = known && sql != nullptr;
    all.subject += (all.subject.empty() ? "" : ", ") + subject(change.thing);
    all.sql = (sql == nullptr ? "" : *sql) + (all.sql.empty() ? "" : ";\n" + all.sql);
  }
  all.sql = known ? all.sql : "";
  return all;
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
