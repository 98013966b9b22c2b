// Statements that undo an earlier step of the document. Below a heading that nobody knows as a way
// back they would become steps: the plan would undo itself, and end well.
#include <algorithm>
#include <array>

#include "planner/import_ways_back.h"
#include "planner/pg_tree.h"
#include "planner/sql.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::import {
namespace {

using Kind = Thing::Kind;

struct Spot {
  PhaseText const* phase = nullptr;
  Code const* code = nullptr;
};
struct Done {
  Deed deed;
  Spot spot;
};

// What a plan makes for its own time and takes away in a later phase.
bool is_help(Deed const& deed) {
  constexpr std::array helpers{Kind::constraint, Kind::trigger,       Kind::function,
                               Kind::view,       Kind::index,         Kind::policy,
                               Kind::sequence,   Kind::column_default};
  return std::ranges::all_of(deed.changes, [&](Change const& change) {
    return std::ranges::find(helpers, change.thing.kind) != helpers.end();
  });
}

// "Contract", "Clean up", "Drop the temporary index": to take away is what the words say.
bool says_taking_away(std::string const& text) {
  auto const low = lower(text);
  return mentions(low, "contract", "clean up", "cleanup", "clean-up", "tidy", "retire",
                  "decommission", "obsolete", "temporary", "temp ", "helper", "no longer", "old ",
                  "legacy");
}

// A check that proves NOT NULL goes when it has done so.
bool was_proof(std::vector<Done> const& done, std::size_t since) {
  return std::any_of(done.begin() + static_cast<std::ptrdiff_t>(since), done.end(),
                     [](Done const& one) {
                       return std::ranges::any_of(one.deed.changes, [](Change const& change) {
                         return change.thing.kind == Kind::not_null;
                       });
                     });
}

bool is_meant(Done const& now, std::vector<Done> const& done, std::size_t earlier) {
  auto const& before = done[earlier];
  if (says_taking_away(now.spot.phase->title) || says_taking_away(now.spot.code->label)) {
    return true;
  }
  bool const helps = is_help(now.deed);
  bool const scratch = helps || std::ranges::all_of(now.deed.changes, [](Change const& change) {
                         return change.thing.kind == Kind::table;
                       });
  if (now.spot.code == before.spot.code) {
    return scratch;
  }
  if (now.spot.phase == before.spot.phase) {
    return helps && was_proof(done, earlier);
  }
  return helps && (now.spot.phase->counted || now.spot.phase->kind != PhaseKind::other);
}

// UPDATE t SET c = NULL, DELETE FROM t, TRUNCATE t: of what an earlier step has made.
bool empties(pg::Node node, Deed const& earlier) {
  auto const made = [&](Kind kind, RelationName const& table, std::string const& name) {
    Thing const wanted{kind, table, name};
    return std::ranges::any_of(earlier.changes, [&](Change const& change) {
      return change.does == Change::Does::makes && same(change.thing, wanted);
    });
  };
  if (node.is("UpdateStmt")) {
    return std::ranges::any_of(node.list("targetList"), [&](pg::Node target) {
      return target["val"].flag("isnull") &&
             made(Kind::column, pg::name_of(node["relation"]), target.text("name"));
    });
  }
  if (node.is("DeleteStmt") && !node["whereClause"]) {
    return made(Kind::table, pg::name_of(node["relation"]), "");
  }
  return node.is("TruncateStmt") && std::ranges::any_of(node.list("relations"), [&](pg::Node one) {
           return made(Kind::table, pg::name_of(one), "");
         });
}

void judge(Report& report, Done const& now, std::vector<Done> const& done) {
  auto const tree = pg::parse(now.deed.statement.sql.text);
  auto const node = tree.statements.size() == 1 ? tree.statements.front().node : pg::Node();
  for (std::size_t i = done.size(); i-- > 0;) {
    auto const& before = done[i];
    if (!(undoes(now.deed, before.deed) || empties(node, before.deed)) || is_meant(now, done, i)) {
      continue;
    }
    auto const& heading =
        now.spot.code->label.empty() ? now.spot.phase->title : now.spot.code->label;
    report.say(Severity::error, now.deed.statement.sql.place, "import/undoes-a-step",
               now.deed.statement.kind + " below \"" + heading + "\" undoes the " +
                   before.deed.statement.kind + " of line " +
                   std::to_string(before.deed.statement.sql.place.line) +
                   ", and nothing says whether it is a step or the way back",
               "a way back: put it below a heading or label \"Rollback\"; a step: below a heading "
               "that says so, such as \"Phase 3 — Contract\"");
    return;
  }
}

}  // namespace

void judge_undone(Report& report, std::vector<PhaseText> const& phases) {
  std::vector<Done> done;
  for (PhaseText const& phase : phases) {
    for (Code const& code : phase.code) {
      if (code.role != Role::forward || phase.is_exact()) {
        continue;
      }
      for (auto const& passage : read_script(code.sql).passages) {
        for (auto& statement : read_sql(passage.sql).statements) {
          Done now{.deed = Deed(std::move(statement)), .spot = {&phase, &code}};
          judge(report, now, done);
          done.push_back(std::move(now));
        }
      }
    }
  }
}

}  // namespace runbookd::planner::import
