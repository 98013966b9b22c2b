#include "planner/sql_batches.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <regex>
#include <span>

#include "planner/pg_tree.h"
#include "planner/sql.h"
#include "planner/sql_body.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

// std::regex recurses for each character.
constexpr std::size_t most_to_search = 4000;

// The clauses of one statement, by the keyword that opens each, outside of parentheses.
class Clauses {
 public:
  Clauses(std::string const& text, std::span<std::string_view const> keywords) : text_(text) {
    int depth = 0;
    for (auto const& token : pg::scan(text)) {
      auto const word = token.in(text);
      depth += word == "(" ? 1 : word == ")" ? -1 : 0;
      auto const keyword = std::ranges::find_if(
          keywords, [&](std::string_view k) { return pg::same_word(word, k); });
      if (depth == 0 && !token.comment && keyword != keywords.end() &&
          !starts_.contains(*keyword)) {
        starts_[*keyword] = {token.offset, token.offset + token.length};
      }
    }
  }

  bool has(std::string_view keyword) const { return starts_.contains(keyword); }
  std::size_t at(std::string_view keyword) const { return starts_.at(keyword).first; }

  std::string operator[](std::string_view keyword) const {
    auto const found = starts_.find(keyword);
    if (found == starts_.end()) {
      return "";
    }
    auto end = text_.size();
    for (auto const& [other, range] : starts_) {
      end = range.first > found->second.first ? std::min(end, range.first) : end;
    }
    return without_comments(text_.substr(found->second.second, end - found->second.second));
  }

 private:
  // A comment to the end of the line would swallow what the daemon puts behind the clause.
  static std::string without_comments(std::string clause) {
    auto const tokens = pg::scan(clause);
    for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
      if (token->comment) {
        clause.erase(token->offset, token->length);
      }
    }
    return on_one_line(trimmed(clause));
  }

  // The clause was laid out for the place where it stood. Blanks within quotation marks count.
  static std::string on_one_line(std::string const& clause) {
    if (clause.find_first_of("'\"$") != std::string::npos) {
      return clause;
    }
    std::string line;
    for (char const c : clause) {
      bool const blank = c == ' ' || c == '\n' || c == '\t';
      if (!blank || !line.ends_with(' ')) {
        line += blank ? ' ' : c;
      }
    }
    return line;
  }

  std::string const& text_;
  std::map<std::string_view, std::pair<std::size_t, std::size_t>> starts_;
};

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

// WHERE id IN (SELECT id FROM t WHERE … LIMIT 1000) means the inner condition.
std::string inner_condition(std::string const& where, std::string const& table) {
  static std::regex const pattern(R"(^\(?\s*[\w."]+\s+(?:IN|=\s*ANY)\s*\(([\s\S]*)\)\s*\)?$)",
                                  std::regex::icase);
  std::smatch match;
  if (where.size() > most_to_search || !std::regex_match(where, match, pattern)) {
    return where;
  }
  auto const inner = trimmed(match[1].str());
  constexpr std::array<std::string_view, 6> words{"FROM",  "WHERE", "ORDER",
                                                  "LIMIT", "FOR",   "FETCH"};
  Clauses const clauses(inner, words);
  auto const same_table = trimmed(clauses["FROM"]) == table;
  return same_table && clauses.has("WHERE") && clauses.has("LIMIT") ? clauses["WHERE"] : where;
}

std::optional<BackfillAction> backfill_of(std::string const& update) {
  constexpr std::array<std::string_view, 6> words{"UPDATE", "SET",   "FROM",
                                                  "WHERE",  "LIMIT", "RETURNING"};
  Clauses const clauses(update, words);
  BackfillAction backfill{.table = clauses["UPDATE"],
                          .set = assignments(clauses["SET"]),
                          .from = clauses["FROM"],
                          .where = clauses["WHERE"]};
  backfill.where = inner_condition(backfill.where, backfill.table);
  std::ranges::sort(backfill.set);
  bool const whole = !backfill.table.empty() && !backfill.where.empty();
  return whole && backfill_findings(backfill).empty() ? std::optional{backfill} : std::nullopt;
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
  std::optional<HandMadeBatches> found;
  for (auto const& inner : pg::body_statements(body)) {
    if (!inner.changes_rows()) {
      continue;  // COMMIT
    }
    auto backfill = inner.first == "UPDATE" ? backfill_of(inner.text) : std::nullopt;
    if (!backfill || found) {
      return std::nullopt;  // more than one table's rows: a person has to say what is meant
    }
    found = HandMadeBatches{.backfill = std::move(*backfill), .looped = inner.in_loop};
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
  auto backfill = backfill_of(statement.text);
  if (!backfill) {
    return std::nullopt;
  }
  HandMadeBatches found{.backfill = std::move(*backfill)};
  constexpr std::array<std::string_view, 1> limit{"LIMIT"};
  if (Clauses const clauses(statement.text, limit); clauses.has("LIMIT")) {
    found.limited = true;
    found.limit = statement.at(clauses.at("LIMIT"));
    read_pace(statement.text.substr(0, most_to_search), found.backfill.batch);
  }
  return found;
}

}  // namespace runbookd::planner
