// Plan files on disk, with the SQL files beside them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

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
void tell_findings(Session& session, planner::Findings const& findings);
// The plan in the daemon's document of it.
std::optional<planner::Plan> plan_in(Json const& document);
bool looks_like_digest(std::string_view text);
// A file, or the digest of a stored plan; one with errors is a failure that names the first.
Maybe<planner::Plan> load_any_plan(Session& session, std::string const& plan,
                                   std::string const& what);
// With the SQL files beside it. `target`: of the request.
Maybe<Answer> send_plan(Session& session, PlanFile const& plan, std::string const& target,
                        std::string const& what);
Maybe<Answer> upload_plan(Session& session, std::string const& file);

}  // namespace runbookd::ctl
