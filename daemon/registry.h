// All runs: finds them, makes them, picks up the unfinished ones at start. What web/ talks to.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "config/settings.h"
#include "daemon/backup_task.h"
#include "daemon/conductor.h"
#include "daemon/documents.h"
#include "daemon/gatekeeper.h"
#include "daemon/lookout.h"
#include "daemon/metrics.h"
#include "store/store.h"
#include "web/service.h"

namespace runbookd::daemon {

class Registry final : public web::RunService {
 public:
  Registry(boost::asio::io_context& io, Clock& clock, Chance& chance, store::Store& store,
           config::Settings const& settings, config::Environment environment, Metrics& metrics);
  ~Registry() override;

  // Loads every unfinished run and settles what was under way. An error names the run and what is
  // wrong with it.
  planner::Result<void> recover();

  // Told once, when the store is found broken while something is recorded.
  void when_broken(std::function<void(planner::Error const&)> told) {
    recorder_.on_broken = std::move(told);
  }

  // No new work; running runs are paused, at a safe point or now.
  void drain(planner::StopMode mode);
  // Nothing is under way and nothing waits to be written.
  bool quiet() const;
  int working() const;
  bool fresh() const;                  // nobody who watches over a statement is stuck
  std::string standing_words() const;  // "2 runs at work, 1 waits for a person"
  void let_go();

  web::Gatekeeper& gate() override { return gatekeeper_; }
  Gatekeeper& gatekeeper() { return gatekeeper_; }
  bool local_mode() { return gatekeeper_.local_mode(); }
  web::Document about() override;
  web::Document ready() override;
  bool is_ready() override;
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
                                                std::function<void()> grown) override;
  std::optional<web::EventLine> live_line(planner::RunId const& run) override;

 private:
  class Listening;
  using ConductorPtr = std::shared_ptr<Conductor>;

  planner::Result<TargetSettings> target_settings(std::string const& name) const;
  planner::Result<std::shared_ptr<planner::Plan const>> plan_of(
      planner::PlanDigest const& digest) const;
  planner::Result<ConductorPtr> load(store::RunSummary const& summary);
  planner::Result<ConductorPtr> find(planner::RunId const& run);
  planner::Result<void> may_work(ConductorPtr const& run, planner::Command const& command);
  std::vector<ReadinessCheck> readiness() const;
  web::Document document(Conductor const& run, planner::Principal const& caller) const;
  bool may_see(planner::Principal const& caller, planner::PlanDigest const& plan) const;
  planner::Result<store::StoredPlan> seen_plan(std::string const& prefix,
                                               planner::Principal const& caller) const;
  std::vector<store::RunSummary> page_of(web::RunQuery const& query) const;
  void forget_finished();
  void look_before(Conductor const& run, int phase, Lookout::After after, web::Told told);
  void notify(planner::RunId const& run);

  Clock& clock_;
  Chance& chance_;
  store::Store& store_;
  config::Settings const& settings_;
  config::Environment environment_;
  Metrics& metrics_;
  Recorder recorder_;
  BackupTask backup_;
  House house_;
  Lookout lookout_;
  Gatekeeper gatekeeper_;
  std::map<planner::RunId, ConductorPtr> runs_;
  std::map<planner::RunId, std::set<Listening*>> listeners_;
  bool draining_ = false;
};

}  // namespace runbookd::daemon
