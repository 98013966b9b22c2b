// Loops of a document that are no backfill: what becomes of them has to be said.
#include <algorithm>

#include "planner/import_parts.h"
#include "planner/pg_tree.h"
#include "planner/sql.h"

namespace runbookd::planner::import {
namespace {

bool speaks(std::string const& text, std::string_view word) {
  return std::ranges::any_of(pg::scan(text), [&](pg::Token const& token) {
    return !token.comment && pg::same_word(token.in(text), word);
  });
}

std::string code_of(pg::Node definition, std::string_view list) {
  std::string text;
  for (auto const& option : definition.list(list)) {
    if (option.text("defname") != "as") {
      continue;
    }
    text += option["arg"].text("sval");
    for (auto const& part : pg::every(option)) {
      text += part.is("String") ? part.text("sval") : "";
    }
  }
  return text;
}

// The body of the procedure, where the document makes it.
std::string procedure(Statements const& earlier, std::string const& name) {
  for (auto const& statement : earlier) {
    auto const tree = pg::parse(statement.sql.text);
    for (auto const& one : tree.statements) {
      auto const names = pg::names(one.node.list("funcname"));
      if (one.node.is("CreateFunctionStmt") && !names.empty() && names.back() == name) {
        return code_of(one.node, "options");
      }
    }
  }
  return "";
}

// "… WHERE id IN (SELECT … LIMIT 500)", "WITH batch AS (SELECT … LIMIT 500) UPDATE …"
bool is_one_round(pg::Node node) {
  if (!node.is("UpdateStmt") && !node.is("DeleteStmt")) {
    return false;
  }
  for (auto const& query : node["withClause"].list("ctes")) {
    if (query["ctequery"].has("limitCount")) {
      return true;
    }
  }
  return std::ranges::any_of(pg::every(node["whereClause"]), [](pg::Node part) {
    auto const kind = part.text("subLinkType");
    return part.is("SubLink") && (kind == "ANY_SUBLINK" || kind == "ARRAY_SUBLINK") &&
           part["subselect"].has("limitCount");
  });
}

constexpr auto one_transaction =
    "every row that it changes stays locked to its end, and a failure loses all of it";

void judge_call(Report& report, Statement const& statement, pg::Node node,
                Statements const& earlier) {
  auto const names = pg::names(node["funccall"].list("funcname"));
  auto const body = procedure(earlier, names.empty() ? "" : names.back());
  if (speaks(body, "COMMIT")) {
    report.say(Severity::error, statement.sql.place, "import/loop-kept",
               "the procedure that is called here ends its transaction from within, and a step is "
               "one transaction: the server refuses it",
               "write its UPDATE as the step, in a DO block: it becomes a backfill");
    return;
  }
  report.say(Severity::warning, statement.sql.place, "import/loop-kept",
             std::string("the call stays a step, in one transaction: ") + one_transaction,
             "where it changes many rows, write its UPDATE as the step: it becomes a backfill");
}

}  // namespace

void judge_kept_loop(Report& report, Statement const& statement, Statements const& earlier) {
  auto const tree = pg::parse(statement.sql.text);
  if (tree.statements.size() != 1) {
    return;
  }
  auto const node = tree.statements.front().node;
  if (node.is("CallStmt")) {
    return judge_call(report, statement, node, earlier);
  }
  if (is_one_round(node)) {
    report.say(Severity::error, statement.sql.place, "import/one-round",
               "this " + statement.kind +
                   " changes the rows of one batch, and nothing repeats it: the others would stay "
                   "as they are",
               "leave the LIMIT away: UPDATE … WHERE … becomes a backfill step, which makes its "
               "own batches");
    return;
  }
  auto const body = code_of(node, "args");
  if (node.is("DoStmt") && speaks(body, "LOOP")) {
    report.say(Severity::warning, statement.sql.place, "import/loop-kept",
               std::string("the loop stays a step, in one transaction whatever it loops over: ") +
                   one_transaction,
               "one UPDATE of one table in it becomes a backfill; DELETE in parts by several "
               "steps, or by hand");
  }
}

}  // namespace runbookd::planner::import
