// Lists and parts: what the registry answers from its store and its runs alone.
#include <algorithm>
#include <utility>

#include "daemon/registry.h"
#include "planner/plan_diff.h"
#include "planner/run_mode.h"
#include "planner/view.h"

namespace runbookd::daemon {

using namespace planner;
using web::Document;

namespace {

tl::unexpected<Error> refuse(ErrorCode code, std::string detail, std::string next = "") {
  return tl::unexpected(Error{.code = code, .detail = std::move(detail), .next = std::move(next)});
}

tl::unexpected<Error> no_such_cursor(std::string const& cursor) {
  return refuse(ErrorCode::malformed, "the cursor \"" + cursor + "\" is not one of this list",
                "begin again without cursor");
}

}  // namespace

// --- plans

// Whoever may read some targets only sees no plan that ran on others only.
bool Registry::may_see(Principal const& caller, PlanDigest const& digest) const {
  if (may(caller, Capability::read, every_target)) {
    return true;
  }
  auto const targets = store_.journal().targets_of(digest);
  return targets.empty() || std::ranges::any_of(targets, [&](std::string const& target) {
           return may(caller, Capability::read, target);
         });
}

// Of a plan that the caller may not see nothing is told, not even that it is there.
Result<store::StoredPlan> Registry::seen_plan(std::string const& prefix,
                                              Principal const& caller) const {
  auto stored = store_.plans().resolve(prefix);
  if (stored && !may_see(caller, stored->digest)) {
    return refuse(ErrorCode::not_found, "no plan " + prefix + " is stored", "runbookctl plan list");
  }
  return stored;
}

Result<Document> Registry::list_plans(web::PlanQuery const& query) {
  if (!query.cursor.empty() && !store_.plans().find({query.cursor})) {
    return no_such_cursor(query.cursor);
  }
  std::vector<store::StoredPlan> page;
  auto cursor = query.cursor;
  bool more = true;
  while (more && std::ssize(page) < query.limit) {
    auto const plans = store_.plans().list(query.limit, cursor);
    more = std::ssize(plans) == query.limit;
    for (auto const& plan : plans) {
      cursor = plan.digest.text;
      if (may_see(query.caller, plan.digest)) {
        page.push_back(plan);
      }
      if (std::ssize(page) == query.limit) {
        break;
      }
    }
  }
  bool const full = std::ssize(page) == query.limit;
  return Document{.json = plan_list_json(page, full ? cursor : "")};
}

Result<Document> Registry::show_plan(std::string const& digest, Principal const& caller) {
  auto const stored = seen_plan(digest, caller);
  if (!stored) {
    return tl::unexpected(stored.error());
  }
  auto const plan = plan_of(stored->digest);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  return Document{.json = plan_json(**plan, stored->digest, stored->canonical)};
}

Result<Document> Registry::diff_plans(std::string const& digest, std::string const& against,
                                      Principal const& caller) {
  auto const after = seen_plan(digest, caller);
  auto const before = seen_plan(against, caller);
  if (!after || !before) {
    return tl::unexpected(after ? before.error() : after.error());
  }
  auto const old_plan = plan_of(before->digest);
  auto const new_plan = plan_of(after->digest);
  if (!old_plan || !new_plan) {
    return tl::unexpected(old_plan ? new_plan.error() : old_plan.error());
  }
  std::vector<std::string> changes;
  for (auto const& change : diff(**old_plan, **new_plan)) {
    changes.push_back(to_json(change));
  }
  return Document{.json = plan_diff_json(after->digest, before->digest, changes)};
}

// --- runs

// As many as were asked for of those that the caller may read.
std::vector<store::RunSummary> Registry::page_of(web::RunQuery const& query) const {
  std::vector<store::RunSummary> page;
  store::RunFilter filter{
      .state = query.state,
      .target = query.target,
      .plan = query.plan,
      .actor = query.actor,
      .since = query.since,
      .before = query.cursor.empty() ? std::nullopt : std::optional{query.cursor},
      .limit = query.limit};
  for (bool more = true; more;) {
    auto runs = store_.journal().list(filter);
    more = std::ssize(runs) == filter.limit && filter.limit > 0;
    if (more) {
      filter.before = runs.back().id.text;
    }
    for (auto& run : runs) {
      bool const wanted = std::ssize(page) < query.limit || query.limit < 0;
      if (wanted && may(query.caller, Capability::read, run.target)) {
        page.push_back(std::move(run));
      }
    }
    more = more && std::ssize(page) < query.limit;
  }
  return page;
}

Result<Document> Registry::list_runs(web::RunQuery const& query) {
  if (!query.state.empty() && query.state != "unfinished" && !mode_named(query.state)) {
    return refuse(ErrorCode::malformed, "there is no state \"" + query.state + "\"",
                  "runbookctl run list");
  }
  if (!query.cursor.empty() && !store_.journal().find({query.cursor})) {
    return no_such_cursor(query.cursor);
  }
  recorder_.flush();
  auto runs = page_of(query);
  // the stored sentence speaks of the moment of the last event
  for (auto& run : runs) {
    if (auto const at_work = runs_.find(run.id); at_work != runs_.end()) {
      auto facts = at_work->second->facts();
      facts.house = house_rules(run.target);
      run.message = state_message(facts, clock_.now());
    }
  }
  auto const more = std::ssize(runs) == query.limit && query.limit > 0;
  return Document{.json = run_list_json(runs, more ? runs.back().id.text : "")};
}

Result<Document> Registry::show_part(RunId const& run, web::RunPart part) {
  recorder_.flush();
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  auto const facts = (*found)->facts();
  auto const revision = (*found)->history().revision;
  switch (part) {
    case web::RunPart::steps:
      return Document{.json = steps_json(facts), .revision = revision};
    case web::RunPart::phases:
      return Document{.json = phases_json(facts), .revision = revision};
    case web::RunPart::gates:
      return Document{.json = gates_json(facts, clock_.now()), .revision = revision};
  }
  __builtin_unreachable();
}

Result<Document> Registry::show_step(RunId const& run, std::string const& step,
                                     web::StepPart part) {
  recorder_.flush();
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  auto const ref = (*found)->plan().find_step(step);
  if (!ref) {
    return refuse(ErrorCode::not_found, "run " + run.text + " has no step \"" + step + "\"",
                  "runbookctl run show " + run.text);
  }
  bool const all = part == web::StepPart::all;
  auto const facts = (*found)->facts();
  return Document{.json = all ? step_json(facts, *ref) : attempts_json(facts, *ref),
                  .revision = (*found)->history().revision};
}

}  // namespace runbookd::daemon
