// ALTER TABLE: what reads or rewrites the whole table while nobody else can use it.
#include <algorithm>
#include <utility>

#include "planner/lint_rules.h"

namespace runbookd::planner::rules {
namespace {

using pg::Node;

struct Command {
  Subject const& subject;
  Node node;  // AlterTableCmd
  TableName table;
  bool alone = true;  // in its ALTER TABLE
};

Finding at_command(Command const& command, Advice advice) {
  auto const where = std::max<std::int64_t>(0, command.node["def"].number("location"));
  return finding(command.subject, std::move(advice), static_cast<std::size_t>(where));
}

std::vector<std::string> columns_never_null(Node expression) {
  if (expression.is("NullTest") && expression.text("nulltesttype") == "IS_NOT_NULL") {
    auto const path = pg::names(expression["arg"].list("fields"));
    return path.empty() ? path : std::vector{path.back()};
  }
  std::vector<std::string> columns;
  if (expression.is("BoolExpr") && expression.text("boolop") == "AND_EXPR") {
    for (auto const& part : expression.list("args")) {
      auto const more = columns_never_null(part);
      columns.insert(columns.end(), more.begin(), more.end());
    }
  }
  return columns;
}

Advice validate_later(std::string what, std::string const& name) {
  return {.rule = "lock/add-constraint-without-not-valid",
          .why = std::move(what) +
                 " checks every row that is there, and the table stays locked meanwhile",
          .fix = "write ADD CONSTRAINT … NOT VALID here, then VALIDATE CONSTRAINT " +
                 (name.empty() ? "…" : name) +
                 " in a later step: it checks the rows and blocks neither reads nor writes"};
}

// A constraint that is an index underneath.
Findings judge_unique(Command const& command, Node constraint) {
  if (!constraint.text("indexname").empty()) {
    return {};
  }
  bool const exclusion = constraint.text("contype") == "CONSTR_EXCLUSION";
  return {at_command(
      command,
      {.rule = "lock/add-constraint-builds-index",
       .why =
           "the constraint builds its index while nobody can read or write " + command.table.name,
       .fix =
           exclusion
               ? "there is no way to build it concurrently: acknowledge it for a small table, "
                 "or plan a maintenance window"
               : "CREATE UNIQUE INDEX CONCURRENTLY in an earlier step, then here ADD CONSTRAINT … "
                 "UNIQUE (or PRIMARY KEY) USING INDEX and the index's name"})};
}

Findings judge_constraint(Command const& command, Node constraint) {
  auto const type = constraint.text("contype");
  if (type == "CONSTR_UNIQUE" || type == "CONSTR_PRIMARY" || type == "CONSTR_EXCLUSION") {
    return judge_unique(command, constraint);
  }
  bool const foreign = type == "CONSTR_FOREIGN";
  if ((!foreign && type != "CONSTR_CHECK") || constraint.flag("skip_validation")) {
    return {};
  }
  return {at_command(command, validate_later(foreign ? "adding a foreign key" : "adding a CHECK",
                                             constraint.text("conname")))};
}

bool has_constraint(Node column, std::string_view type) {
  auto const constraints = column.list("constraints");
  return std::ranges::any_of(constraints,
                             [&](Node const& one) { return one.text("contype") == type; });
}

// A foreign key on a new column that is NULL everywhere has nothing to check, and the server knows
// it.
Findings judge_column_constraints(Command const& command, Node column) {
  Findings findings;
  bool const all_null = !has_constraint(column, "CONSTR_DEFAULT");
  for (auto const& constraint : column.list("constraints")) {
    if (constraint.text("contype") == "CONSTR_FOREIGN" && all_null) {
      continue;
    }
    auto const more = judge_constraint(command, constraint);
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

Findings judge_add_column(Command const& command) {
  auto const column = command.node["def"];
  auto findings = judge_column_constraints(command, column);
  for (auto& advice : judge_new_column(column)) {
    findings.push_back(at_command(command, std::move(advice)));
  }
  return findings;
}

Findings judge_set_not_null(Command const& command, Known const& known) {
  auto const column = command.node.text("name");
  if (known.proves_not_null(command.table, column)) {
    return {};
  }
  return {at_command(
      command,
      {.rule = "lock/set-not-null-without-check",
       .why = "SET NOT NULL reads all of " + command.table.name +
              " while nobody can read or write it, because nothing proves that " + column +
              " has no NULL",
       .fix = "prove it in two earlier steps: ADD CONSTRAINT … CHECK (" + column +
              " IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT; drop it after this one"})};
}

// Types that a shorter or equal type of the same kind becomes without a rewrite.
bool may_be_free(Node type) {
  auto const name = pg::names(type.list("names"));
  constexpr std::string_view wide[] = {"text",   "varchar",   "numeric",  "timestamptz",
                                       "varbit", "timestamp", "interval", "time"};
  return !name.empty() && type.list("arrayBounds").empty() &&
         std::ranges::find(wide, name.back()) != std::end(wide);
}

Findings judge_type_change(Command const& command) {
  auto const definition = command.node["def"];
  bool const maybe = may_be_free(definition["typeName"]) && !definition.has("raw_default");
  return {at_command(
      command, {.rule = "lock/type-change-rewrites",
                .severity = maybe ? Severity::warning : Severity::error,
                .why = "changing the type of " + command.node.text("name") + " rewrites " +
                       command.table.name + " and its indexes while nobody can read or write it" +
                       (maybe ? ", unless the old type is a narrower one of the same kind" : ""),
                .fix = "add a column of the new type, write both, backfill it, then switch over"})};
}

Findings judge_validate(Command const& command, Known const& known) {
  auto const name = command.node.text("name");
  auto const added_here = [&](KnownCheck const& check) {
    return check.in_this_step && check.name == name && same_table(check.table, command.table);
  };
  if (command.alone && std::ranges::none_of(known.checks, added_here)) {
    return {};
  }
  return {at_command(command,
                     {.rule = "lock/validate-in-same-step",
                      .why = "the rest of the step locks " + command.table.name +
                             " until the step ends, so it stays blocked while VALIDATE reads all "
                             "of it",
                      .fix = "VALIDATE CONSTRAINT " + name + " in a step of its own"})};
}

Findings judge_rewrite(Command const& command, std::string const& what) {
  return {at_command(
      command,
      {.rule = "lock/rewrites-table",
       .why = what + " rewrites " + command.table.name + " while nobody can read or write it",
       .fix = "make a new table, fill it by a backfill step, then swap the names"})};
}

// The constraint saves a later ATTACH from reading the rows; it is not what was there before.
Findings judge_detach_concurrently(Command const& command) {
  auto const partition = table_of(command.node["def"]["name"]).name;
  if (command.subject.rollback || partition.empty()) {
    return {};
  }
  return {at_command(
      command,
      {.rule = "rollback/detach-leaves-check",
       .severity = Severity::note,
       .why = "DETACH PARTITION … CONCURRENTLY leaves a CHECK with the partition's bounds on " +
              partition +
              ", and ATTACH PARTITION in the rollback does not take it away: the "
              "schema would differ from what it was before the step",
       .fix = "let the rollback end with ALTER TABLE " + partition +
              " DROP CONSTRAINT and the name that \\d " + partition + " shows"})};
}

Findings judge_detach(Command const& command) {
  if (command.node["def"].flag("concurrent")) {
    return judge_detach_concurrently(command);
  }
  return {at_command(
      command,
      {.rule = "lock/detach-not-concurrent",
       .severity = Severity::warning,
       .why = "DETACH PARTITION blocks every read and write of the whole partitioned table",
       .fix = "write DETACH PARTITION … CONCURRENTLY, in a step of its own (PostgreSQL 14 "
              "and later)"})};
}

Findings judge_attach(Command const& command) {
  return {at_command(
      command, {.rule = "lock/attach-reads-partition",
                .severity = Severity::warning,
                .why = "ATTACH PARTITION reads all of the new partition while it is locked, unless "
                       "a CHECK already proves the bounds",
                .fix = "in an earlier step add and validate a CHECK equal to the bounds"})};
}

Findings judge_command(Command const& command, Known const& known) {
  auto const subtype = command.node.text("subtype");
  if (subtype == "AT_AddConstraint") {
    return judge_constraint(command, command.node["def"]);
  }
  if (subtype == "AT_AddColumn") {
    return judge_add_column(command);
  }
  if (subtype == "AT_SetNotNull") {
    return judge_set_not_null(command, known);
  }
  if (subtype == "AT_AlterColumnType") {
    return judge_type_change(command);
  }
  if (subtype == "AT_ValidateConstraint") {
    return judge_validate(command, known);
  }
  if (subtype == "AT_DetachPartition") {
    return judge_detach(command);
  }
  if (subtype == "AT_AttachPartition") {
    return judge_attach(command);
  }
  if (subtype == "AT_SetLogged" || subtype == "AT_SetUnLogged") {
    return judge_rewrite(command, "SET LOGGED or UNLOGGED");
  }
  if (subtype == "AT_SetTableSpace") {
    return judge_rewrite(command, "SET TABLESPACE");
  }
  if (subtype == "AT_SetAccessMethod") {
    return judge_rewrite(command, "SET ACCESS METHOD");
  }
  return {};
}

Known learn_added(Known known, Command const& command) {
  auto const constraint = command.node["def"];
  known.checks.push_back({.table = command.table,
                          .name = constraint.text("conname"),
                          .not_null = columns_never_null(constraint["raw_expr"]),
                          .validated = !constraint.flag("skip_validation"),
                          .in_this_step = true});
  return known;
}

Known learn_validated(Known known, Command const& command) {
  bool ours = false;
  for (auto& check : known.checks) {
    if (check.name == command.node.text("name") && same_table(check.table, command.table)) {
      check.validated = ours = true;
    }
  }
  if (!ours) {
    known.other_validated.push_back(command.table);
  }
  return known;
}

Known learn(Known known, Command const& command) {
  auto const subtype = command.node.text("subtype");
  if (subtype == "AT_AddConstraint") {
    return learn_added(std::move(known), command);
  }
  if (subtype == "AT_ValidateConstraint") {
    return learn_validated(std::move(known), command);
  }
  if (subtype == "AT_DropConstraint") {
    std::erase_if(known.checks, [&](KnownCheck const& check) {
      return check.name == command.node.text("name") && same_table(check.table, command.table);
    });
  }
  return known;
}

}  // namespace

Judged judge_alter_table(Subject const& subject, Known known) {
  Judged judged{.findings = {}, .known = std::move(known)};
  auto const table = table_of(subject.node["relation"]);
  auto const object = subject.node.text("objtype");
  bool const holds_rows = object == "OBJECT_TABLE" || object == "OBJECT_MATVIEW";
  bool const exempt = !holds_rows || judged.known.is_new(table);
  auto const commands = subject.node.list("cmds");
  for (auto const& node : commands) {
    Command const command{subject, node, table, commands.size() == 1};
    if (!exempt) {
      auto const more = judge_command(command, judged.known);
      judged.findings.insert(judged.findings.end(), more.begin(), more.end());
    }
    judged.known = learn(std::move(judged.known), command);
  }
  return judged;
}

}  // namespace runbookd::planner::rules
