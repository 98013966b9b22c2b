#include "planner/sql.h"

#include <algorithm>
#include <utility>

#include "planner/pg_tree.h"
#include "planner/sql_body.h"
#include "planner/sql_kind.h"
#include "planner/sql_syntax.h"

namespace runbookd::planner {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

// Past blanks and comments, so that a statement's place is its first word. A hint for a planner
// extension
// ("/*+ … */") belongs to the statement.
std::size_t first_word(std::string const& text, std::vector<pg::Token> const& tokens,
                       pg::ParsedStatement const& statement) {
  auto const end = statement.offset + statement.length;
  auto token = std::ranges::lower_bound(tokens, statement.offset, {}, &pg::Token::offset);
  for (; token != tokens.end() && token->offset < end; ++token) {
    if (!token->comment || token->in(text).starts_with("/*+")) {
      return token->offset;
    }
  }
  return statement.offset;
}

Statement to_statement(SqlText const& script, pg::Slices& slices,
                       std::vector<pg::Token> const& tokens, pg::ParsedStatement const& parsed) {
  auto end = parsed.offset + parsed.length;
  auto const begin = first_word(script.text, tokens, parsed);
  while (end > begin && blank(script.text[end - 1])) {
    --end;
  }
  return pg::statement_of(slices.next(begin, end), parsed.node);
}

Finding transaction_problem(Statement const& statement) {
  return pg::problem(
      statement.sql, 0, "sql/transaction-control",
      statement.kind +
          " has no place in a step: each step already is one transaction, which also "
          "carries the proof that it was committed",
      "delete it; where a part has to commit on its own, or cannot run in a transaction "
      "(CREATE INDEX CONCURRENTLY), make it a step of its own");
}

Finding alone_problem(Statement const& statement) {
  return pg::problem(
      statement.sql, 0, "sql/not-transactional-with-others",
      statement.kind +
          " cannot run inside a transaction, and a step with several statements is one",
      "put it into a step of its own, with its own rollback");
}

// A retry and the rollback have to know this index from all others, whatever else happens.
bool builds_unnamed_index(pg::Node node) {
  return node.is("IndexStmt") && node.flag("concurrent") && node.text("idxname").empty();
}

Finding unnamed_problem(Statement const& statement, pg::Node node) {
  auto const table = node["relation"].text("relname");
  return pg::problem(
      statement.sql, 0, "sql/index-without-name",
      "the server would choose this index's name, and after a lost session or an interrupted build "
      "nobody could tell it from another index of " +
          table,
      "name it: CREATE INDEX CONCURRENTLY " + table + "_<columns>_idx ON " + table + " …");
}

Finding commit_problem(SqlText const& sql, std::size_t offset, pg::BodyStatement const& inner) {
  return pg::problem(sql, offset, "sql/transaction-control",
                     inner.first +
                         " inside a DO block: the step is one transaction, and the server "
                         "refuses to end it from within",
                     "delete it; to change many rows in several transactions, use a backfill step");
}

// A DO block's body is only text for the server until it runs; what cannot work there is better
// known now.
Findings body_findings(Statement const& statement, pg::Node node) {
  Findings found;
  auto const body = pg::do_body(node);
  auto const start = statement.sql.text.find(body);  // not found where the quotation has escapes
  for (auto const& inner : pg::body_statements(body)) {
    auto const begin = start == std::string::npos ? 0 : start + inner.offset;
    if (inner.ends_transaction()) {
      found.push_back(commit_problem(statement.sql, begin, inner));
    }
    if (!inner.changes_rows()) {
      continue;
    }
    auto const tree = pg::parse(inner.text);
    if (tree.ok() || !pg::limits_a_row_change(inner.text, tree.error_offset)) {
      continue;  // other errors may be words of the procedural language
    }
    auto finding = pg::syntax_error({.text = inner.text}, tree);
    finding.place = statement.sql.at(begin == 0 ? 0 : begin + tree.error_offset);
    found.push_back(std::move(finding));
  }
  return found;
}

Findings statement_findings(Statement const& statement, pg::Node node, bool alone) {
  if (pg::transaction_control(node)) {
    return {transaction_problem(statement)};
  }
  if (!statement.transactional && !alone) {
    return {alone_problem(statement)};
  }
  if (builds_unnamed_index(node)) {
    return {unnamed_problem(statement, node)};
  }
  if (pg::copies_through_client(node)) {
    return {pg::copy_problem(statement.sql, 0)};
  }
  return body_findings(statement, node);
}

void add(ReadSql& read, Statement statement, pg::Node node, bool alone) {
  auto found = statement_findings(statement, node, alone);
  read.statements.push_back(std::move(statement));
  read.findings.insert(read.findings.end(), found.begin(), found.end());
}

// Nothing would settle it after a crash.
Finding unknown_outside(Statement const& statement) {
  return pg::problem(statement.sql, 0, "sql/not-analysed",
                     "it seems to be one that cannot stand in a transaction, and only a newer "
                     "parser could tell what to look for after a crash",
                     "write it in the form of PostgreSQL 15, or run it by hand in a manual step");
}

ReadSql read_one_by_one(SqlText const& script, int oldest_server) {
  ReadSql read;
  auto const pieces = pg::split(script.text, pg::scan(script.text));
  pg::Slices slices(script);
  for (auto const piece : pieces) {
    auto text = slices.next(piece.begin, piece.end);
    auto const tree = pg::parse(text.text);
    if (!tree.ok()) {
      read.findings.push_back(
          pg::maybe_newer(pg::syntax_error(text, tree), text.text, oldest_server));
      read.statements.push_back(pg::unread_statement(std::move(text)));
      if (!read.statements.back().transactional) {
        read.findings.push_back(unknown_outside(read.statements.back()));
      }
      continue;
    }
    auto const tokens = pg::scan(text.text);
    pg::Slices parts(text);
    for (auto const& parsed : tree.statements) {
      add(read, to_statement(text, parts, tokens, parsed), parsed.node, pieces.size() == 1);
    }
  }
  return read;
}

}  // namespace

ReadSql read_sql(SqlText const& script, int oldest_server) {
  if (auto findings = pg::unreadable(script); !findings.empty()) {
    return {.statements = {}, .findings = std::move(findings)};
  }
  auto const tree = pg::parse(script.text);
  if (!tree.ok() && oldest_server > pg::parser_major) {
    return read_one_by_one(script, oldest_server);
  }
  if (!tree.ok()) {
    return {.statements = {}, .findings = pg::syntax_findings(script, tree)};
  }
  ReadSql read;
  auto const tokens = pg::scan(script.text);
  pg::Slices slices(script);
  for (auto const& parsed : tree.statements) {
    add(read, to_statement(script, slices, tokens, parsed), parsed.node,
        tree.statements.size() == 1);
  }
  if (read.statements.empty()) {
    read.findings.push_back(pg::problem(script, 0, "sql/empty", "there is no SQL statement here",
                                        "write a statement, or delete the key"));
  }
  return read;
}

bool is_unread(Statement const& statement) { return !pg::parse(statement.sql.text).ok(); }

}  // namespace runbookd::planner
