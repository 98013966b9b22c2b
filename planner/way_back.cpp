#include "planner/way_back.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "planner/inverse.h"
#include "planner/keeps_values.h"
#include "planner/sql_undo.h"
#include "planner/words.h"

namespace runbookd::planner {

struct ReadStatement {
  Statement statement;
  pg::Tree tree;
  std::vector<Change> changes;
};

namespace {

using Kind = Thing::Kind;
using Does = Change::Does;

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

// Of the thing that the question is about, or of what it is part of.
bool is_about(Question const& question, Thing const& thing) {
  switch (thing.kind) {
    case Kind::function:
      return question.object == thing.name;
    case Kind::index:
      return question.object == to_sql({thing.table.schema, thing.name});
    case Kind::table:
    case Kind::view:
    case Kind::sequence:
    case Kind::type:
    case Kind::other:
      return question.object == to_sql(thing.table);
    case Kind::column:
    case Kind::constraint:
    case Kind::trigger:
    case Kind::policy:
      return question.object == to_sql(thing.table) && question.part == thing.name;
    case Kind::not_null:
    case Kind::validation:
    case Kind::column_default:
    case Kind::column_type:
    case Kind::table_name:
    case Kind::column_name:
    case Kind::setting:
      return false;
  }
  __builtin_unreachable();
}

ReadStatements const nothing_earlier;

class Derivation {
 public:
  // By the text alone: what it does not tell is asked later.
  Derivation(std::vector<Statement> const& step, ReadStatements const& earlier)
      : reads_(earlier), own_(earlier.size()) {
    std::ranges::move(read_statements(step), std::back_inserter(reads_));
  }
  // With what the catalog said.
  Derivation(std::vector<Statement> const& step, std::vector<Definition> const& told)
      : Derivation(step, nothing_earlier) {
    told_ = &told;
  }

  CatalogQuestions questions() && {
    walk();
    return {.settings = joined(settings_, ";\n"), .questions = std::move(questions_)};
  }

  DerivedWayBack result() && {
    walk();
    DerivedWayBack derived{.sql = "",
                           .nothing = nothing_,
                           .refused = std::move(refused_),
                           .needs_catalog = told_ == nullptr && !questions_.empty()};
    if (!back_.empty()) {
      std::ranges::reverse(back_);
      back_.insert(back_.begin(), settings_.begin(), settings_.end());
      auto const mark = told_ == nullptr ? derived_mark : derived_from_catalog_mark;
      derived.sql = std::string(mark) + "\n" + joined(back_, ";\n");
      derived.nothing.clear();
    }
    return derived;
  }

 private:
  void walk() {
    for (auto i = own_; i < reads_.size(); ++i) {
      if (auto const node = node_of(i); node.is("VariableSetStmt")) {
        add_setting(i, node);
      } else {
        add(i);
      }
    }
  }

  pg::Node node_of(std::size_t i) const {
    auto const& statements = reads_[i]->tree.statements;
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
      settings_.push_back(reads_[i]->statement.sql.text);
    } else {
      refuse(i, {.why = "it changes which objects the statements around it mean",
                 .instead = "put it before the step's other statements"});
    }
  }

  void add(std::size_t i) {
    for (auto const& change : reads_[i]->changes) {
      if (auto const* sql = std::get_if<std::string>(&change.back)) {
        back_.push_back(*sql);
      } else if (auto const* nothing = std::get_if<NothingBack>(&change.back)) {
        note(nothing->why);
      } else if (auto made = from_the_plan(i, change)) {
        back_.push_back(std::move(*made));
      } else if (auto const* asked = std::get_if<FromCatalog>(&change.back)) {
        ask(i, change, *asked);
      } else {
        refuse(i, std::get<NoWayBack>(change.back));
      }
    }
  }

