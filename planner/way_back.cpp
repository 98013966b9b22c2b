#include "planner/way_back.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "planner/inverse.h"
#include "planner/sql_undo.h"
#include "planner/variables.h"
#include "planner/words.h"
#include "planner/yaml_text.h"

namespace runbookd::planner {
namespace {

using Kind = Thing::Kind;
using Does = Change::Does;

struct Read {
  Statement const* statement;
  pg::Tree tree;
  std::vector<Change> changes;
};

Read read(Statement const& statement) {
  auto tree = pg::parse(statement.sql.text);
  auto const node = tree.statements.size() == 1 ? tree.statements.front().node : pg::Node();
  auto changes = changes_of(node);
  return {&statement, std::move(tree), std::move(changes)};
}

// A setting decides which objects the statements after it mean, and as whom they run.
bool decides_meaning(pg::Node set) {
  auto const name = set.text("name");
  return name == "search_path" || name == "role" || name == "session_authorization" ||
         set.text("kind") == "VAR_RESET_ALL";
}

std::string without_words(std::string const& sql, std::vector<std::string_view> const& gone) {
  auto const tokens = pg::scan(sql);
  for (std::size_t i = 0; i + gone.size() <= tokens.size(); ++i) {
    std::size_t found = 0;
    while (found < gone.size() && pg::same_word(tokens[i + found].in(sql), gone[found])) {
      ++found;
    }
    if (found == gone.size()) {
      auto const& last = tokens[i + found - 1];
      auto const end = last.offset + last.length;
      bool const blank = end < sql.size() && sql[end] == ' ';
      return trimmed(sql.substr(0, tokens[i].offset) + sql.substr(end + (blank ? 1 : 0)));
    }
  }
  return sql;
}

bool renames(Change const& change, Thing const& thing) {
  bool const name = change.thing.kind == Kind::table_name || change.thing.kind == Kind::column_name;
  return name && same({Kind::table, change.thing.table, ""}, {Kind::table, thing.table, ""});
}

class Derivation {
 public:
  Derivation(std::vector<Statement> const& step, std::vector<Statement> const& earlier) {
    std::ranges::transform(earlier, std::back_inserter(reads_), read);
    own_ = reads_.size();
    std::ranges::transform(step, std::back_inserter(reads_), read);
  }

  DerivedWayBack result() && {
    for (auto i = own_; i < reads_.size(); ++i) {
      if (auto const node = node_of(i); node.is("VariableSetStmt")) {
        add_setting(i, node);
      } else {
        add(i);
      }
    }
    DerivedWayBack derived{.nothing = nothing_, .refused = std::move(refused_)};
    if (!back_.empty()) {
      std::ranges::reverse(back_);
      back_.insert(back_.begin(), settings_.begin(), settings_.end());
      derived.sql = std::string(derived_mark) + "\n" + joined(back_, ";\n");
      derived.nothing.clear();
    }
    return derived;
  }

 private:
  pg::Node node_of(std::size_t i) const {
    auto const& statements = reads_[i].tree.statements;
    return statements.size() == 1 ? statements.front().node : pg::Node();
  }

  void add_setting(std::size_t i, pg::Node node) {
    if (!decides_meaning(node)) {
      return note("a setting goes with its transaction or session");
    }
    bool first = true;
    for (auto k = own_; k < i; ++k) {
      first = first && node_of(k).is("VariableSetStmt");
    }
    if (first) {
      settings_.push_back(reads_[i].statement->sql.text);
    } else {
      refuse(i, {.why = "it changes which objects the statements around it mean",
                 .instead = "put it before the step's other statements"});
    }
  }

  void add(std::size_t i) {
    for (auto const& change : reads_[i].changes) {
      if (auto const* sql = std::get_if<std::string>(&change.back)) {
        back_.push_back(*sql);
      } else if (auto const* nothing = std::get_if<NothingBack>(&change.back)) {
        note(nothing->why);
      } else if (auto made = from_the_plan(i, change)) {
        back_.push_back(std::move(*made));
      } else if (change.thing.kind == Kind::validation && reads_.size() - own_ == 1 &&
                 reads_[i].changes.size() == 1) {
        note("a constraint that was found to hold needs no undoing");
      } else {
        refuse(i, std::get<NoWayBack>(change.back));
      }
    }
  }

  void note(std::string const& why) { nothing_ += (nothing_.empty() ? "" : "; ") + why; }
  void refuse(std::size_t i, NoWayBack const& why) {
    refused_.push_back({*reads_[i].statement, why.why, why.instead});
  }

