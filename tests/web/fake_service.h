// The rest of the program as web/ sees it: keeps what it was asked, answers what the test put in.
// Used on one thread, like the real one.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/web/fake_gate.h"
#include "web/service.h"

namespace runbookd::web::test {

struct FakeRun {
  std::vector<EventLine> events;
  std::optional<EventLine> live;
  bool final = false;
  std::string state = "waiting";
};

class FakeService : public RunService {
 public:
  // What to answer with instead, on every call.
  std::optional<planner::Error> refuse;
  bool ready_now = true;
  bool plan_is_new = true;
  bool throws = false;
  // As if a run had events without end.
  bool endless = false;
  FakeGate doorman;
  std::map<std::string, FakeRun> runs;

  // What was asked last.
  PlanUpload upload;
  RunRequest run_request;
  RunQuery run_query;
  planner::Command command;
  std::optional<planner::EventSeq> expected;
  planner::RollBack preview;
  std::string asked;  // "list_plans 50 cursor"
  int submitted = 0;
  std::string on_target = "main";  // every run
  // Questions to a target wait here, as if it were slow.
  bool slow_target = false;
  std::vector<Told> waiting_for_target;
  std::atomic<int> events_given{0};
  std::atomic<int> subscriptions{0};

  void add_event(std::string const& run, std::string const& kind);
  void end_run(std::string const& run);
  void set_live(std::string const& run, std::string const& json);

  Document about() override;
  Document ready() override;
  bool is_ready() override { return ready_now; }
  Result<std::string> metrics() override;
  Result<Document> start_backup() override { return answer("start_backup"); }
  Result<Document> show_backup() override { return answer("show_backup"); }
  Result<UploadedPlan> upload_plan(PlanUpload const& plan) override;
  Result<Document> validate_plan(PlanUpload const& plan) override;
  Result<Document> list_plans(PlanQuery const& query) override;
  Result<Document> show_plan(std::string const& digest, planner::Principal const& caller) override;
  Result<Document> diff_plans(std::string const& digest, std::string const& against,
                              planner::Principal const& caller) override;
  Gatekeeper& gate() override { return doorman; }
  Result<Document> create_run(RunRequest const& request, planner::Principal const& caller) override;
  Result<Document> list_runs(RunQuery const& query) override;
  Result<std::string> target_of(RunId const& run) override;
  Result<Document> show_run(RunId const& run, planner::Principal const& caller) override;
  Result<Document> show_part(RunId const& run, RunPart part) override;
  Result<Document> show_step(RunId const& run, std::string const& step, StepPart part) override;
  Result<Document> rollback_preview(RunId const& run, planner::RollBack const& ask) override;
  void show_locks(RunId const& run, Told told) override;
  void show_preflight(RunId const& run, std::string const& phase, Told told) override;
  void show_catalog(std::string const& target, Told told) override;
  void show_ways_back(std::string const& target, PlanUpload const& upload, Told told) override;
  Result<Document> submit(RunId const& run, planner::Command const& asked_for,
                          std::optional<planner::EventSeq> revision,
                          planner::Principal const& caller) override;
  Result<EventPage> events_after(RunId const& run, planner::EventSeq after, int limit) override;
  std::unique_ptr<Subscription> when_grown(RunId const& run, std::function<void()> grown) override;
  std::optional<EventLine> live_line(RunId const& run) override;

 private:
  class Listening;
  Result<FakeRun*> find(RunId const& run);
  Result<Document> answer(std::string what);
  void answer_later(Result<Document> document, Told told);
  void tell(std::string const& run);

  std::multimap<std::string, std::function<void()>> listeners_;
};

}  // namespace runbookd::web::test
