#include "tests/web/fake_service.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace runbookd::web::test {

using planner::Error;
using planner::ErrorCode;

class FakeService::Listening : public Subscription {
 public:
  using Place = std::multimap<std::string, std::function<void()>>::iterator;
  Listening(FakeService& service, Place place) : service_(service), place_(place) {
    ++service_.subscriptions;
  }
  ~Listening() override {
    service_.listeners_.erase(place_);
    --service_.subscriptions;
  }

 private:
  FakeService& service_;
  Place place_;
};

void FakeService::tell(std::string const& run) {
  auto const [first, last] = listeners_.equal_range(run);
  for (auto it = first; it != last; ++it) {
    it->second();
  }
}

void FakeService::add_event(std::string const& run, std::string const& kind) {
  auto& events = runs[run].events;
  auto const seq = static_cast<planner::EventSeq>(events.size() + 1);
  events.push_back({.seq = seq,
                    .kind = kind,
                    .json = R"({"seq":)" + std::to_string(seq) + R"(,"kind":")" + kind + "\"}"});
  tell(run);
}

void FakeService::end_run(std::string const& run) {
  runs[run].final = true;
  tell(run);
}

void FakeService::set_live(std::string const& run, std::string const& json) {
  runs[run].live = EventLine{.kind = "step.progress", .json = json};
  tell(run);
}

Result<FakeRun*> FakeService::find(RunId const& run) {
  if (throws) {
    throw std::runtime_error("the store is corrupt");
  }
  if (refuse) {
    return tl::unexpected(*refuse);
  }
  auto const it = runs.find(run.text);
  if (it == runs.end()) {
    return tl::unexpected(
        Error{.code = ErrorCode::not_found, .detail = "there is no run " + run.text});
  }
  return &it->second;
}

Result<std::string> FakeService::metrics() {
  if (refuse) {
    return tl::unexpected(*refuse);
  }
  return "# HELP up Always 1.\n# TYPE up gauge\nup 1\n";
}

Result<Document> FakeService::answer(std::string what) {
  asked = std::move(what);
  if (refuse) {
    return tl::unexpected(*refuse);
  }
  return Document{.json = R"({"answer":")" + asked + "\"}"};
}

Document FakeService::about() { return {.json = R"({"version":"test"})"}; }

Document FakeService::ready() {
  return {.json =
              std::string(R"({"ready":)") + (ready_now ? "true" : "false") + R"(,"checks":[]})"};
}

Result<UploadedPlan> FakeService::upload_plan(PlanUpload const& plan) {
  upload = plan;
  auto document = answer("upload_plan");
  if (!document) {
    return tl::unexpected(document.error());
  }
  return UploadedPlan{
      .document = std::move(*document), .digest = "sha256:0123", .created = plan_is_new};
}

Result<Document> FakeService::validate_plan(PlanUpload const& plan) {
  upload = plan;
  return answer("validate_plan");
}

Result<Document> FakeService::list_plans(PlanQuery const& query) {
  return answer("list_plans " + std::to_string(query.limit) + " " + query.cursor);
}

Result<Document> FakeService::show_plan(std::string const& digest, planner::Principal const&) {
  return answer("show_plan " + digest);
}

Result<Document> FakeService::diff_plans(std::string const& digest, std::string const& against,
                                         planner::Principal const&) {
  return answer("diff_plans " + digest + " " + against);
}

Result<Document> FakeService::create_run(RunRequest const& request, planner::Principal const&) {
  run_request = request;
  if (refuse) {
    return tl::unexpected(*refuse);
  }
  return Document{.json = R"({"phases":[{"run":"not this"}],"run":"run_new","state":"pending"})",
                  .revision = 1};
}

Result<Document> FakeService::list_runs(RunQuery const& query) {
  run_query = query;
  return answer("list_runs");
}

Result<std::string> FakeService::target_of(RunId const& run) {
  return find(run).map([this](FakeRun*) { return on_target; });
}

Result<Document> FakeService::show_run(RunId const& run, planner::Principal const&) {
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  auto const revision = static_cast<planner::EventSeq>((*found)->events.size());
  return Document{.json = R"({"phases":[{"state":"paused"}],"run":")" + run.text +
                          R"(","state":")" + (*found)->state + "\"}",
                  .revision = revision};
}

void FakeService::answer_later(Result<Document> document, Told told) {
  if (slow_target) {
    waiting_for_target.push_back(std::move(told));
  } else {
    told(std::move(document));
  }
}

void FakeService::show_locks(RunId const& run, Told told) {
  auto const found = find(run);
  answer_later(found ? answer("show_locks") : tl::unexpected(found.error()), std::move(told));
}

void FakeService::show_preflight(RunId const& run, std::string const& phase, Told told) {
  auto const found = find(run);
  answer_later(found ? answer("show_preflight " + phase) : tl::unexpected(found.error()),
               std::move(told));
}

void FakeService::show_catalog(std::string const& target, Told told) {
  answer_later(answer("show_catalog " + target), std::move(told));
}

void FakeService::show_ways_back(std::string const& target, PlanUpload const& plan, Told told) {
  answer_later(answer("show_ways_back " + target + " " + plan.file_name), std::move(told));
}

Result<Document> FakeService::show_part(RunId const& run, RunPart part) {
  auto const found = find(run);
  constexpr std::array names{"steps", "phases", "gates"};
  return found ? answer("show_part " + std::string(names.at(static_cast<std::size_t>(part))))
               : tl::unexpected(found.error());
}

Result<Document> FakeService::show_step(RunId const& run, std::string const& step, StepPart part) {
  auto const found = find(run);
  return found ? answer("show_step " + step + (part == StepPart::attempts ? " attempts" : ""))
               : tl::unexpected(found.error());
}

Result<Document> FakeService::rollback_preview(RunId const& run, planner::RollBack const& ask) {
  preview = ask;
  auto const found = find(run);
  return found ? answer("rollback_preview") : tl::unexpected(found.error());
}

Result<Document> FakeService::submit(RunId const& run, planner::Command const& asked_for,
                                     std::optional<planner::EventSeq> revision,
                                     planner::Principal const& caller) {
  ++submitted;
  command = asked_for;
  expected = revision;
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (revision && *revision != static_cast<planner::EventSeq>((*found)->events.size())) {
    return tl::unexpected(
        Error{.code = ErrorCode::stale_revision, .detail = "the run has moved on"});
  }
  return show_run(run, caller);
}

Result<EventPage> FakeService::events_after(RunId const& run, planner::EventSeq after, int limit) {
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  EventPage page;
  if (endless) {
    for (int i = 1; i <= limit; ++i) {
      page.events.push_back({.seq = after + i, .kind = "tick", .json = std::string(1'000, 'x')});
    }
    page.more = true;
    events_given += limit;
    return page;
  }
  for (auto const& event : (*found)->events) {
    if (event.seq > after && static_cast<int>(page.events.size()) < limit) {
      page.events.push_back(event);
    }
  }
  auto const last = page.events.empty() ? after : page.events.back().seq;
  page.more = last < static_cast<planner::EventSeq>((*found)->events.size());
  page.run_is_final = (*found)->final;
  events_given += static_cast<int>(page.events.size());
  return page;
}

std::unique_ptr<Subscription> FakeService::when_grown(RunId const& run,
                                                      std::function<void()> grown) {
  return std::make_unique<Listening>(*this, listeners_.emplace(run.text, std::move(grown)));
}

std::optional<EventLine> FakeService::live_line(RunId const& run) {
  auto const it = runs.find(run.text);
  return it == runs.end() ? std::nullopt : it->second.live;
}

}  // namespace runbookd::web::test