  // What stands before the statement in its own step is not in the catalog yet.
  void ask(std::size_t i, Change const& change, FromCatalog const& asked) {
    for (auto k = i; k-- > own_;) {
      for (auto const& before : reads_[k]->changes) {
        if (renames(before, change.thing)) {
          return refuse(i, {.why = "a statement before it in the step renames what it is about",
                            .instead = "make two steps of it"});
        }
        if (before.does != Does::makes || !is_about(asked.question, before.thing)) {
          continue;
        }
        if (change.does != Does::removes) {
          return note("it goes with what the step makes");
        }
        return refuse(i, {.why = "the step itself makes it, together with other things",
                          .instead = "leave both out, or make two steps of it"});
      }
    }
    questions_.push_back(asked.question);
    if (told_ != nullptr && questions_.size() <= told_->size()) {
      take(i, asked, (*told_)[questions_.size() - 1]);
    }
  }

  void take(std::size_t i, FromCatalog const& asked, Definition const& told) {
    auto const& part = asked.question.part;
    auto const name = (part.empty() ? "" : part + " of ") + asked.question.object;
    if (!told.found && !asked.if_absent) {
      return refuse(i, {.why = name + " is not there just before the step", .instead = ""});
    }
    if (!told.refused.empty()) {
      return refuse(i, {.why = told.refused, .instead = ""});
    }
    if (!told.was.empty() && !keeps_every_value(told.was, asked.question.detail)) {
      return refuse(i, {.why = "from " + told.was + " to " + asked.question.detail +
                               " values may be lost, and no inverse brings them back",
                        .instead = ""});
    }
    if (told.found ? told.sql.empty() : asked.if_absent->empty()) {
      return note(told.found ? name + " is as the statement leaves it" : name + " was not there");
    }
    back_.push_back(told.found ? joined(told.sql, ";\n") : *asked.if_absent);
  }

  void note(std::string const& why) {
    if (nothing_.find(why) == std::string::npos) {
      nothing_ += (nothing_.empty() ? "" : "; ") + why;
    }
  }
  void refuse(std::size_t i, NoWayBack const& why) {
    refused_.push_back({reads_[i]->statement, why.why, why.instead});
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
      for (auto const& before : reads_[k]->changes) {
        validated |= before.thing.kind == Kind::validation && thing.kind == Kind::constraint &&
                     same({Kind::constraint, before.thing.table, before.thing.name}, thing);
        if (renames(before, thing)) {
          return std::nullopt;
        }
        if (same(before.thing, thing)) {
          bool const alone = reads_[k]->changes.size() == 1;
          return alone ? again(reads_[k]->statement, before, i, change, validated) : std::nullopt;
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
        return index_again(statement, reads_[i]->statement);
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

  ReadStatements reads_;  // of the plan before, then of the step
  std::size_t own_ = 0;
  std::vector<Definition> const* told_ = nullptr;
  std::vector<Question> questions_;
  std::vector<std::string> settings_, back_;
  std::string nothing_;
  std::vector<NotInvertible> refused_;
};

}  // namespace

bool is_derived(SqlAction const& action) {
  return action.source.text.starts_with(derived_mark) ||
         action.source.text.starts_with(derived_from_catalog_mark);
}

ReadStatements read_statements(std::vector<Statement> const& statements) {
  ReadStatements reads;
  for (auto const& statement : statements) {
    auto tree = pg::parse(statement.sql.text);
    auto changes =
        changes_of(tree.statements.size() == 1 ? tree.statements.front().node : pg::Node());
    reads.push_back(std::make_shared<ReadStatement const>(
        ReadStatement{statement, std::move(tree), std::move(changes)}));
  }
  return reads;
}

DerivedWayBack derive_way_back(std::vector<Statement> const& step, ReadStatements const& earlier) {
  return Derivation(step, earlier).result();
}

CatalogQuestions catalog_questions(std::vector<Statement> const& step) {
  return Derivation(step, nothing_earlier).questions();
}

DerivedWayBack derive_way_back(std::vector<Statement> const& step,
                               std::vector<Definition> const& told) {
  return Derivation(step, told).result();
}

}  // namespace runbookd::planner
