// Plan files on disk, with the SQL files beside them.
#pragma once

#include <map>
#include <string>

#include "planner/effects.h"
#include "planner/plan_reader.h"
#include "web/ctl/session.h"

namespace runbookd::ctl {

struct PlanFile {
  std::string name;  // as given, for places in findings
  std::string text;
  std::map<std::string, std::string> files;  // what `sql_file:` named
  planner::ReadPlan read;
};

// "-" is standard input.
Maybe<std::string> load_text(Session& session, std::string const& file);
// Where that is standard input there are no files beside it.
Maybe<PlanFile> load_plan(Session& session, std::string const& file);
// A schema dump: its catalog, and its statements as they stand; without a file nothing is known. What could not be read is told.
Maybe<planner::Explanation> load_schema(Session& session, std::string const& file);
void tell_findings(Session& session, planner::Findings const& findings);
Maybe<Answer> upload_plan(Session& session, std::string const& file);

}  // namespace runbookd::ctl
