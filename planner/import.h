// A plan written as Markdown, such as a migration plan that people carried out by hand, as a plan
// file: the SQL with its defects found at their lines and put right, the checks with what their
// comments say they give, the way back of each step, the checklist as manual steps. What had to be
// guessed is a comment in the file. Pure.
#pragma once

#include <string>
#include <string_view>

#include "planner/diagnostic.h"
#include "planner/effects.h"

namespace runbookd::planner {

struct ImportedPlan {
  std::string yaml;   // a plan file; empty when the text holds no phase at all
  Findings findings;  // at lines of the Markdown; sorted
};

// The schema (see `explain`) tells what the text does not: a dropped column's type, an index's
// definition. It may be empty.
ImportedPlan import_markdown(std::string_view text, std::string const& file,
                             Explanation const& schema = {}, int server_major = 18);

}  // namespace runbookd::planner
