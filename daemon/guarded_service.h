// What web/ asks, with the store's failures caught at one door: a store that breaks while it is
// read is an answer (503) and the end of the program, not an exception in somebody's connection.
#pragma once

#include <functional>
#include <optional>

#include "store/sqlite.h"
#include "web/service.h"

namespace runbookd::daemon {

class GuardedService final : public web::RunService {
 public:
  // `broken` is told, during a call, that the store is broken.
  GuardedService(web::RunService& service, std::function<void(planner::Error const&)> broken)
      : service_(service), broken_(std::move(broken)) {}

  // Everything is answered with this from now on: what we hold in memory may not be what is
  // recorded.
  void refuse_all(planner::Error why) { refusal_ = std::move(why); }

  web::Gatekeeper& gate() override { return service_.gate(); }
  web::Document about() override { return service_.about(); }
  web::Document ready() override { return service_.ready(); }
  bool is_ready() override { return !refusal_ && service_.is_ready(); }
  planner::Result<std::string> metrics() override;
  planner::Result<web::Document> start_backup() override;
  planner::Result<web::Document> show_backup() override;
  planner::Result<web::UploadedPlan> upload_plan(web::PlanUpload const& upload) override;
  planner::Result<web::Document> validate_plan(web::PlanUpload const& upload) override;
  planner::Result<web::Document> list_plans(web::PlanQuery const& query) override;
  planner::Result<web::Document> show_plan(std::string const& digest,
                                           planner::Principal const& caller) override;
  planner::Result<web::Document> diff_plans(std::string const& digest, std::string const& against,
                                            planner::Principal const& caller) override;
  planner::Result<web::Document> create_run(web::RunRequest const& request,
                                            planner::Principal const& caller) override;
  planner::Result<web::Document> list_runs(web::RunQuery const& query) override;
  planner::Result<std::string> target_of(planner::RunId const& run) override;
  planner::Result<web::Document> show_run(planner::RunId const& run,
                                          planner::Principal const& caller) override;
  planner::Result<web::Document> show_part(planner::RunId const& run, web::RunPart part) override;
  planner::Result<web::Document> show_step(planner::RunId const& run, std::string const& step,
                                           web::StepPart part) override;
  planner::Result<web::Document> rollback_preview(planner::RunId const& run,
                                                  planner::RollBack const& ask) override;
  void show_locks(planner::RunId const& run, web::Told told) override;
  void show_preflight(planner::RunId const& run, std::string const& phase, web::Told told) override;
  void show_catalog(std::string const& target, web::Told told) override;
  void show_ways_back(std::string const& target, web::PlanUpload const& upload,
                      web::Told told) override;
  planner::Result<web::Document> submit(planner::RunId const& run, planner::Command const& command,
                                        std::optional<planner::EventSeq> expected,
                                        planner::Principal const& caller) override;
  planner::Result<web::EventPage> events_after(planner::RunId const& run, planner::EventSeq after,
                                               int limit) override;
  std::unique_ptr<web::Subscription> when_grown(planner::RunId const& run,
                                                std::function<void()> grown) override {
    return service_.when_grown(run, std::move(grown));
  }
  std::optional<web::EventLine> live_line(planner::RunId const& run) override {
    return service_.live_line(run);
  }

 private:
  // The first part of a question that is answered later: what it throws is the answer.
  template <typename Ask>
  void guard_later(web::Told told, Ask ask) {
    auto const begun = guard([&]() -> planner::Result<void> {
      ask(told);
      return {};
    });
    if (!begun) {
      told(tl::unexpected(begun.error()));
    }
  }

  template <typename Ask>
  std::invoke_result_t<Ask> guard(Ask ask) {
    if (refusal_) {
      return tl::unexpected(*refusal_);
    }
    auto answer = store::guarded(std::move(ask));
    if (!answer && answer.error().code == planner::ErrorCode::store_broken) {
      broken_(answer.error());
    }
    return answer;
  }

  web::RunService& service_;
  std::function<void(planner::Error const&)> broken_;
  std::optional<planner::Error> refusal_;
};

}  // namespace runbookd::daemon
