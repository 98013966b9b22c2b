// DO blocks and functions: what the statements that stand in the text could do. Dynamic SQL stays
// unseen, so the answer is always marked as opaque.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace {

constexpr std::string_view beginnings[] = {
    "ALTER",  "ANALYZE", "CALL",     "CLUSTER", "COMMENT", "COPY",    "CREATE",  "DELETE",
    "DROP",   "GRANT",   "INSERT",   "LOCK",    "MERGE",   "PERFORM", "REFRESH", "REINDEX",
    "REVOKE", "SELECT",  "TRUNCATE", "UPDATE",  "VACUUM",  "WITH"};

bool begins(std::string_view word) {
  return std::ranges::any_of(beginnings, [&](auto one) { return pg::same_word(word, one); });
}

// Words of the procedural language after which a statement can begin.
bool before_statement(std::string_view word) {
  constexpr std::string_view words[] = {"BEGIN", "THEN", "ELSE", "LOOP", ";", ">>"};
  return std::ranges::any_of(words, [&](auto one) { return pg::same_word(word, one); });
}

bool ends_transaction(std::string_view word) {
  return pg::same_word(word, "COMMIT") || pg::same_word(word, "ROLLBACK");
}

void record(Recorder& r, std::string text) {
  if (pg::same_word(std::string_view(text).substr(0, 7), "PERFORM")) {
    text.replace(0, 7, "SELECT");
  }
  auto const tree = pg::parse(text);
  for (auto const& parsed : tree.statements) {
    record_statement(r, parsed.node);
  }
}

}  // namespace

void effects_of_body(Recorder& r, std::string const& body) {
  r.opaque();
  r.assume(
      "code runs here: only statements that stand in its text are told, not what it puts "
      "together itself");
  if (!r.enter(body)) {
    return;
  }
  auto const tokens = pg::scan(body);
  bool starts = true;
  std::vector<Recorder::Locked> blocks;  // what was locked before each
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    auto const word = tokens[i].in(body);
    if (tokens[i].comment) {
      continue;
    }
    if (starts && ends_transaction(word)) {
      r.outside();
    }
    if (starts && pg::same_word(word, "BEGIN")) {
      blocks.push_back(r.locked());
    } else if (starts && pg::same_word(word, "EXCEPTION") && !blocks.empty()) {
      r.caught(blocks.back());
    } else if (starts && pg::same_word(word, "END") && !blocks.empty() &&
               (i + 1 == tokens.size() || tokens[i + 1].in(body) == ";")) {
      blocks.pop_back();
    }
    if (!starts || !begins(word)) {
      starts = before_statement(word);
      continue;
    }
    auto const from = tokens[i].offset;
    while (i < tokens.size() && tokens[i].in(body) != ";") {
      ++i;
    }
    auto const to = i < tokens.size() ? tokens[i].offset : body.size();
    record(r, body.substr(from, to - from));
    starts = true;
  }
  r.leave();
}

}  // namespace runbookd::planner
