// Findings of lint as people, programs, code scanners and pull requests want them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/lint.h"
#include "web/ctl/perform.h"
#include "web/ctl/session.h"

namespace runbookd::ctl {

// `name` is what was judged; `report` is "", "sarif" or "github".
void put_findings(Session& session, std::string const& name, planner::Findings const& findings,
                  std::string const& report);
void sort_by_place(planner::Findings& findings);

std::string sarif(planner::Findings const& findings);
std::string github_line(planner::Finding const& finding);

// "17" or "14.2"; the schema may be empty.
Maybe<planner::LintOptions> lint_options(Session& session, LintChoices const& choices);

// Makes the edits of the findings in the files that they are in; what was done is told.
Maybe<int> mend_files(Session& session, planner::Findings const& findings);

// The same for a command with --fix, which then tells what is found after them. Nothing: no edit.
template <typename Command>
std::optional<Exit> fixed(Session& session, Command command, planner::Findings const& findings) {
  auto const edits = mend_files(session, findings);
  if (!edits) {
    return report(session, edits.error());
  }
  if (*edits == 0) {
    return std::nullopt;
  }
  command.fix = false;
  return perform(session, command);
}

}  // namespace runbookd::ctl
