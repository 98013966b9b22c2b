// Whole scripts: each statement sees what those before it did.
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

// Places one after the other: each line of a long script is walked once.
class Places {
 public:
  explicit Places(SqlText const& script) : script_(script), place_(script.place) {}
  SqlText slice(Piece piece) {
    if (piece.begin > at_) {
      SqlText const between{.text = script_.text.substr(at_, piece.begin - at_),
                            .place = place_,
                            .indent = script_.indent};
      place_ = between.at(between.text.size());
      at_ = piece.begin;
    }
    return {.text = script_.text.substr(piece.begin, piece.end - piece.begin),
            .place = place_,
            .indent = script_.indent};
  }

 private:
  SqlText const& script_;
  std::size_t at_ = 0;
  decltype(SqlText::place) place_;
};

Statement statement_of(SqlText text, pg::Node node) {
  return {.sql = std::move(text),
          .kind = pg::kind_of(node),
          .transactional = pg::transactional(node),
          .changes_schema = pg::changes_schema(node)};
}

ExplainedStatement unread(SqlText const& script, Piece piece, std::string const& why) {
  ExplainedStatement unknown{.statement = {.sql = pg::slice(script, piece.begin, piece.end)}};
  unknown.effects.analysed = false;
  unknown.effects.not_analysed = "not analysed: the parser of PostgreSQL 15 says " + why;
  return unknown;
}

struct Walk {
  SqlText const& script;
  Places& places;
  Explanation& explanation;
  int server_major;  // 0 = only the catalog is wanted

  void take(Piece piece, pg::Node node) const {
    if (server_major > 0) {
      explanation.statements.push_back(
          {.statement = statement_of(places.slice(piece), node),
           .effects = record_effects(node, explanation.catalog, server_major)});
    }
    replay_statement(explanation.catalog, node);
  }

  void whole(pg::Tree const& tree, std::vector<pg::Token> const& tokens) const {
    Pieces pieces(script.text, tokens);
    for (auto const& parsed : tree.statements) {
      take(pieces.of(parsed.offset, parsed.length), parsed.node);
    }
  }

  void one_by_one(std::vector<pg::Token> const& tokens) const {
    for (auto const piece : split(script.text, tokens)) {
      auto const tree = pg::parse(script.text.substr(piece.begin, piece.end - piece.begin));
      if (tree.ok()) {
        std::ranges::for_each(tree.statements, [&](auto& p) { take(piece, p.node); });
        continue;
      }
      explanation.findings.push_back(
          pg::problem(script, piece.begin + tree.error_offset, "sql/syntax", tree.error));
      if (server_major > 0) {
        explanation.statements.push_back(unread(script, piece, tree.error));
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

Explanation walk(SqlText script, Catalog catalog, int server_major) {
  Explanation explanation;
  explanation.catalog = std::move(catalog);
  if (auto findings = pg::unreadable(script); !findings.empty()) {
    explanation.findings = std::move(findings);
    return explanation;
  }
  script.text = without_psql_lines(std::move(script.text));
  Places places(script);
  Walk const walk{script, places, explanation, server_major};
  auto const tree = pg::parse(script.text);
  auto const tokens = pg::scan(script.text);
  if (tree.ok()) {
    walk.whole(tree, tokens);
  } else {
    walk.one_by_one(tokens);
  }
  return explanation;
}

}  // namespace

Explanation explain(SqlText const& script, Catalog catalog, int server_major) {
  return walk(script, std::move(catalog), std::clamp(server_major, 13, 18));
}

Explanation replay(SqlText const& script, Catalog catalog) {
  return walk(script, std::move(catalog), 0);
}

}  // namespace runbookd::planner
