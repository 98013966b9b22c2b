// Whole scripts: each statement sees what those before it did.
#include "planner/effects_script.h"

#include <algorithm>
#include <utility>

#include "planner/effects_recorder.h"
#include "planner/replay.h"
#include "planner/sql_kind.h"
#include "planner/sql_syntax.h"

namespace runbookd::planner {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

struct Piece {
  std::size_t begin, end;
};

// The statement's own text: without blanks and comments before it. Tokens and statements are in
// the same order, so each is looked at once.
class Pieces {
 public:
  Pieces(std::string const& text, std::vector<pg::Token> const& tokens)
      : text_(text), tokens_(tokens) {}
  Piece of(std::size_t offset, std::size_t length) {
    while (at_ < tokens_.size() && (tokens_[at_].offset < offset || tokens_[at_].comment)) {
      ++at_;
    }
    auto end = offset + length;
    while (end > offset && blank(text_[end - 1])) {
      --end;
    }
    auto const begin =
        at_ < tokens_.size() && tokens_[at_].offset < end ? tokens_[at_].offset : offset;
    return {begin, end};
  }

 private:
  std::string const& text_;
  std::vector<pg::Token> const& tokens_;
  std::size_t at_ = 0;
};

// Every statement alone, where the whole does not parse: what a newer server knows is no reason to
// say nothing about the rest.
std::vector<Piece> split(std::string const& text, std::vector<pg::Token> const& tokens) {
  std::vector<Piece> pieces;
  std::size_t begin = 0;
  bool open = false;
  std::size_t end = 0;
  for (auto const& token : tokens) {
    if (token.comment) {
      continue;
    }
    if (token.in(text) == ";") {
      if (open) {
        pieces.push_back({begin, end});
      }
      open = false;
      continue;
    }
    if (!open) {
      begin = token.offset;
      open = true;
    }
    end = token.offset + token.length;
  }
  if (open) {
    pieces.push_back({begin, end});
  }
  return pieces;
}

Statement statement_of(SqlText text, pg::Node node) {
  return {.sql = std::move(text),
          .kind = pg::kind_of(node),
          .transactional = pg::transactional(node),
          .changes_schema = pg::changes_schema(node)};
}

struct Walk {
  SqlText const& script;
  pg::Slices& slices;
  Walked& walked;
  int server_major;
  VisitStatement const& visit;

  void take(Piece piece, pg::Node node, std::size_t base) const {
    if (visit) {
      auto const statement = statement_of(slices.next(piece.begin, piece.end), node);
      auto const effects = record_effects(node, walked.catalog, server_major);
      visit({statement, node, effects, walked.catalog, piece.begin, piece.end, base});
    }
    replay_statement(walked.catalog, node);
  }

  void unread(Piece piece, SqlText const& text, std::string const& why) const {
    Statement const statement{.sql = text};
    Effects effects;
    effects.analysed = false;
    effects.not_analysed = "not analysed: the parser of PostgreSQL 15 says " + why;
    visit({statement, {}, effects, walked.catalog, piece.begin, piece.end});
  }

  void whole(pg::Tree const& tree) const {
    Pieces pieces(script.text, walked.tokens);
    for (auto const& parsed : tree.statements) {
      auto const piece = pieces.of(parsed.offset, parsed.length);
      take(piece, parsed.node, piece.begin);
    }
  }

  void one_by_one() const {
    for (auto const piece : split(script.text, walked.tokens)) {
      auto const tree = pg::parse(script.text.substr(piece.begin, piece.end - piece.begin));
      if (tree.ok()) {
        std::ranges::for_each(tree.statements, [&](auto& p) { take(piece, p.node, 0); });
        continue;
      }
      auto const text = slices.next(piece.begin, piece.end);
      walked.findings.push_back(pg::problem(text, tree.error_offset, "sql/syntax", tree.error));
      if (visit) {
        unread(piece, text, tree.error);
      }
    }
  }
};

// pg_dump writes lines for psql around its dump (\restrict); blanks leave every place where it was.
std::string without_psql_lines(std::string text) {
  for (std::size_t begin = 0; begin < text.size();) {
    auto const end = std::min(text.find('\n', begin), text.size());
    auto const line = std::string_view(text).substr(begin, end - begin);
    if (line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ") ||
        line.starts_with("\\connect ")) {
      text.replace(begin, end - begin, end - begin, ' ');
    }
    begin = end + 1;
  }
  return text;
}

}  // namespace

Walked walk_script(SqlText script, Catalog catalog, int server_major, VisitStatement const& visit) {
  Walked walked;
  walked.catalog = std::move(catalog);
  if (auto findings = pg::unreadable(script); !findings.empty()) {
    walked.findings = std::move(findings);
    return walked;
  }
  script.text = without_psql_lines(std::move(script.text));
  pg::Slices slices(script);
  auto const tree = pg::parse(script.text);
  walked.tokens = pg::scan(script.text);
  Walk const walk{script, slices, walked, std::clamp(server_major, 13, 18), visit};
  if (tree.ok()) {
    walk.whole(tree);
  } else {
    walk.one_by_one();
  }
  return walked;
}

Explanation explain(SqlText const& script, Catalog catalog, int server_major) {
  std::vector<ExplainedStatement> statements;
  auto walked = walk_script(
      script, std::move(catalog), server_major, [&statements](ScriptStatement const& one) {
        statements.push_back({.statement = one.statement, .effects = one.effects});
      });
  return {std::move(statements), std::move(walked.findings), std::move(walked.catalog)};
}

Explanation replay(SqlText const& script, Catalog catalog) {
  auto walked = walk_script(script, std::move(catalog), 0, {});
  return {{}, std::move(walked.findings), std::move(walked.catalog)};
}

}  // namespace runbookd::planner
