#include "planner/sql_script.h"

#include <algorithm>
#include <array>
#include <optional>

#include "planner/pg_tree.h"
#include "planner/sql_kind.h"
#include "planner/sql_syntax.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

std::vector<Comment> comments_in(std::string_view token, int line) {
  std::vector<Comment> found;
  if (token.starts_with("--")) {
    token.remove_prefix(2);
  } else if (token.starts_with("/*") && token.size() >= 4) {
    token = token.substr(2, token.size() - 4);
  }
  for (std::size_t start = 0; start <= token.size();) {
    auto const end = std::min(token.find('\n', start), token.size());
    if (auto text = trimmed(token.substr(start, end - start)); !text.empty()) {
      found.push_back({.text = std::move(text), .line = line});
    }
    ++line;
    start = end + 1;
  }
  return found;
}

// psql reads a line that begins with a backslash itself; the server would never see it. Blanks
// take its place, so that the rest stays where it was.
Findings blank_psql_lines(SqlText& script) {
  Findings found;
  for (std::size_t start = 0; start < script.text.size();) {
    auto const end = std::min(script.text.find('\n', start), script.text.size());
    auto const first = script.text.find_first_not_of(" \t", start);
    if (first < end && script.text[first] == '\\') {
      auto const words = script.text.substr(first, end - first);
      auto finding = pg::problem(
          script, first, "import/psql-command",
          "`" + words + "` is a command of psql, and the server does not know it; it was left out",
          "write the SQL that it stands for: SELECT from pg_catalog for \\d, the file's own "
          "statements for \\i, an INSERT for \\copy");
      finding.severity = Severity::warning;
      found.push_back(std::move(finding));
      std::fill(script.text.begin() + static_cast<std::ptrdiff_t>(first),
                script.text.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    }
    start = end + 1;
  }
  return found;
}

class Splitter {
 public:
  explicit Splitter(SqlText const& script) : script_(script), tokens_(pg::scan(script.text)) {}

  std::vector<Passage> passages() && {
    if (tokens_.empty() &&
        !trimmed(script_.text).empty()) {  // an open quotation: told by the parser
      return {Passage{.sql = script_}};
    }
    for (auto const& token : tokens_) {
      take(token);
    }
    end_statement();
    if (!waiting_.empty()) {
      found_.push_back({.before = std::move(waiting_)});
    }
    return std::move(found_);
  }

 private:
  int line_of(std::size_t offset) const { return script_.at(offset).line; }

  void take(pg::Token const& token) {
    if (token.comment) {
      take_comment(token);
    } else if (token.in(script_.text) == ";" && !in_atomic_body_) {
      end_statement();
      last_line_ = line_of(token.offset);
    } else {
      begin_ = begin_.value_or(token.offset);
      end_ = token.offset + token.length;
      in_atomic_body_ = (in_atomic_body_ || pg::same_word(token.in(script_.text), "ATOMIC")) &&
                        !pg::same_word(token.in(script_.text), "END");
    }
  }

  void take_comment(pg::Token const& token) {
    auto const text = token.in(script_.text);
    int const line = line_of(token.offset);
    auto comments = comments_in(text, line);
    if (begin_) {  // in the middle of a statement: it belongs to its text
      return;
    }
    bool const near = !found_.empty() && waiting_.empty() && last_line_ > 0 &&
                      (line == last_line_ || line == last_line_ + 1);
    bool const about_result = near && !comments.empty() &&
                              (line == last_line_ || tells_a_result(comments.front().text) ||
                               followed_by_gap(token) || !found_.back().after.empty());
    if (about_result && !found_.back().sql.text.empty()) {
      auto& after = found_.back().after;
      after.insert(after.end(), comments.begin(), comments.end());
      last_line_ = line_of(token.offset + token.length);
      return;
    }
    waiting_.insert(waiting_.end(), comments.begin(), comments.end());
  }

  // An empty line, or the end, comes after the comment and its neighbours.
  bool followed_by_gap(pg::Token const& token) const {
    auto at = token.offset + token.length;
    auto const& text = script_.text;
    while (at < text.size() && text[at] != '\n') {
      ++at;
    }
    auto const next = text.find_first_not_of(" \t", at + 1);
    return at >= text.size() || next == std::string::npos || text[next] == '\n';
  }

  void end_statement() {
    if (!begin_) {
      return;
    }
    Passage passage{.sql = pg::slice(script_, *begin_, end_), .before = std::move(waiting_)};
    waiting_.clear();
    begin_.reset();
    in_atomic_body_ = false;
    found_.push_back(std::move(passage));
  }

  SqlText const& script_;
  std::vector<pg::Token> tokens_;
  std::vector<Passage> found_;
  std::vector<Comment> waiting_;
  std::optional<std::size_t> begin_;
  std::size_t end_ = 0;
  int last_line_ = 0;
  bool in_atomic_body_ = false;
};

enum class Control { none, begin, commit, rollback, other };

Control control_of(std::string const& sql) {
  auto const tree = pg::parse(sql);
  if (!tree.ok() || tree.statements.size() != 1 ||
      !pg::transaction_control(tree.statements.front().node)) {
    return Control::none;
  }
  auto const kind = tree.statements.front().node.text("kind");
  return kind == "TRANS_STMT_BEGIN" || kind == "TRANS_STMT_START" ? Control::begin
         : kind == "TRANS_STMT_COMMIT"                            ? Control::commit
         : kind == "TRANS_STMT_ROLLBACK"                          ? Control::rollback
                                                                  : Control::other;
}

void append(std::vector<Comment>& to, std::vector<Comment> const& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// Takes BEGIN, COMMIT and the like out; what stood between them knows it.
std::vector<Passage> without_control(std::vector<Passage> passages) {
  std::vector<Passage> kept;
  std::optional<Place> began;
  std::size_t first_inside = 0;
  std::vector<Comment> carried;
  for (Passage& passage : passages) {
    auto const control = passage.sql.text.empty() ? Control::none : control_of(passage.sql.text);
    if (control == Control::none) {
      passage.before.insert(passage.before.begin(), carried.begin(), carried.end());
      carried.clear();
      passage.in_transaction = began.has_value();
      passage.began = began.value_or(Place{});
      kept.push_back(std::move(passage));
      continue;
    }
    append(carried, passage.before);
    if (control == Control::begin) {
      began = passage.sql.place;
      first_inside = kept.size();
    } else if (began && control != Control::other) {
      for (auto i = first_inside; i < kept.size(); ++i) {
        kept[i].taken_back = control == Control::rollback;
      }
      began.reset();
    }
  }
  if (!carried.empty()) {
    kept.push_back({.before = std::move(carried)});
  }
  return kept;
}

}  // namespace

bool tells_a_result(std::string_view comment) {
  constexpr std::array words{"expect", "should", "must", "returns", "result",
                             "->",     "=>",     "→",    "output",  "want"};
  auto const start = lower(comment.substr(0, 40));
  return std::ranges::any_of(words, [&](std::string_view word) { return start.starts_with(word); });
}

Script read_script(SqlText const& text) {
  SqlText script = text;
  Script read;
  read.findings = blank_psql_lines(script);
  read.passages = without_control(Splitter(script).passages());
  return read;
}

}  // namespace runbookd::planner
