// SQL that stands inside something else: the queries of checks, and the expressions of a backfill.
#include <algorithm>
#include <utility>

#include "planner/pg_tree.h"
#include "planner/sql.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace {

Finding problem(Place place, std::string rule, std::string message, std::string fix) {
  return {.rule = std::move(rule),
          .severity = Severity::error,
          .place = std::move(place),
          .message = std::move(message),
          .fix = std::move(fix)};
}

bool writes(pg::Node statement) {
  constexpr std::string_view readers[] = {"SelectStmt", "ExplainStmt", "VariableShowStmt"};
  if (std::ranges::find(readers, statement.type()) == std::end(readers)) {
    return true;
  }
  auto const nodes = pg::every(statement);
  return std::ranges::any_of(nodes, [](pg::Node const& node) {
    return node.is("InsertStmt") || node.is("UpdateStmt") || node.is("DeleteStmt") ||
           node.is("MergeStmt") || node.is("LockingClause") || node.has("intoClause");
  });
}

Findings judge_query(Statement const& statement, pg::Node node, bool expects_error) {
  if (expects_error && !statement.transactional) {
    return {problem(statement.sql.place, "sql/probe-not-transactional",
                    statement.kind + " cannot be tried in a transaction that is rolled back",
                    "expect an error only of a statement that a rollback undoes")};
  }
  if (!expects_error && writes(node)) {
    return {problem(statement.sql.place, "sql/check-writes",
                    statement.kind +
                        " changes or locks something; a check runs in a read-only transaction and "
                        "the server would refuse it",
                    "write a SELECT; to try that a write is refused, expect an `error`")};
  }
  return {};
}

// The fragment must be just what its key says, so that it means the same in the statement that it
// will be part of.
enum class Part { table, column, expression, sources, condition };

std::string framed(Part part, std::string const& text) {
  switch (part) {
    case Part::table:
      return "UPDATE " + text + "\n SET c = 1";
    case Part::column:
      return "UPDATE t SET " + text + "\n = 1";
    case Part::expression:
      return "UPDATE t SET c = " + text + "\n";
    case Part::sources:
      return "UPDATE t SET c = 1 FROM " + text + "\n";
    case Part::condition:
      return "UPDATE t SET c = 1 WHERE " + text + "\n";
  }
  __builtin_unreachable();
}

std::size_t frame_start(Part part) { return framed(part, "").find("\n"); }

bool just_this(Part part, pg::Node update) {
  auto const columns = update.list("targetList");
  auto const relation = update["relation"];
  bool const plain = update.is("UpdateStmt") && columns.size() == 1 &&
                     columns[0].list("indirection").empty() && !relation.has("alias") &&
                     update.list("returningList").empty() && !update.has("withClause");
  return plain && update.has("fromClause") == (part == Part::sources) &&
         update.has("whereClause") == (part == Part::condition) &&
         (part == Part::table || relation.text("relname") == "t") &&
         (part == Part::column || columns[0].text("name") == "c") &&
         (part == Part::expression || columns[0]["val"].is("A_Const"));
}

// A comment to the end of the line would swallow what follows the fragment in its statement.
bool ends_in_comment(std::string const& text, std::vector<pg::Token> const& tokens) {
  return !tokens.empty() && tokens.back().comment && tokens.back().in(text).starts_with("--");
}

// "users" or "accounts.users" and nothing beside; a column stands alone.
bool just_a_name(Part part, std::size_t tokens) {
  return (part != Part::table || tokens == 1 || tokens == 3) &&
         (part != Part::column || tokens == 1);
}

std::optional<std::string> fragment_problem(Part part, std::string const& text) {
  if (text.find('\0') != std::string::npos) {
    return "a NUL byte";
  }
  auto const tokens = pg::scan(text);
  if (pg::too_deep(text, tokens)) {
    return "nested too deep";
  }
  auto const tree = pg::parse(framed(part, text));
  if (!tree.ok()) {
    auto const start = frame_start(part);
    auto const at = std::min(tree.error_offset - std::min(tree.error_offset, start), text.size());
    return tree.error + " (at character " + std::to_string(at + 1) + " of it)";
  }
  if (tree.statements.size() != 1 || !just_this(part, tree.statements[0].node) ||
      !just_a_name(part, tokens.size())) {
    return "it is more than one such part of an UPDATE";
  }
  if (ends_in_comment(text, tokens)) {
    return "it ends in a comment that would swallow what follows";
  }
  return std::nullopt;
}

Findings part_findings(Place const& place, Part part, std::string const& key,
                       std::string const& text) {
  auto const what = fragment_problem(part, text);
  if (!what) {
    return {};
  }
  return {problem(place, "sql/syntax", "`" + key + "` of the backfill: " + *what,
                  "write it as it would stand in UPDATE … SET … FROM … WHERE …")};
}

Findings operator+(Findings left, Findings const& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace

Findings check_query_findings(SqlText const& query, bool expects_error, int oldest_server) {
  auto read = read_sql(query, oldest_server);
  if (!read.findings.empty()) {
    return read.findings;
  }
  if (read.statements.size() > 1) {
    return {problem(read.statements[1].sql.place, "sql/one-statement",
                    "a check is one statement, and here begins a second one",
                    "make it a check of its own")};
  }
  auto const tree = pg::parse(read.statements[0].sql.text);
  return judge_query(read.statements[0], tree.statements.at(0).node, expects_error);
}

Findings backfill_findings(BackfillAction const& backfill) {
  auto const& place = backfill.place;
  auto findings = part_findings(place, Part::table, "table", backfill.table);
  for (auto const& [column, expression] : backfill.set) {
    findings = std::move(findings) + part_findings(place, Part::column, "set", column) +
               part_findings(place, Part::expression, "set: " + column, expression);
  }
  if (!backfill.from.empty()) {
    findings = std::move(findings) + part_findings(place, Part::sources, "from", backfill.from);
  }
  if (!backfill.where.empty()) {
    findings = std::move(findings) + part_findings(place, Part::condition, "where", backfill.where);
  }
  return findings;
}

std::optional<Statement> update_of(BackfillAction const& backfill) {
  std::string text = "UPDATE " + backfill.table + "\n SET ";
  for (std::size_t i = 0; i < backfill.set.size(); ++i) {
    text += (i == 0 ? "" : ", ") + backfill.set[i].first + "\n = " + backfill.set[i].second + "\n";
  }
  text += backfill.from.empty() ? "" : " FROM " + backfill.from + "\n";
  text += backfill.where.empty() ? "" : " WHERE " + backfill.where;
  auto read = read_sql({.text = std::move(text), .place = backfill.place, .indent = -1});
  return read.statements.empty() ? std::nullopt : std::optional(std::move(read.statements.front()));
}

}  // namespace runbookd::planner