  // What the plan itself had made, or set, before.
  std::optional<std::string> from_the_plan(std::size_t i, Change const& change) const {
    auto thing = change.thing;
    bool const validation = thing.kind == Kind::validation;
    bool const removed = change.does == Does::removes;
    if (!validation && !removed && thing.kind != Kind::column_default) {
      return std::nullopt;
    }
    if (node_of(i).flag("missing_ok") || node_of(i).text("behavior") == "DROP_CASCADE" ||
        drops_unsafely(i)) {
      return std::nullopt;
    }
    thing.kind = validation ? Kind::constraint : thing.kind;
    bool validated = false;
    for (auto k = i; k-- > 0;) {
      for (auto const& before : reads_[k].changes) {
        validated |= before.thing.kind == Kind::validation && thing.kind == Kind::constraint &&
                     same({Kind::constraint, before.thing.table, before.thing.name}, thing);
        if (renames(before, thing)) {
          return std::nullopt;
        }
        if (same(before.thing, thing)) {
          bool const alone = reads_[k].changes.size() == 1;
          return alone ? again(*reads_[k].statement, before, i, change, validated) : std::nullopt;
        }
      }
    }
    return std::nullopt;
  }

  // ALTER TABLE … DROP CONSTRAINT IF EXISTS, or … CASCADE: it stands in the command.
  bool drops_unsafely(std::size_t i) const {
    return std::ranges::any_of(node_of(i).list("cmds"), [](pg::Node command) {
      return command.flag("missing_ok") || command.text("behavior") == "DROP_CASCADE";
    });
  }

  std::optional<std::string> again(Statement const& statement, Change const& before, std::size_t i,
                                   Change const& change, bool validated) const {
    auto const& sql = statement.sql.text;
    if (change.thing.kind == Kind::column_default) {
      return sql;  // SET DEFAULT or DROP DEFAULT, as the plan had it last
    }
    if (before.does != Does::makes) {
      return std::nullopt;
    }
    switch (change.thing.kind) {
      case Kind::constraint:
        return validated ? without_words(sql, {"NOT", "VALID"}) : sql;
      case Kind::validation:
        return is_not_valid(statement) && !validated ? made_anew(statement, change.thing)
                                                     : std::nullopt;
      case Kind::index:
        return index_again(statement, *reads_[i].statement);
      case Kind::view:
      case Kind::trigger:
      case Kind::policy:
      case Kind::function:
      case Kind::type:
        return sql;
      case Kind::table:
      case Kind::column:
      case Kind::sequence:
      case Kind::not_null:
      case Kind::column_default:
      case Kind::column_type:
      case Kind::table_name:
      case Kind::column_name:
      case Kind::setting:
      case Kind::other:
        return std::nullopt;
    }
    __builtin_unreachable();
  }

  static std::optional<std::string> made_anew(Statement const& added, Thing const& thing) {
    auto const clause = constraint_clause(added);
    return clause.empty()
               ? std::nullopt
               : std::optional("ALTER TABLE " + to_sql(thing.table) + " DROP CONSTRAINT " +
                               quoted_identifier(thing.name) + ", " + clause);
  }

  // An index is built as it is dropped: a concurrent build stands alone.
  static std::optional<std::string> index_again(Statement const& made, Statement const& drop) {
    if (drop.transactional) {
      return without_words(made.sql.text, {"CONCURRENTLY"});
    }
    return made.transactional ? std::nullopt : std::optional(made.sql.text);
  }

  std::vector<Read> reads_;  // of the plan before, then of the step
  std::size_t own_ = 0;
  std::vector<std::string> settings_, back_;
  std::string nothing_;
  std::vector<NotInvertible> refused_;
};

}  // namespace

bool is_derived(SqlAction const& action) { return action.source.text.starts_with(derived_mark); }

DerivedWayBack derive_way_back(std::vector<Statement> const& step,
                               std::vector<Statement> const& earlier) {
  return Derivation(step, earlier).result();
}

namespace {

std::string line_of(std::string const& text, int line) {
  std::size_t start = 0;
  for (int i = 1; i < line && start != std::string::npos; ++i) {
    start = text.find('\n', start);
    start += start == std::string::npos ? 0 : 1;
  }
  return start == std::string::npos ? "" : text.substr(start, text.find('\n', start) - start);
}

// A block where the key stands alone on its line, else a text in quotation marks.
std::string yaml_value(std::string const& sql, std::string const& line) {
  auto const indent = line.find_first_not_of(' ');
  if (indent == std::string::npos || trimmed(line) != "rollback: auto") {
    return yaml_line(Draft(sql));
  }
  auto const margin = "\n" + std::string(indent + 2, ' ');
  auto block = "|-" + margin;
  for (char const c : sql) {
    block += c == '\n' ? margin : std::string(1, c);
  }
  return block;
}

}  // namespace

Findings spelled_out(Plan const& plan, std::string const& text) {
  Findings findings;
  for (auto const& phase : plan.phases) {
    for (auto const& step : phase.steps) {
      auto const* sql = std::get_if<SqlAction>(&step.backward);
      if (sql == nullptr || !is_derived(*sql) || line_of(text, sql->source.place.line).empty()) {
        continue;
      }
      auto const now = yaml_value(escape(sql->source.text), line_of(text, sql->source.place.line));
      findings.push_back({.rule = "plan/derived",
                          .place = sql->source.place,
                          .message = "the rollback is derived",
                          .step = phase.name + "/" + step.name,
                          .edits = {{.at = sql->source.place, .was = "auto", .now = now}}});
    }
  }
  return findings;
}

}  // namespace runbookd::planner
