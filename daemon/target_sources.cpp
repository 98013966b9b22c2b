#include "daemon/target_sources.h"

#include <utility>

#include "daemon/target/dsn.h"

namespace runbookd::daemon {
namespace {

planner::Findings string_findings(config::TargetSource const& target, std::string const& dsn) {
  planner::Findings findings;
  auto const add = [&](std::string const& what, std::string fix) {
    findings.push_back({.rule = "config/dsn",
                        .severity = planner::Severity::error,
                        .place = target.dsn_place,
                        .message = "target \"" + target.name + "\": " + what,
                        .fix = std::move(fix)});
  };
  for (auto const& problem : dsn_problems(dsn)) {
    add(problem.what, problem.fix);
  }
  // the key of the settings comes after it and counts
  auto const passfile = target.passfile.empty() ? passfile_in(dsn) : std::nullopt;
  if (auto const problem = passfile ? config::passfile_problem(*passfile) : std::nullopt) {
    add("the connection string's passfile would not be used: " + *problem,
        "a file of the daemon's user alone (0600)");
  }
  return findings;
}

}  // namespace

planner::Findings target_findings(std::vector<config::TargetSource> const& targets,
                                  config::Environment const& environment) {
  planner::Findings findings;
  for (auto const& target : targets) {
    auto found = config::source_findings(target, environment);
    if (auto const dsn = config::written_connection_string(target, environment)) {
      auto const more = string_findings(target, dsn->reveal());
      found.insert(found.end(), more.begin(), more.end());
    }
    findings.insert(findings.end(), found.begin(), found.end());
  }
  return findings;
}

}  // namespace runbookd::daemon
