// Whole scripts: each statement sees what those before it did.
#include "planner/effects_script.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "planner/effects_recorder.h"
#include "planner/replay.h"
#include "planner/sql_kind.h"
#include "planner/sql_syntax.h"

namespace runbookd::planner {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

using pg::Piece;

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

struct Walk {
  SqlText const& script;
  pg::Slices& slices;
  Walked& walked;
  int server_major;
  VisitStatement const& visit;
  VisitTurnover const& after;

  void take(Piece piece, pg::Tree const& tree, pg::ParsedStatement const& parsed,
            std::size_t base) const {
    if (visit) {
      auto const statement = pg::statement_of(slices.next(piece.begin, piece.end), parsed.node);
      auto const effects = record_effects(tree, parsed, walked.catalog, server_major);
      visit({statement, parsed.node, effects, walked.catalog, piece.begin, piece.end, base});
    }
    if (after) {
      walked.catalog.watch();
    }
    replay_statement(walked.catalog, parsed.node);
    if (after) {
      after(walked.catalog.turnover());
    }
  }

  void unread(Piece piece, SqlText const& text, pg::Tree const& tree) const {
    auto const statement = pg::unread_statement(text);
    auto const effects = unread_effects(tree);
    visit({statement, {}, effects, walked.catalog, piece.begin, piece.end});
  }

  void whole(pg::Tree const& tree) const {
    Pieces pieces(script.text, walked.tokens);
    for (auto const& parsed : tree.statements) {
      auto const piece = pieces.of(parsed.offset, parsed.length);
      take(piece, tree, parsed, piece.begin);
    }
  }

  void one_by_one() const {
    for (auto const piece : pg::split(script.text, walked.tokens)) {
      auto const tree = pg::parse(script.text.substr(piece.begin, piece.end - piece.begin));
      if (tree.ok()) {
        std::ranges::for_each(tree.statements, [&](auto& p) { take(piece, tree, p, 0); });
        continue;
      }
      auto const text = slices.next(piece.begin, piece.end);
      walked.findings.push_back(
          pg::maybe_newer(pg::syntax_error(text, tree), text.text, server_major));
      if (visit) {
        unread(piece, text, tree);
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

namespace {

void add_names(std::vector<std::string>& list, std::set<RelationName> const& names) {
  std::ranges::transform(names, std::back_inserter(list),
                         [](RelationName const& name) { return to_sql(name); });
  std::ranges::sort(list);
  auto const again = std::ranges::unique(list);
  list.erase(again.begin(), again.end());
}

}  // namespace

Walked walk_script(SqlText script, Catalog catalog, int server_major, VisitStatement const& visit,
                   VisitTurnover const& after) {
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
  Walk const walk{script, slices, walked, std::clamp(server_major, 13, 18), visit, after};
  if (tree.ok()) {
    walk.whole(tree);
  } else {
    walk.one_by_one();
  }
  return walked;
}

Explanation explain(SqlText const& script, Catalog catalog, int server_major) {
  std::vector<ExplainedStatement> statements;
  auto const visit = [&](ScriptStatement const& one) {
    statements.push_back({.statement = one.statement,
                          .effects = one.effects,
                          .stalls = stalls_of(one.effects, one.before, server_major)});
  };
  auto const after = [&](Catalog::Turnover const& turnover) {
    add_names(statements.back().effects.created, turnover.came);
    add_names(statements.back().effects.dropped, turnover.went);
  };
  auto walked = walk_script(script, std::move(catalog), server_major, visit, after);
  return {std::move(statements), std::move(walked.findings), std::move(walked.catalog)};
}

Explanation replay(SqlText const& script, Catalog catalog) {
  auto walked = walk_script(script, std::move(catalog), 0, {});
  return {{}, std::move(walked.findings), std::move(walked.catalog)};
}

}  // namespace runbookd::planner
