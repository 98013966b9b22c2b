#include "planner/import_ways_back.h"

#include <algorithm>

#include "planner/pg_tree.h"
#include "planner/sql.h"

namespace runbookd::planner::import {
namespace {

using Does = Change::Does;

std::vector<Change> changes_in(Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  return tree.statements.size() == 1 ? changes_of(tree.statements.front().node)
                                     : std::vector<Change>{};
}

bool is_told(Thing const& thing) { return !thing.table.empty() || !thing.name.empty(); }

// As words, without those that change nothing of what is meant.
std::string meaning(std::string const& sql) {
  std::string text;
  for (auto const& token : pg::scan(sql)) {
    auto const word = lower(token.in(sql));
    if (!token.comment && word != "column" && word != "if" && word != "exists" && word != ";") {
      text += word + " ";
    }
  }
  return text;
}

std::vector<std::string> inverses_of(std::vector<Change> const& changes) {
  std::vector<std::string> all;
  for (auto const& change : changes) {
    auto const* back = std::get_if<std::string>(&change.back);
    all.push_back(back == nullptr ? "" : meaning(*back));
  }
  return all;
}

bool takes_back(Change const& later, Change const& earlier) {
  return is_told(later.thing) && same(later.thing, earlier.thing) &&
         ((later.does == Does::removes && earlier.does == Does::makes) ||
          (later.does == Does::makes && earlier.does == Does::removes));
}

// Of two that alter the same, the text does not always tell whether one is the other's inverse; of
// names it does.
bool may_take_back(Change const& later, Change const& earlier) {
  bool const name =
      later.thing.kind == Thing::Kind::table_name || later.thing.kind == Thing::Kind::column_name;
  return takes_back(later, earlier) ||
         (!name && is_told(later.thing) && subject(later.thing) == subject(earlier.thing) &&
          later.does == earlier.does && later.does == Does::alters);
}

bool changes_nothing(Deed const& deed) {
  return std::ranges::all_of(deed.changes, [](Change const& change) {
    return std::holds_alternative<NothingBack>(change.back);
  });
}

}  // namespace

Deed::Deed(Statement one)
    : statement(std::move(one)),
      changes(changes_in(statement)),
      said(meaning(statement.sql.text)),
      inverses(inverses_of(changes)) {}

bool undoes(Deed const& later, Deed const& earlier) {
  bool const spelled = !later.said.empty() &&
                       std::ranges::find(earlier.inverses, later.said) != earlier.inverses.end();
  return spelled || std::ranges::any_of(earlier.changes, [&](Change const& done) {
           return std::ranges::any_of(
               later.changes, [&](Change const& change) { return takes_back(change, done); });
         });
}

WaysBack::WaysBack(Report& report, std::vector<BackText> const& texts) : report_(report) {
  for (BackText const& text : texts) {
    auto script = read_script(text.code.sql);
    report_.add(std::move(script.findings));
    for (auto const& passage : script.passages) {
      if (passage.sql.text.empty()) {
        continue;
      }
      for (auto& statement : statements_of(report_, passage)) {
        ways_.push_back({.deed = Deed(std::move(statement)), .text = &text});
      }
    }
  }
}

std::vector<WaysBack::Way*> WaysBack::candidates(Deed const& forward, PhaseText const& phase) {
  std::vector<Way*> found;
  for (bool const own : {true, false}) {
    for (Way& way : ways_) {
      bool const every = std::ranges::all_of(way.deed.changes, [&](Change const& change) {
        return std::ranges::any_of(forward.changes,
                                   [&](Change const& done) { return may_take_back(change, done); });
      });
      bool const fits = (every && !way.deed.changes.empty()) || undoes(way.deed, forward);
      if (!way.used && fits && (every || way.deed.changes.size() == 1) &&
          (way.text->phase_line == phase.line) == own) {
        found.push_back(&way);
      }
    }
  }
  return found;
}

std::optional<std::string> WaysBack::taking_back(Statement const& statement,
                                                 PhaseText const& phase) {
  Deed const forward(statement);
  auto const found = candidates(forward, phase);
  std::vector<Way*> taken;
  auto const is_covered = [&](std::size_t i) {
    return std::ranges::any_of(taken, [&](Way const* way) {
      return forward.inverses[i] == way->deed.said ||
             std::ranges::any_of(way->deed.changes, [&](Change const& change) {
               return may_take_back(change, forward.changes[i]);
             });
    });
  };
  auto const all_covered = [&] {
    for (std::size_t i = 0; i < forward.changes.size(); ++i) {
      if (!is_covered(i)) {
        return false;
      }
    }
    return true;
  };
  for (Way* way : found) {
    if (!all_covered()) {
      taken.push_back(way);
    }
  }
  bool const together =
      taken.size() < 2 ||
      std::ranges::all_of(taken, [](Way const* way) { return way->deed.statement.transactional; });
  if (taken.empty() || !together || !all_covered()) {
    return std::nullopt;
  }
  std::string sql;
  for (Way* way : taken) {
    way->used = true;
    sql += (sql.empty() ? "" : ";\n") + way->deed.statement.sql.text;
  }
  return sql;
}

bool WaysBack::knows(std::string const& wanted) const {
  return std::ranges::any_of(ways_, [&](Way const& way) {
    return !way.used && undo_of(way.deed.statement).subject == wanted;
  });
}

void WaysBack::tell_unused(Statements const& forward) {
  std::vector<Deed> deeds;
  for (auto const& statement : forward) {
    deeds.emplace_back(statement);
  }
  for (Way const& way : ways_) {
    // One way back of several steps, each of which has a derived one.
    bool const spread = std::ranges::any_of(deeds, [&](Deed const& deed) {
      return undoes(way.deed, deed) && !undo_of(deed.statement).sql.empty();
    });
    if (way.used || spread) {
      continue;
    }
    bool const makes = std::ranges::any_of(
        way.deed.changes, [](Change const& change) { return change.does == Does::makes; });
    auto const& place = way.deed.statement.sql.place;
    if ((way.text->sure && !makes) || changes_nothing(way.deed)) {
      report_.say(Severity::warning, place, "import/way-back-of-nothing",
                  way.deed.statement.kind +
                      " takes back none of the document's statements; it is not in the plan",
                  "put it behind the step that it undoes, as its `rollback:`");
      continue;
    }
    report_.say(Severity::error, place, "import/way-back-of-nothing",
                way.deed.statement.kind + " stands below \"" + way.text->heading +
                    "\", which was read as a way back, but it takes back none of the document's "
                    "statements",
                "if it is a step, put it below a heading such as \"Phase 3 — Contract\"; if it is "
                "a way back, say in the heading of what: \"Rollback of phase 2\"");
  }
}

}  // namespace runbookd::planner::import
