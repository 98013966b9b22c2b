#include "tests/chaos/trial.h"

#include <csignal>
#include <map>
#include <thread>
#include <utility>

#include "store/store.h"
#include "tests/chaos/killer.h"

namespace runbookd::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 40s;
constexpr auto look_every = 4ms;
constexpr int killed_exit = 128 + SIGKILL;

[[noreturn]] void violated(std::string const& what) { throw Violation(what); }

void expect_equal(std::string const& what, std::string const& found, std::string const& wanted) {
  if (found != wanted) {
    violated(what + "\n--- found\n" + found + "\n--- expected\n" + wanted);
  }
}

std::string but_first_line(std::string const& text) {
  auto const end = text.find('\n');
  return end == std::string::npos ? "" : text.substr(end + 1);
}

std::string label(json const& phase, json const& step) {
  return phase.at("name").get<std::string>() + "/" + step.at("name").get<std::string>();
}

}  // namespace

Site::Site(testing::PostgresCluster& cluster, std::string name)
    : cluster_(cluster), name_(std::move(name)) {
  make_another();
}

void Site::make_another() {
  database_ = name_ + "_" + std::to_string(++made_);
  cluster_.create_database(database_);
}

void Site::renew() { sql(target_setup); }

char const* to_text(Leg leg) { return leg == Leg::forward ? "forward" : "backward"; }

// Polled: a server needs a moment to notice that a client has died.
void Site::expect_no_backend() const {
  auto const end = Clock::now() + 20s;
  std::string left;
  do {
    left =
        sql("SELECT string_agg(application_name || ' ' || state || ' ' || left(query, 60), '; ') "
            "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND application_name LIKE 'runbookd/%'");
    if (left.empty()) {
      return;
    }
    std::this_thread::sleep_for(20ms);
  } while (Clock::now() < end);
  violated("sessions of ours are left in the target: " + left);
}

void Site::expect_nothing_held() const {
  auto const held = sql(
      "SELECT string_agg(a.application_name || ' ' || a.state || ' ' || left(a.query, 60), '; ') "
      "FROM pg_stat_activity a WHERE a.datname = current_database() "
      "AND a.application_name LIKE 'runbookd/%' AND (a.backend_xid IS NOT NULL OR EXISTS ("
      "SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
      "WHERE l.pid = a.pid AND c.oid >= 16384 AND c.relnamespace <> to_regnamespace('runbookd')))");
  if (!held.empty()) {
    violated("paused, and yet a session of ours is at work: " + held);
  }
}

Trial::Trial(Scenario const& scenario, Site& site, std::string const& dsn)
    : scenario_(scenario),
      site_(site),
      daemon_({.targets = {{"main", dsn.empty() ? site.dsn() : dsn}}, .start = false}) {
  site_.renew();
  first_facts_ = facts();
}

// --- lives

Ending Trial::live(Leg leg, Environment const& environment,
                   std::optional<std::chrono::milliseconds> kill_after) {
  if (!running_) {
    daemon_.launch(environment);
    running_ = true;
  }
  std::optional<Killer> killer;
  if (kill_after) {
    killer.emplace(daemon_.pid(), *kill_after);
  }
  last_progress_ = Clock::now();
  std::string trouble;
  while (daemon_.alive()) {
    if (Clock::now() > last_progress_ + patience) {
      violated("no progress for " + std::to_string(patience.count()) +
               " s; last seen: " + last_seen_ + "; last trouble: " + trouble);
    }
    try {
      if (step(leg)) {
        if (!killer || killer->call_off()) {
          return Ending::reached;
        }
        break;  // it died the moment after
      }
    } catch (Violation const&) {
      throw;
    } catch (std::exception const& problem) {
      trouble = problem.what();  // it may be dying, or not listen yet
    }
    std::this_thread::sleep_for(look_every);
  }
  killer.reset();  // before the process is waited for: its number is ours until then
  running_ = false;
  return ending_of(daemon_.wait_for_end(), kill_after.has_value());
}

