// Statements one after the other, judged in their place. Private to planner/lint.
#pragma once

#include <string>
#include <vector>

#include "planner/lint/site.h"

namespace runbookd::planner::lint_rules {

// A foreign key that was added; whether an index stands behind it is seen at the end.
struct NewKey {
  RelationName table;
  std::vector<std::string> columns;
  Place place;
  std::string step;
};

struct Walk {
  LintOptions const& options;
  Known known;
  Findings findings;
  std::vector<NewKey> keys;
};

// Where a statement stands, beside what is known from those before it.
struct Standing {
  Where where = Where::sql_file;
  std::optional<PhaseKind> phase = {};
  std::string step = {};
  bool alone = false;    // in its transaction, or in its step
  std::size_t base = 0;  // where its text begins in what was parsed
};
void judge_statement(Walk& walk, Statement const& statement, pg::Node node, Effects const& effects,
                     Catalog const& before, Standing const& standing);
void judge_keys(Walk& walk, Catalog const& after);

Finding finding_of(LintRule const& rule, Place place, std::string message = "",
                   std::string fix = "", std::string step = "");
// The word of a person for each finding that it names; a word that names none is a finding.
Findings acknowledge(Findings findings, std::vector<Acknowledgement> const& words, Place place);
std::span<LintRule const> script_rules();
std::span<LintRule const> check_rules();
std::span<LintRule const> plan_rules();

}  // namespace runbookd::planner::lint_rules
