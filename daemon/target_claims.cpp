#include "daemon/target_claims.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "planner/mutant.h"
#include "planner/nearest.h"

namespace runbookd::daemon {

using namespace planner;

namespace {

tl::unexpected<Error> refuse(ErrorCode code, std::string detail, std::string next) {
  return tl::unexpected(Error{.code = code, .detail = std::move(detail), .next = std::move(next)});
}

// Verbs by which a run that holds no claim on its target takes one.
bool claims_target(RunMode mode, Ask const& ask) {
  return std::holds_alternative<Start>(ask) ||
         (mode == RunMode::succeeded && std::holds_alternative<RollBack>(ask));
}

// Runs that have not ended are all at hand. Where the server does not tell its identifier, nobody
// can tell two databases of one name apart.
Conductor const* at_work_in(Runs const& runs, TargetIdentity const& database, RunId const& but) {
  auto const found = std::ranges::find_if(runs, [&](auto const& entry) {
    auto const& state = entry.second->state();
    bool const at_work = !is_final(state.mode) && state.mode != RunMode::pending;
    return at_work && entry.first != but && !database.system.empty() &&
           state.target.system == database.system && state.target.database == database.database;
  });
  return found == runs.end() ? nullptr : found->second.get();
}

std::string leads_elsewhere(TargetIdentity const& database, Conductor const& other) {
  return "it leads to database " + database.database + " of server " + database.system +
         ", as target " + other.history().target + " does, which is busy with run " +
         other.id().text + " (" + other.plan().name + ", " +
         std::string{to_text(other.state().mode)} + ")";
}

}  // namespace

Result<void> known_target(config::Settings const& settings, web::RunRequest const& request) {
  if (settings.target(request.target) != nullptr) {
    return {};
  }
  std::vector<std::string> names;
  std::ranges::transform(settings.targets, std::back_inserter(names), &config::TargetSource::name);
  auto const none = "no target \"" + request.target + "\" is configured; there are: ";
  if (names.empty()) {
    return refuse(ErrorCode::not_found, none + "none",
                  "add it under targets: in the daemon's configuration and restart the daemon");
  }
  std::string all;
  for (auto const& name : names) {
    all += (all.empty() ? "" : ", ") + name;
  }
  auto const near = nearest(request.target, names);
  return refuse(ErrorCode::not_found, none + all,
                "runbookctl run create --plan " + request.plan + " --target " +
                    (near.empty() ? names.front() : near));
}

Result<void> may_claim(Runs const& runs, store::Journal const& journal, Conductor const& run,
                       Ask const& ask) {
  if (mutant(Mutant::target_not_claimed) || !claims_target(run.state().mode, ask)) {
    return {};
  }
  auto const& target = run.history().target;
  if (auto const other = journal.active_on(target); other && other->id != run.id()) {
    return refuse(ErrorCode::target_busy,
                  "target " + target + " is busy with run " + other->id.text + " (" +
                      other->plan_name + ", " + other->state + ")",
                  "runbookctl status " + other->id.text);
  }
  auto const& database = run.state().target;
  if (auto const* other = at_work_in(runs, database, run.id())) {
    return refuse(ErrorCode::target_busy,
                  "target " + target + " is not free: " + leads_elsewhere(database, *other),
                  "runbookctl status " + other->id().text);
  }
  return {};
}

std::string taken(Runs const& runs, RunId const& run, TargetIdentity const& database) {
  auto const* other = at_work_in(runs, database, run);
  return other == nullptr || mutant(Mutant::target_not_claimed)
             ? ""
             : leads_elsewhere(database, *other) + "; see: runbookctl status " + other->id().text;
}

}  // namespace runbookd::daemon
