#include "planner/sql_batches.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <regex>

#include "planner/pg_tree.h"
#include "planner/sql.h"
#include "planner/sql_batch_where.h"
#include "planner/sql_body.h"
#include "planner/sql_clauses.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

// std::regex recurses for each character.
constexpr std::size_t most_to_search = 4000;

// "a = 1, b = f(x, y)" -> {a, 1}, {b, f(x, y)}
std::vector<std::pair<std::string, std::string>> assignments(std::string const& text) {
  std::vector<std::pair<std::string, std::string>> found;
  std::string column;
  std::size_t start = 0;
  int depth = 0;
  auto const put = [&](std::size_t end) {
    found.emplace_back(column, trimmed(text.substr(start, end - start)));
    column.clear();
  };
  for (auto const& token : pg::scan(text)) {
    auto const word = token.in(text);
    depth += word == "(" || word == "[" ? 1 : word == ")" || word == "]" ? -1 : 0;
    if (depth == 0 && word == "=" && column.empty()) {
      column = trimmed(text.substr(start, token.offset - start));
      start = token.offset + 1;
    } else if (depth == 0 && word == ",") {
      put(token.offset);
      start = token.offset + 1;
    }
  }
  put(text.size());
  return found;
}

// The rows that differ from what they shall have; nothing where a value may differ from try to try.
std::string differs(BackfillAction const& backfill) {
  std::string where;
  for (auto const& [column, value] : backfill.set) {
    if (value.find('(') != std::string::npos) {
      return "";
    }
    where += (where.empty() ? "" : " OR ") + backfill.table + "." + column + " IS DISTINCT FROM " +
             value;
  }
  return where;
}

std::string problem_of(HandMadeBatches const& batches, bool limited,
                       LoopVariables const& variables) {
  auto const& backfill = batches.backfill;
  if (limited) {
    return "its `where` picks rows by a LIMIT in a form that is not known, and would pick others "
           "each time";
  }
  auto name = variable_in(backfill.where, variables);
  for (auto const& [column, value] : backfill.set) {
    name = name.empty() ? variable_in(value, variables) : name;
  }
  return name.empty() ? ""
                      : "its variable " + name +
                            " decides which rows are changed, or to what, and is not known "
                            "outside of the loop";
}

std::optional<HandMadeBatches> batches_of(std::string const& update,
                                          LoopVariables const& variables) {
  constexpr std::array<std::string_view, 6> words{"UPDATE", "SET",   "FROM",
                                                  "WHERE",  "LIMIT", "RETURNING"};
  Clauses const clauses(update, words);
  HandMadeBatches found;
  auto& backfill = found.backfill;
  backfill.table = clauses["UPDATE"];
  backfill.set = assignments(clauses["SET"]);
  backfill.from = clauses["FROM"];
  auto const where =
      batch_where(clauses["WHERE"], backfill.table, !backfill.from.empty(), variables);
  backfill.where = where.where;
  found.range = where.range;
  found.told_by_value = where.where.empty() && !where.range.empty();
  if (found.told_by_value) {
    backfill.where = differs(backfill);
  }
  std::ranges::sort(backfill.set);
  found.problem = problem_of(found, where.limited, variables);
  bool const whole = !backfill.table.empty() && !backfill.where.empty();
  return whole && backfill_findings(backfill).empty() ? std::optional{found} : std::nullopt;
}

std::optional<double> number_behind(std::string const& text, std::regex const& pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, pattern)) {
    return std::nullopt;
  }
  auto const digits = match[1].str();
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// How many rows, and how long a rest, the author wanted.
void read_pace(std::string const& body, Batch& batch) {
  static std::regex const size(
      R"((?:batch|limit|chunk)\w*\s+(?:int\w*|bigint)?\s*(?::=|=|DEFAULT)?\s*(\d{1,9})\b)",
      std::regex::icase);
  static std::regex const rest(R"(pg_sleep\s*\(\s*(\d{1,4}(?:\.\d{1,4})?)\s*\))",
                               std::regex::icase);
  if (auto const rows = number_behind(body, size); rows && *rows >= 1) {
    batch.max_rows = std::llround(*rows);
  }
  if (auto const seconds = number_behind(body, rest)) {
    batch.pause = Duration{std::llround(*seconds * 1000)};
  }
}

std::optional<HandMadeBatches> in_block(SqlText const& statement, pg::Node node) {
  auto const body = pg::do_body(node);
  auto const start = statement.text.find(body);
  auto const variables = loop_variables(body);
  std::optional<HandMadeBatches> found;
  for (auto const& inner : pg::body_statements(body)) {
    if (!inner.changes_rows()) {
      continue;  // COMMIT
    }
    auto batches = inner.first == "UPDATE" ? batches_of(inner.text, variables) : std::nullopt;
    if (!batches || found) {
      return std::nullopt;  // more than one table's rows: a person has to say what is meant
    }
    found = std::move(batches);
    found->looped = inner.in_loop;
    constexpr std::array<std::string_view, 1> limit{"LIMIT"};
    Clauses const clauses(inner.text, limit);
    if (clauses.has("LIMIT") && start != std::string::npos) {
      found->limited = true;
      found->limit = statement.at(start + inner.offset + clauses.at("LIMIT"));
    }
  }
  if (found) {
    read_pace(body.substr(0, most_to_search), found->backfill.batch);
  }
  return found;
}

}  // namespace

std::optional<HandMadeBatches> batches_in(SqlText const& statement) {
  auto const tree = pg::parse(statement.text);
  if (tree.ok() && tree.statements.size() == 1 && tree.statements[0].node.is("DoStmt")) {
    return in_block(statement, tree.statements[0].node);
  }
  auto const tokens = pg::scan(statement.text);
  if (tokens.empty() || !pg::same_word(tokens.front().in(statement.text), "UPDATE")) {
    return std::nullopt;
  }
  auto found = batches_of(statement.text, {});
  if (!found) {
    return std::nullopt;
  }
  constexpr std::array<std::string_view, 1> limit{"LIMIT"};
  if (Clauses const clauses(statement.text, limit); clauses.has("LIMIT")) {
    found->limited = true;
    found->limit = statement.at(clauses.at("LIMIT"));
    read_pace(statement.text.substr(0, most_to_search), found->backfill.batch);
  }
  return found;
}

}  // namespace runbookd::planner
