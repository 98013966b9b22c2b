// `rollback: auto`: the way back of a step, derived from the text of its own statements, from the
// statements of the plan that had made what it removes and, where neither tells, from the target's
// catalog. Pure: whoever asks the catalog brings the answers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "planner/inverse.h"
#include "planner/plan.h"

namespace runbookd::planner {

// A derived rollback says so itself: it is SQL like any other from then on.
inline constexpr std::string_view derived_mark =
    "-- derived by runbookd from the step's own SQL (rollback: auto)";
inline constexpr std::string_view derived_from_catalog_mark =
    "-- derived by runbookd from the target's catalog (rollback: auto)";
bool is_derived(SqlAction const& action);

struct NotInvertible {
  Statement statement;
  std::string why;
  std::string instead;
};
struct DerivedWayBack {
  std::string sql;      // in reverse, with the mark; empty = nothing is left to undo …
  std::string nothing;  // … for this reason
  std::vector<NotInvertible> refused;
  bool needs_catalog = false;  // only what is in the target just before the step tells
};
// Statements as they are needed here: to read one takes longer than all that is done with it.
struct ReadStatement;
using ReadStatements = std::vector<std::shared_ptr<ReadStatement const>>;
ReadStatements read_statements(std::vector<Statement> const& statements);

// `earlier`: the statements of the steps before, in the plan's order.
DerivedWayBack derive_way_back(std::vector<Statement> const& step, ReadStatements const& earlier);

// What has to be asked of the catalog before the step runs.
struct CatalogQuestions {
  std::string settings;  // to be run first, since they decide what names mean; may be empty
  std::vector<Question> questions;
};
CatalogQuestions catalog_questions(std::vector<Statement> const& step);
// What the catalog said.
struct Definition {
  bool found = false;
  std::vector<std::string> sql;  // that brings it back; empty = it will be as it is
  std::string was;               // the former type of a column
  std::string refused;           // why no SQL brings it back
};
// `told`: one for each question, in their order.
DerivedWayBack derive_way_back(std::vector<Statement> const& step,
                               std::vector<Definition> const& told);

// The SQL of a derived way back as it is recorded: also where nothing is left to undo.
std::string recorded_text(DerivedWayBack const& derived);
// The plan with what was recorded in the place of each AutoAction.
Plan with_ways_back(Plan plan, std::map<StepRef, std::string> const& recorded);
// What the catalog as it is before the first step can say already: refusals of an AutoAction's step
// that no earlier step of the plan may turn into something else.
std::vector<NotInvertible> hopeless(DerivedWayBack const& derived,
                                    std::vector<Statement> const& earlier);

// Edits that put the SQL of each derived rollback into the plan's file, whose text this is, in the
// place of `auto`. The file says the same afterwards.
Findings spelled_out(Plan const& plan, std::string const& text);

}  // namespace runbookd::planner