Ending Trial::ending_of(int exit_code, bool killer) const {
  if (exit_code == killed_exit) {
    return Ending::killed;
  }
  if (exit_code == 0 && terminated_ && !killer) {
    return Ending::stopped;
  }
  violated("the daemon ended by itself with " + std::to_string(exit_code));
}

void Trial::carry_through(Leg leg) {
  while (live(leg) != Ending::reached) {
  }
}

bool Trial::dies_after_all() {
  for (auto const end = Clock::now() + 1s; Clock::now() < end && daemon_.alive();) {
    std::this_thread::sleep_for(look_every);
  }
  if (daemon_.alive()) {
    return false;
  }
  running_ = false;
  return ending_of(daemon_.wait_for_end(), false) == Ending::killed;
}

void Trial::kill() {
  if (running_) {
    daemon_.kill();
    running_ = false;
  }
}

// --- what a person does, from what the daemon says; true at the leg's end

bool Trial::step(Leg leg) {
  if (run_.empty()) {
    find_or_create();
  }
  auto const run = daemon_.run(run_);
  auto const state = run.at("state").get<std::string>();
  auto const seen = state + ", " + run.value("state_message", "");
  if (std::exchange(last_seen_, seen) != seen) {
    last_progress_ = Clock::now();
  }
  if (state == "pending") {
    daemon_.verb(run_, "start");
  } else if (state == "paused") {
    daemon_.verb(run_, "resume");
  } else if (state == "waiting") {
    answer_wait(run);
  } else if (state == "failed") {
    go_on_after_failure(run, leg);
  } else if (state == "attention") {
    violated("the run asks for a person: " + run.dump(2));
  } else if (state == "succeeded") {
    if (leg == Leg::forward) {
      return true;
    }
    daemon_.verb(run_, "rollback", {{"to", "all"}});
  } else if (state == "rolled_back") {
    return leg == Leg::backward;
  } else if (disturb_) {
    disturb_(daemon_);
  } else if (scenario_.interrupted && interrupt(run)) {
    return false;
  }
  return false;
}

void Trial::go_on_after_failure(json const& run, Leg leg) {
  bool const repairs = !scenario_.repair.empty() && leg == Leg::forward;
  if (!repairs && !disturb_) {
    violated("the run has failed: " + run.dump(2));
  }
  if (repairs) {
    site_.sql(scenario_.repair);
  }
  ++retries_;
  daemon_.verb(run_, run.at("actions").at("retry").value("allowed", false) ? "retry" : "evaluate");
}

// A client that did not hear the answer looks before it asks again.
void Trial::find_or_create() {
  auto const runs = daemon_.get("/api/v1/runs").body.at("runs");
  if (runs.size() > 1) {
    violated("one run was asked for, " + std::to_string(runs.size()) + " are there");
  }
  run_ = runs.empty() ? daemon_.create(scenario_.plan) : runs.at(0).at("run").get<std::string>();
}

void Trial::answer_wait(json const& run) {
  auto const& wait = run.at("waiting_on").at(0);
  auto const kind = wait.at("kind").get<std::string>();
  if (kind == "manual") {
    auto const& at = run.at("current");
    daemon_.verb(
        run_, "confirm",
        {{"step", at.at("phase").get<std::string>() + "/" + at.at("step").get<std::string>()},
         {"reason", "done"}});
  } else if (kind == "approval") {
    daemon_.verb(run_, "approve", {{"phase", wait.at("phase")}}, "ben");
  } else {
    daemon_.verb(run_, "advance", {{"to_phase", wait.at("phase")}});
  }
}

// Once in a trial each: a pause, and after it an orderly stop of the daemon.
bool Trial::interrupt(json const& run) {
  if (run.at("state") != "running" || run.at("direction") != "forward" ||
      run.at("current").is_null()) {
    return false;
  }
  if (!paused_) {
    paused_ = true;
    daemon_.verb(run_, "pause");
    return true;
  }
  if (!terminated_) {
    terminated_ = true;
    ::kill(daemon_.pid(), SIGTERM);
    return true;
  }
  return false;
}

