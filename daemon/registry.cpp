#include "daemon/registry.h"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "daemon/logging.h"
#include "daemon/target_claims.h"
#include "daemon/uploads.h"
#include "planner/mutant.h"
#include "planner/plan_reader.h"
#include "planner/run_mode.h"
#include "planner/verb_rights.h"
#include "planner/view.h"
#include "store/crash_point.h"

namespace runbookd::daemon {

using namespace planner;
using store::crash_point;
using store::CrashPoint;
using web::Document;

namespace {

constexpr std::size_t finished_runs_kept = 32;

tl::unexpected<Error> refuse(ErrorCode code, std::string detail, std::string next = "") {
  return tl::unexpected(Error{.code = code, .detail = std::move(detail), .next = std::move(next)});
}

bool starts_work(Ask const& ask) {
  return !std::holds_alternative<Pause>(ask) && !std::holds_alternative<Cancel>(ask);
}

// What stands in the way then is told, not waited for.
bool enters_phase(Ask const& ask) {
  return std::holds_alternative<Start>(ask) || std::holds_alternative<Advance>(ask);
}

}  // namespace

// One reader that wants to know when a run has grown.
class Registry::Listening final : public web::Subscription {
 public:
  Listening(Registry& registry, RunId run, std::function<void()> grown)
      : registry_(registry), run_(std::move(run)), grown_(std::move(grown)) {
    registry_.listeners_[run_].insert(this);
  }
  ~Listening() override {
    auto const all = registry_.listeners_.find(run_);
    all->second.erase(this);
    if (all->second.empty()) {
      registry_.listeners_.erase(all);
    }
  }
  Listening(Listening const&) = delete;
  Listening& operator=(Listening const&) = delete;
  std::function<void()> grown() const { return grown_; }

