#include "planner/sql_syntax.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "planner/lint/rule.h"
#include "planner/sql_kind.h"
#include "planner/utf8.h"

namespace runbookd::planner::pg {
namespace {

std::string upper(std::string_view word) {
  std::string text(word);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

bool is_row_change(Tree const& tree) {
  return tree.statements.size() == 1 &&
         (tree.statements[0].node.is("UpdateStmt") || tree.statements[0].node.is("DeleteStmt"));
}

// Where a statement that the parser refused begins: after the last semicolon before the place of
// the error.
std::size_t piece_start(std::string const& text, std::size_t error) {
  std::size_t start = 0;
  for (auto const& token : scan(text)) {
    if (token.offset < error && token.in(text) == ";") {
      start = token.offset + 1;
    }
  }
  return start;
}

}  // namespace

Finding problem(SqlText const& sql, std::size_t offset, std::string rule, std::string message,
                std::string fix) {
  return {.rule = std::move(rule),
          .severity = Severity::error,
          .place = sql.at(offset),
          .message = std::move(message),
          .fix = std::move(fix)};
}

SqlText slice(SqlText const& script, std::size_t from, std::size_t to) {
  return {.text = script.text.substr(from, to - from),
          .place = script.at(from),
          .indent = script.indent};
}

SqlText Slices::next(std::size_t from, std::size_t to) {
  if (from > at_) {
    place_ = SqlText{.text = script_.text.substr(at_, from - at_),
                     .place = std::move(place_),
                     .indent = script_.indent}
                 .at(from - at_);
    at_ = from;
  }
  return {.text = script_.text.substr(from, to - from), .place = place_, .indent = script_.indent};
}

Findings unreadable(SqlText const& sql) {
  if (auto const at = sql.text.find('\0'); at != std::string::npos) {
    return {problem(
        sql, at, "sql/nul-byte",
        "a NUL byte stands in the SQL; the server would stop reading there and report success",
        "remove the NUL byte")};
  }
  if (auto const at = bad_utf8(sql.text); at != std::string_view::npos) {
    return {problem(sql, at, "sql/encoding", "the SQL is not valid UTF-8 here",
                    "save the file as UTF-8")};
  }
  if (too_deep(sql.text, scan(sql.text))) {
    return {problem(sql, 0, "sql/too-deep",
                    "an expression is nested or chained more than 20000 tokens deep",
                    "split the statement into smaller ones")};
  }
  return {};
}

bool limits_a_row_change(std::string const& text, std::size_t error) {
  auto const start = piece_start(text, error);
  return same_word(std::string_view(text).substr(error, 5), "LIMIT") &&
         is_row_change(parse(text.substr(start, error - start)));
}

Finding syntax_error(SqlText const& sql, Tree const& tree) {
  auto const at = tree.error_offset;
  if (at < sql.text.size() && sql.text[at] == '\\') {
    return problem(sql, at, "sql/psql-command",
                   "a backslash command belongs to psql; the SQL here goes straight to the server",
                   "remove it, or write the SQL that it stands for");
  }
  if (limits_a_row_change(sql.text, at)) {
    return problem(sql, at, "sql/syntax",
                   tree.error + ": PostgreSQL has no LIMIT for UPDATE and DELETE",
                   "use a backfill step: it changes the rows in small batches, each in its own "
                   "transaction, and can be paused and resumed");
  }
  if (at < sql.text.size() && sql.text[at] == ':') {
    return problem(
        sql, at, "sql/syntax", tree.error,
        "`:name` is a variable of psql; declare it under `variables:` and write ${name}");
  }
  return problem(sql, at, "sql/syntax", tree.error);
}

namespace {

// Words that came into the grammar after 15, and older ones that stand where they could not then.
// What has none of them and does not parse is no newer SQL: it is a slip.
constexpr std::string_view newer_words[] = {
    "ABSENT",      "CONDITIONAL",    "EMPTY",       "ENFORCED",    "ERROR",          "EXPRESSION",
    "FORMAT",      "GRAPH_TABLE",    "HASHES",      "INDENT",      "INHERIT",        "JSON",
    "JSON_ARRAY",  "JSON_ARRAYAGG",  "JSON_EXISTS", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_QUERY",
    "JSON_SCALAR", "JSON_SERIALIZE", "JSON_TABLE",  "JSON_VALUE",  "KEEP",           "KEYS",
    "LOCAL",       "MAINTAIN",       "MERGE",       "MERGES",      "MERGE_ACTION",   "METHOD",
    "NESTED",      "OBJECTS",        "OMIT",        "OVERLAPS",    "PATH",           "PERIOD",
    "QUOTES",      "REINDEX",        "RETURNING",   "SCALAR",      "SOURCE",         "STATISTICS",
    "STORAGE",     "STRING",         "SYSTEM_USER", "TARGET",      "UNCONDITIONAL",  "VIRTUAL"};

// The scanner gives up at numbers that only newer servers know, and at what is never closed.
bool has_newer_word(std::string const& text, std::string const& error) {
  auto const tokens = scan(text);
  return (tokens.empty() && error.find("unterminated") == std::string::npos) ||
         std::ranges::any_of(tokens, [&](Token const& token) {
           return !token.comment && std::ranges::any_of(newer_words, [&](auto word) {
             return same_word(token.in(text), word);
           });
         });
}

}  // namespace

Finding maybe_newer(Finding finding, std::string const& text, int oldest_server) {
  if (finding.rule == "sql/syntax" && finding.fix.empty() && oldest_server > parser_major &&
      has_newer_word(text, finding.message)) {
    auto const& rule = *find_rule("sql/not-analysed");
    finding.rule = rule.id;
    finding.severity = rule.severity;
    finding.message += ": " + std::string(rule.why);
    finding.fix = rule.fix;
  }
  return finding;
}

// A semicolon ends nothing inside BEGIN ATOMIC … END.
std::vector<Piece> split(std::string const& text, std::vector<Token> const& tokens) {
  std::vector<Piece> pieces;
  if (tokens.empty()) {  // nobody can tell what stands in it, or it is blank
    constexpr auto blanks = " \t\r\n\f";
    auto const from = text.find_first_not_of(blanks);
    if (from != std::string::npos) {
      pieces.push_back({from, text.find_last_not_of(blanks) + 1});
    }
    return pieces;
  }
  std::optional<Piece> open;
  bool in_body = false;
  for (auto const& token : tokens) {
    auto const word = token.in(text);
    if (token.comment) {
      continue;
    }
    if (word == ";" && !in_body) {
      if (open) {
        pieces.push_back(*open);
      }
      open.reset();
      continue;
    }
    open = Piece{open ? open->begin : token.offset, token.offset + token.length};
    in_body = (in_body || same_word(word, "ATOMIC")) && !same_word(word, "END");
  }
  if (open) {
    pieces.push_back(*open);
  }
  return pieces;
}

Statement statement_of(SqlText text, Node node) {
  return {.sql = std::move(text),
          .kind = kind_of(node),
          .transactional = transactional(node),
          .changes_schema = changes_schema(node)};
}

Statement unread_statement(SqlText text) {
  constexpr std::string_view rows[] = {"SELECT", "INSERT", "UPDATE", "DELETE",
                                       "MERGE",  "WITH",   "VALUES"};
  constexpr std::string_view outside[] = {"VACUUM",     "CONCURRENTLY", "DATABASE",
                                          "TABLESPACE", "SYSTEM",       "SUBSCRIPTION"};
  std::string kind;
  bool transactional = true;
  for (auto const& token : scan(text.text)) {
    auto const word = token.in(text.text);
    if (kind.empty() && !token.comment) {
      kind = upper(word);
    }
    transactional &=
        std::ranges::none_of(outside, [&](std::string_view one) { return same_word(word, one); });
  }
  bool const of_rows = std::ranges::find(rows, kind) != std::end(rows);
  return {.sql = std::move(text),
          .kind = kind,
          .transactional = transactional || of_rows,
          .changes_schema = !of_rows};
}

bool copies_through_client(Node statement) {
  return statement.is("CopyStmt") && statement.text("filename").empty();
}

Finding copy_problem(SqlText const& sql, std::size_t offset) {
  return problem(sql, offset, "sql/copy-client",
                 "COPY FROM STDIN and COPY TO STDOUT need a client that sends or takes the data; a "
                 "plan has none",
                 "write the rows as INSERT … VALUES, or load them before the run starts");
}

namespace {

// Problems after the first one: each later statement is looked at alone. Not where a function has a
// body of its own statements, because a semicolon does not end anything there.
Findings later_errors(SqlText const& script, std::size_t error) {
  Findings found;
  auto const tokens = scan(script.text);
  auto const from = std::ranges::find_if(tokens, [&](Token const& token) {
    return token.offset >= error && token.in(script.text) == ";";
  });
  if (from == tokens.end() || std::any_of(from, tokens.end(), [&](auto& t) {
        return same_word(t.in(script.text), "ATOMIC");
      })) {
    return found;
  }
  auto start = from->offset + 1;
  for (auto token = std::next(from); start < script.text.size(); ++token) {
    bool const last = token == tokens.end();
    if (!last && token->in(script.text) != ";") {
      continue;
    }
    auto const piece = slice(script, start, last ? script.text.size() : token->offset);
    if (auto const tree = parse(piece.text); !tree.ok()) {
      found.push_back(syntax_error(piece, tree));
    }
    if (last) {
      break;
    }
    start = token->offset + 1;
  }
  return found;
}

// Data after COPY … FROM STDIN reads as a syntax error; the cause is the COPY.
std::optional<Finding> copy_before(SqlText const& script, std::size_t error) {
  auto const tree = parse(script.text.substr(0, piece_start(script.text, error)));
  for (auto const& statement : tree.statements) {
    if (copies_through_client(statement.node)) {
      return copy_problem(script, statement.offset);
    }
  }
  return std::nullopt;
}

}  // namespace

Findings syntax_findings(SqlText const& script, Tree const& tree) {
  if (auto copy = copy_before(script, tree.error_offset)) {
    return {*std::move(copy)};
  }
  Findings found{syntax_error(script, tree)};
  if (found[0].rule == "sql/psql-command") {
    return found;  // up to the end of its line it is no SQL, and what follows would be blamed for
                   // it
  }
  auto later = later_errors(script, tree.error_offset);
  found.insert(found.end(), later.begin(), later.end());
  return found;
}

}  // namespace runbookd::planner::pg