// --- judgement

void Trial::verify(Leg leg, std::string const& expected) {
  auto const found = facts();
  expect_equal(std::string("what the plan did, ") + to_text(leg), found, expected);
  expect_equal(
      "effects that did not happen exactly once",
      site_.sql("SELECT string_agg(step, ', ') FROM (SELECT step FROM effect GROUP BY step "
                "HAVING count(*) <> 1) twice"),
      "");
  if (leg == Leg::backward) {
    expect_equal("what the way back left", but_first_line(found), but_first_line(first_facts_));
  }
  auto const run = daemon_.run(run_);
  if (auto const missing = markers_missing(run, leg); !missing.empty()) {
    violated("journal and markers differ: " + missing + "\n" + run.dump(2));
  }
  verify_events();
}

// The journal calls done what has its marker, once; and nothing else has one.
std::string Trial::markers_missing(json const& run, Leg leg) const {
  auto const found = json::parse(site_.sql(
      "SELECT coalesce(json_object_agg(label || ' ' || direction::text, n), '{}') FROM (SELECT "
      "label, direction, count(*) AS n FROM runbookd.marker GROUP BY 1, 2) m"));
  std::map<std::string, int> markers;
  for (auto const& [name, count] : found.items()) {
    markers[name] = count.get<int>();
  }
  std::string wrong;
  auto const take = [&](std::string const& name, bool needed) {
    int const count = markers[name];
    markers.erase(name);
    if (count > 1 || (needed && count == 0)) {
      wrong += " " + name + ": " + std::to_string(count) + " markers;";
    }
  };
  auto const* const want = leg == Leg::forward ? "succeeded" : "reverted";
  for (auto const& phase : run.at("phases")) {
    for (auto const& step : phase.at("steps")) {
      auto const name = label(phase, step);
      if (step.at("state") != want) {
        wrong += " " + name + " is " + step.at("state").get<std::string>() + ";";
      }
      auto const kind = step.at("kind").get<std::string>();
      if (kind != "sql" && kind != "backfill") {
        continue;
      }
      bool const needed = !scenario_.outside.contains(name);
      take(name + " f", needed);
      if (leg == Leg::backward) {
        take(name + " b", needed);
      }
    }
  }
  for (auto const& [name, count] : markers) {
    wrong += " " + name + ": a marker of what the journal does not know;";
  }
  return wrong;
}

// Every number once and in order, and no attempt twice.
void Trial::verify_events() const {
  std::map<std::string, int> attempts;
  int seq = 0;
  for (auto const& event : daemon_.events(run_)) {
    if (event.at("seq") != ++seq) {
      violated("event " + std::to_string(seq) + " is missing");
    }
    if (event.at("kind") != "step.started") {
      continue;
    }
    auto const& about = event.contains("data") ? event.at("data") : event;
    auto const attempt = about.value("step", "") + " " + about.value("direction", "") + " " +
                         std::to_string(about.value("attempt", 0));
    if (++attempts[attempt] > 1) {
      violated("attempt \"" + attempt + "\" was begun twice");
    }
  }
}

void Trial::verify_end() {
  kill();
  site_.expect_no_backend();
  auto store = store::Store::open({.path = daemon_.store_path()});
  if (!store) {
    violated("the store cannot be opened: " + store.error().detail);
  }
  if (auto const wrong = (*store)->journal().verify({run_}); wrong != 0) {
    violated("the journal's chain breaks at event " + std::to_string(wrong));
  }
}

std::string Trial::log_end() const {
  constexpr std::size_t kept = 6000;
  auto const log = daemon_.log();
  return log.size() > kept ? log.substr(log.size() - kept) : log;
}

}  // namespace runbookd::chaos
