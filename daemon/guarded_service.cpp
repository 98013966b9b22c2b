#include "daemon/guarded_service.h"

namespace runbookd::daemon {

using namespace web;

Result<std::string> GuardedService::metrics() {
  return guard([&] { return service_.metrics(); });
}

Result<Document> GuardedService::start_backup() {
  return guard([&] { return service_.start_backup(); });
}

Result<Document> GuardedService::show_backup() {
  return guard([&] { return service_.show_backup(); });
}

Result<UploadedPlan> GuardedService::upload_plan(PlanUpload const& upload) {
  return guard([&] { return service_.upload_plan(upload); });
}

Result<Document> GuardedService::validate_plan(PlanUpload const& upload) {
  return guard([&] { return service_.validate_plan(upload); });
}

Result<Document> GuardedService::list_plans(PlanQuery const& query) {
  return guard([&] { return service_.list_plans(query); });
}

Result<Document> GuardedService::show_plan(std::string const& digest,
                                           planner::Principal const& caller) {
  return guard([&] { return service_.show_plan(digest, caller); });
}

Result<Document> GuardedService::diff_plans(std::string const& digest, std::string const& against,
                                            planner::Principal const& caller) {
  return guard([&] { return service_.diff_plans(digest, against, caller); });
}

Result<Document> GuardedService::create_run(RunRequest const& request,
                                            planner::Principal const& caller) {
  return guard([&] { return service_.create_run(request, caller); });
}

Result<Document> GuardedService::list_runs(RunQuery const& query) {
  return guard([&] { return service_.list_runs(query); });
}

Result<std::string> GuardedService::target_of(RunId const& run) {
  return guard([&] { return service_.target_of(run); });
}

Result<Document> GuardedService::show_run(RunId const& run, planner::Principal const& caller) {
  return guard([&] { return service_.show_run(run, caller); });
}

Result<Document> GuardedService::show_part(RunId const& run, RunPart part) {
  return guard([&] { return service_.show_part(run, part); });
}

Result<Document> GuardedService::show_step(RunId const& run, std::string const& step,
                                           StepPart part) {
  return guard([&] { return service_.show_step(run, step, part); });
}

Result<Document> GuardedService::rollback_preview(RunId const& run, planner::RollBack const& ask) {
  return guard([&] { return service_.rollback_preview(run, ask); });
}

void GuardedService::show_locks(RunId const& run, Told told) {
  guard_later(std::move(told), [&](Told const& later) { service_.show_locks(run, later); });
}

void GuardedService::show_preflight(RunId const& run, std::string const& phase, Told told) {
  guard_later(std::move(told),
              [&](Told const& later) { service_.show_preflight(run, phase, later); });
}

void GuardedService::show_catalog(std::string const& target, Told told) {
  guard_later(std::move(told), [&](Told const& later) { service_.show_catalog(target, later); });
}

void GuardedService::show_ways_back(std::string const& target, web::PlanUpload const& upload,
                                    Told told) {
  guard_later(std::move(told),
              [&](Told const& later) { service_.show_ways_back(target, upload, later); });
}

Result<Document> GuardedService::submit(RunId const& run, planner::Command const& command,
                                        std::optional<planner::EventSeq> expected,
                                        planner::Principal const& caller) {
  return guard([&] { return service_.submit(run, command, expected, caller); });
}

Result<EventPage> GuardedService::events_after(RunId const& run, planner::EventSeq after,
                                               int limit) {
  return guard([&] { return service_.events_after(run, after, limit); });
}

}  // namespace runbookd::daemon
