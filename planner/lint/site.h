// One statement in its place, and what rules say about it. Private to planner/lint.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "planner/lint.h"
#include "planner/lint/known.h"
#include "planner/lint/rule.h"
#include "planner/plan.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::lint_rules {

// One command of an ALTER TABLE, with what it does by itself.
struct Command {
  pg::Node node, def;
  std::string type;  // "AT_AddColumn"
  std::string name;  // of the column or constraint, where the command has it
  Effects effects;
};

// A column that the statement makes, or gives another type.
struct NewColumn {
  pg::Node def;
  std::string name, type;  // "int4"
  enum class Of { new_table, old_table, retyped } of = Of::new_table;
};

struct TextEdit {
  std::size_t offset = 0;  // bytes in the statement
  std::string was, now;
};

enum class Where { sql_file, step, rollback };

// What its field "relation" names: nearly every rule asks for it.
struct OwnTable {
  RelationName name;
  bool is_new = false;
  Relation const* known = nullptr;
};
OwnTable own_table(pg::Node node, Catalog const& before, Known const& known);

class Site {
 public:
  Statement const& statement;
  pg::Node node;
  Effects const& effects;
  Catalog const& before;
  Known const& known;
  LintOptions const& options;
  Where where = Where::sql_file;
  bool alone = false;              // in its transaction, or in its step
  std::size_t base = 0;            // where its text begins in what was parsed
  std::optional<PhaseKind> phase;  // of a plan
  std::vector<Command> commands;   // of an ALTER TABLE
  std::vector<NewColumn> columns;
  OwnTable own;

  int major() const { return options.server_major; }
  bool in_plan() const { return where != Where::sql_file; }
  // The last phase is there to take the old form away.
  bool takes_away() const { return phase == PhaseKind::contract || where == Where::rollback; }
  RelationName const& name_of() const { return own.name; }
  bool is_new() const { return own.is_new; }
  Relation const* table() const { return own.known; }
  // … what another of its fields names
  RelationName name_of(std::string_view field) const { return pg::name_of(node[field]); }
  bool is_new(std::string_view field) const { return known.is_new(name_of(field)); }
  Relation const* table(std::string_view field) const { return before.find(name_of(field)); }
  // Of a part of the statement, in its text.
  std::size_t location(pg::Node part) const;
  // Of these names, the tables that were there before the script or step.
  std::vector<std::string> existing(std::vector<std::string> const& names) const;
  // … that the statement locks so that writes, or reads too, wait.
  std::vector<std::string> stopped(LockMode least) const;
  std::vector<pg::Token> tokens() const;
  // "INDEX" becomes "INDEX CONCURRENTLY"; nothing where the word does not stand there.
  std::optional<TextEdit> adding(std::string_view upper_word, std::string_view addition) const;
  // … for the last word.
  std::optional<TextEdit> adding_at_end(std::string const& addition) const;
};

struct Hit {
  std::string on;   // what it is about: put before the words
  std::string why;  // empty = the rule's own words; so is the fix
  std::string fix;
  std::size_t offset = 0;
  std::optional<Severity> severity;
  std::vector<std::string> tables;  // whose size decides
  std::vector<TextEdit> edits;
};
using Hits = std::vector<Hit>;

struct StatementRule {
  LintRule rule;
  Hits (*judge)(Site const&);
};

bool has_constraint(pg::Node column, std::string_view type);
template <typename List>
bool holds(List const& list, std::string_view word) {
  for (auto const& one : list) {
    if (one == word) {
      return true;
    }
  }
  return false;
}

std::span<StatementRule const> index_rules();
std::span<StatementRule const> constraint_rules();
std::span<StatementRule const> column_rules();
std::span<StatementRule const> table_rules();
std::span<StatementRule const> transaction_rules();
std::span<StatementRule const> session_rules();
std::span<StatementRule const> security_rules();
std::span<StatementRule const> data_rules();
std::span<StatementRule const> type_rules();
std::span<StatementRule const> old_application_rules();
std::span<StatementRule const> catalog_rules();
std::span<StatementRule const> policy_rules();

bool touches_own_schema(Statement const& statement, pg::Node node);

Findings judge(Site const& site, std::string const& step);

}  // namespace runbookd::planner::lint_rules