 private:
  Registry& registry_;
  RunId run_;
  std::function<void()> grown_;
};

Registry::Registry(boost::asio::io_context& io, Clock& clock, Chance& chance, store::Store& store,
                   config::Settings const& settings, config::Environment environment,
                   Metrics& metrics)
    : clock_(clock),
      chance_(chance),
      store_(store),
      settings_(settings),
      environment_(std::move(environment)),
      metrics_(metrics),
      recorder_(io, clock, store.journal()),
      backup_(io, store.connection(), [](std::string const& what) { log_warning(what); }),
      house_{
          .io = io,
          .clock = clock,
          .chance = chance,
          .recorder = recorder_,
          .journal = store.journal(),
          .store_id = store.id(),
          .fences = std::make_shared<Fences>(store.id(), whereabouts(store.connection().path())),
          .target = [this](std::string const& name) { return target_settings(name); },
          .taken = [this](RunId const& run,
                          TargetIdentity const& database) { return taken(runs_, run, database); },
          .grown = [this](RunId const& run) { notify(run); },
          .log = [](RunId const& run, Event const& event,
                    std::string const& label) { log_event(run, event, label); }},
      lookout_(io, clock, "runbookd lookout",
               [this](std::string const& name) { return target_settings(name); }),
      gatekeeper_(store.tokens(), settings.access, clock, [this](Error const& error) {
        if (error.code == ErrorCode::store_broken && recorder_.on_broken) {
          recorder_.on_broken(error);
        }
      }) {
  recorder_.on_trouble = [](std::string const& what) { log_warning("store: " + what); };
  recorder_.on_durable = [this](auto const& appends, auto took) {
    metrics_.recorded(appends, took, clock_.now());
  };
}

Registry::~Registry() { let_go(); }

// --- loading

Result<TargetSettings> Registry::target_settings(std::string const& name) const {
  auto const* source = settings_.target(name);
  if (source == nullptr) {
    return refuse(ErrorCode::not_found, "no target \"" + name + "\" is configured",
                  "add it under targets: in the daemon's configuration and restart the daemon");
  }
  auto dsn = config::connection_string(*source, environment_);
  if (!dsn) {
    return tl::unexpected(dsn.error());
  }
  return TargetSettings{.name = name,
                        .dsn = dsn->reveal(),
                        .described = described_dsn(dsn->reveal()),
                        .connect_timeout = source->connect_timeout};
}

Result<std::shared_ptr<Plan const>> Registry::plan_of(PlanDigest const& digest) const {
  auto const stored = store_.plans().find(digest);
  if (!stored) {
    return refuse(ErrorCode::not_found, "no plan " + digest.text + " is stored",
                  "runbookctl plan list");
  }
  auto read = read_plan(stored->canonical, digest.text);
  if (!read.plan) {
    throw std::runtime_error("stored plan " + digest.text + " cannot be read: " +
                             (read.findings.empty() ? "" : to_text(read.findings.front())));
  }
  return std::make_shared<Plan const>(std::move(*read.plan));
}

Result<Registry::ConductorPtr> Registry::load(store::RunSummary const& summary) {
  auto plan = plan_of(summary.plan);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  auto stored = store_.journal().history(summary.id);
  if (!stored) {
    return tl::unexpected(stored.error());
  }
  Events events;
  for (auto& one : *stored) {
    events.push_back(std::move(one.event));
  }
  forget_finished();
  auto run = std::make_shared<Conductor>(house_, summary.id, *plan, events);
  metrics_.meet(run->facts(), *plan, events, clock_.now());
  runs_[summary.id] = run;
  return run;
}

Result<Registry::ConductorPtr> Registry::find(RunId const& run) {
  if (auto const known = runs_.find(run); known != runs_.end()) {
    return known->second;
  }
  auto const summary = store_.journal().find(run);
  if (!summary) {
    return refuse(ErrorCode::not_found, "there is no run " + run.text, "runbookctl run list");
  }
  return load(*summary);
}

// Finished runs are read from the journal when somebody asks; only some are kept at hand.
void Registry::forget_finished() {
  if (runs_.size() < finished_runs_kept) {
    return;
  }
  std::erase_if(runs_, [this](auto const& entry) {
    bool const done = is_final(entry.second->state().mode) && entry.second->quiet();
    if (done) {
      metrics_.forget(entry.first);
    }
    return done;
  });
}

Result<void> Registry::recover() {
  for (auto const& summary : store_.journal().unfinished()) {
    auto run = load(summary);
    if (!run) {
      return tl::unexpected(run.error());
    }
    crash_point(CrashPoint::recovery_run_loaded);
    (*run)->recover();
    crash_point(CrashPoint::recovery_run_told);
  }
  return {};
}

// --- stopping

void Registry::drain(StopMode mode) {
  draining_ = true;
  for (auto const& [id, run] : runs_) {
    auto const state = run->state().mode;
    if (state == RunMode::running || state == RunMode::pausing) {
      (void)run->submit({.ask = Pause{.mode = mode},
                         .actor = "runbookd",
                         .reason = "the daemon is being stopped"});
    }
  }
}

bool Registry::quiet() const {
  return recorder_.idle() && working() == 0 &&
         std::ranges::all_of(runs_, [](auto const& entry) { return entry.second->quiet(); });
}

int Registry::working() const {
  return static_cast<int>(std::ranges::count_if(runs_, [](auto const& entry) {
    auto const mode = entry.second->state().mode;
    return mode == RunMode::running || mode == RunMode::pausing || mode == RunMode::cancelling;
  }));
}

void Registry::let_go() {
  for (auto const& [id, run] : runs_) {
    run->let_go();
  }
}

// --- copies of the store

Result<Document> Registry::start_backup() {
  recorder_.flush();  // what is shown already is in it
  return backup_.begin().map([this] { return Document{.json = backup_json(backup_.facts())}; });
}

Result<Document> Registry::show_backup() { return Document{.json = backup_json(backup_.facts())}; }

// --- plans

Result<web::UploadedPlan> Registry::upload_plan(web::PlanUpload const& upload) {
  auto const read = readable(upload, "nothing was stored");
  if (!read) {
    return tl::unexpected(read.error());
  }
  crash_point(CrashPoint::plan_read);
  auto canonical = canonical_json(*read->plan);
  auto const digest = digest_of(canonical);
  auto const created = store_.plans().put({.digest = digest,
                                           .name = read->plan->name,
                                           .title = read->plan->title,
                                           .canonical = std::move(canonical),
                                           .stored = clock_.now(),
                                           .actor = upload.actor});
  if (!created) {
    return tl::unexpected(created.error());
  }
  return web::UploadedPlan{
      .document = {.json = uploaded_json(*read->plan, digest, *created, read->findings)},
      .digest = digest.text,
      .created = *created};
}

Result<Document> Registry::validate_plan(web::PlanUpload const& upload) {
  return Document{.json = validation_json(read_and_lint(upload).findings)};
}

// --- runs

Result<Document> Registry::create_run(web::RunRequest const& request, Principal const& caller) {
  if (auto granted = expect_may(caller, Capability::operate, request.target); !granted) {
    return tl::unexpected(std::move(granted.error()));
  }
  if (draining_) {
    return refuse(ErrorCode::draining, "the daemon is being stopped", "try again when it is up");
  }
  auto const stored = seen_plan(request.plan, caller);
  if (!stored) {
    return tl::unexpected(stored.error());
  }
  if (auto known = known_target(settings_, request); !known) {
    return tl::unexpected(std::move(known.error()));
  }
  auto plan = plan_of(stored->digest);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  auto const id = chance_.run_id();
  Event const created{.at = clock_.now(),
                      .actor = request.actor,
                      .reason = "",
                      .body = RunCreated{.plan = stored->digest,
                                         .plan_name = stored->name,
                                         .target = request.target,
                                         .note = request.note}};
  auto run = std::make_shared<Conductor>(house_, id, *plan, Events{created});
  crash_point(CrashPoint::run_before_created);
  auto const written = recorder_.record_now({.run = id,
                                             .expected = 0,
                                             .events = {created},
                                             .summary = run->summary(),
                                             .fingerprints = {}});
  if (!written) {
    return tl::unexpected(written.error());
  }
  crash_point(CrashPoint::run_created);
  forget_finished();
  metrics_.meet(run->facts(), *plan, {created}, clock_.now());
  runs_[id] = run;
  return document(*run, caller);
}

Document Registry::document(Conductor const& run, Principal const& caller) const {
  auto facts = run.facts();
  facts.caller = &caller;
  return {.json = run_json(facts, clock_.now()), .revision = run.history().revision};
}

Result<std::string> Registry::target_of(RunId const& run) {
  if (auto const known = runs_.find(run); known != runs_.end()) {
    return known->second->history().target;
  }
  auto const summary = store_.journal().find(run);
  if (!summary) {
    return refuse(ErrorCode::not_found, "there is no run " + run.text, "runbookctl run list");
  }
  return summary->target;
}

Result<Document> Registry::show_run(RunId const& run, Principal const& caller) {
  recorder_.flush();  // what is shown is durable
  return find(run).map([&](ConductorPtr const& found) { return document(*found, caller); });
}

Result<Document> Registry::rollback_preview(RunId const& run, RollBack const& ask) {
  recorder_.flush();
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  auto const& one = **found;
  auto json = rollback_preview_json(one.facts(), ask, clock_.now());
  if (!json) {
    return tl::unexpected(std::move(json.error()));
  }
  return Document{.json = std::move(*json), .revision = one.history().revision};
}

// What the machine cannot know: the rest of the house.
Result<void> Registry::may_work(ConductorPtr const& run, Command const& command) {
  if (!starts_work(command.ask)) {
    return {};
  }
  if (draining_) {
    return refuse(ErrorCode::draining, "the daemon is being stopped", "try again when it is up");
  }
  if (auto const store = store_.check(); !store) {
    return tl::unexpected(store.error());
  }
  return may_claim(runs_, store_.journal(), *run, command.ask);
}

Result<Document> Registry::submit(RunId const& run, Command const& command,
                                  std::optional<EventSeq> expected, Principal const& caller) {
  recorder_.flush();
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  auto& one = **found;
  auto const needed = needed_for(command.ask, one.plan(), one.state(), clock_.now());
  if (auto granted = expect_may(caller, needed, one.history().target); !granted) {
    return tl::unexpected(std::move(granted.error()));
  }
  auto const revision = one.history().revision;
  if (expected && *expected != revision && !mutant(Mutant::any_revision_commands)) {
    auto const& last = one.history().last_actor;
    return refuse(ErrorCode::stale_revision,
                  "the run has moved on to revision " + std::to_string(revision) + " (you saw " +
                      std::to_string(*expected) + "); it is " +
                      std::string{to_text(one.state().mode)} +
                      (last.empty() ? "" : ", last changed by " + last),
                  "runbookctl status " + run.text);
  }
  auto done = may_work(*found, command);
  if (done) {
    done = one.submit(command);
  }
  if (!done) {
    auto error = done.error();
    error.state = to_text(one.state().mode);
    for (auto const& verb :
         actions_for(caller, one.history().target, one.plan(), one.state(), clock_.now())) {
      if (verb.allowed) {
        error.allowed.push_back(verb.verb);
      }
    }
    return tl::unexpected(std::move(error));
  }
  crash_point(CrashPoint::command_done);
  if (enters_phase(command.ask)) {
    look_before(one, one.state().phase, Lookout::After::leave, [](Result<Document> const&) {});
  }
  recorder_.flush();  // what followed from it at once is told as well
  return document(one, caller);
}

// --- events

Result<web::EventPage> Registry::events_after(RunId const& run, EventSeq after, int limit) {
  recorder_.flush();
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  auto const& one = **found;
  if (after > one.history().revision) {
    return refuse(ErrorCode::malformed,
                  "run " + run.text + " has " + std::to_string(one.history().revision) +
                      " events; there is none numbered " + std::to_string(after) +
                      " to go on after. Was the store replaced by an older copy?",
                  "runbookctl events " + run.text);
  }
  auto stored = store_.journal().events_after(run, after, limit);
  if (!stored) {
    return tl::unexpected(stored.error());
  }
  web::EventPage page;
  for (auto const& event : *stored) {
    page.events.push_back({.seq = event.seq,
                           .kind = std::string{kind_of(event.event.body)},
                           .json = event_json(one.plan(), run, event.seq, event.event)});
  }
  auto const last = stored->empty() ? after : stored->back().seq;
  page.more = last < one.history().revision;
  page.run_is_final = is_final(one.state().mode);
  return page;
}

std::unique_ptr<web::Subscription> Registry::when_grown(RunId const& run,
                                                        std::function<void()> grown) {
  return std::make_unique<Listening>(*this, run, std::move(grown));
}

void Registry::notify(RunId const& run) {
  auto const all = listeners_.find(run);
  if (all == listeners_.end()) {
    return;
  }
  std::vector<std::function<void()>> calls;  // a reader may go away, or come, while we tell
  for (auto const* listening : all->second) {
    calls.push_back(listening->grown());
  }
  for (auto const& call : calls) {
    call();
  }
}

std::optional<web::EventLine> Registry::live_line(RunId const& run) {
  auto const known = runs_.find(run);
  if (known == runs_.end()) {
    return std::nullopt;
  }
  auto const facts = known->second->facts();
  if (facts.live.activity.empty() || !facts.state->current) {
    return std::nullopt;
  }
  auto const label = facts.plan->label(*facts.state->current);
  return web::EventLine{.seq = 0,
                        .kind = "step.progress",
                        .json = progress_json(run, label, facts.live, clock_.now())};
}

}  // namespace runbookd::daemon
