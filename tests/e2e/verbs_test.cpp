// Every verb in every state, against the running daemon: what fits works, what does not is refused
// with the state and the verbs that do, and changes nothing.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

using Verbs = std::set<std::string>;

class Stage {
 public:
  Stage() : database_(1), daemon_({.targets = {{"main", database_.dsn()}}}) {}

  std::string pending() { return create("  - {name: a, sql: SELECT 1, rollback: SELECT 1}"); }
  std::string running() { return at_slow_step("running"); }
  std::string at_gate() {
    auto const id = create("  - {name: a, sql: SELECT 1, rollback: SELECT 1}", second_phase());
    daemon_.verb(id, "start");
    daemon_.until(id, {"waiting"});
    daemon_.verb(id, "approve", {{"phase", "two"}}, "carl");
    return id;
  }
  std::string at_manual_step() {
    auto const id = create(
        "  - {name: a, sql: SELECT 1, rollback: SELECT 1}\n"
        "  - {name: hand, manual: do it, rollback_manual: undo it, skippable: true}");
    daemon_.verb(id, "start");
    daemon_.until(id, {"waiting"});
    return id;
  }
  std::string pausing() {
    auto const id = at_slow_step("pausing");
    daemon_.verb(id, "pause");
    daemon_.until(id, {"pausing"});
    return id;
  }
  std::string paused_at_step() {
    auto const id = at_slow_step("paused");
    daemon_.verb(id, "pause", {{"mode", "now"}});
    daemon_.until(id, {"paused"});
    return id;
  }
  std::string paused_at_gate() {
    auto const id = at_gate();
    daemon_.verb(id, "pause");
    daemon_.until(id, {"paused"});
    return id;
  }
  std::string failed_step() {
    auto const id = create(
        "  - {name: a, sql: SELECT 1, rollback: SELECT 1}\n"
        "  - {name: bad, sql: SELECT 1 / 0, rollback: SELECT 1, skippable: true}");
    daemon_.verb(id, "start");
    daemon_.until(id, {"failed"});
    return id;
  }
  std::string failed_check() {
    auto const id = create("  - {name: a, sql: SELECT 1, rollback: SELECT 1}", "",
                           "    validate: [{name: no, sql: SELECT 1, expect: {value: 2}}]\n");
    daemon_.verb(id, "start");
    daemon_.until(id, {"failed"});
    return id;
  }
  // A statement outside transactions whose effect no catalog shows, cut off in the middle.
  std::string attention() {
    if (database_.sql("SELECT count(*) FROM pg_subscription") == "0") {
      database_.sql(
          "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)");
    }
    auto const id = create(
        "  - {name: a, sql: SELECT 1, rollback: SELECT 1}\n  - {name: add, sql: ALTER SUBSCRIPTION "
        "s "
        "ADD PUBLICATION q, irreversible: no need}");
    Holder const holder(database_, "LOCK TABLE pg_subscription IN SHARE MODE");
    daemon_.verb(id, "start");
    database_.until(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'ALTER SUBSCRIPTION s%' AND "
        "wait_event_type = 'Lock'");
    database_.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER "
        "SUBSCRIPTION s%'");
    daemon_.until(id, {"attention"});
    return id;
  }
  // A backend that does not react keeps the cancel from being done.
  std::string cancelling() {
    auto const id = at_slow_step("cancelling");
    stopped_ = std::stoi(database_.sql(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%cancelling%' AND state = "
        "'active' AND pid <> pg_backend_pid()"));
    ::kill(stopped_, SIGSTOP);
    daemon_.verb(id, "cancel", {{"confirm", "verbs"}});
    return id;
  }
  void let_cancel_finish(std::string const& id) {
    ::kill(stopped_, SIGCONT);
    daemon_.until(id, {"cancelled"});
  }
  std::string succeeded() {
    auto const id = pending();
    daemon_.verb(id, "start");
    daemon_.until(id, {"succeeded"});
    return id;
  }
  std::string rolled_back() {
    auto const id = succeeded();
    daemon_.verb(id, "rollback", {{"to", "all"}});
    daemon_.until(id, {"rolled_back"});
    return id;
  }
  std::string cancelled() {
    auto const id = pending();
    daemon_.verb(id, "cancel");
    daemon_.until(id, {"cancelled"});
    return id;
  }

  RunningDaemon& daemon() { return daemon_; }

 private:
  // A database carries one active run at a time.
  void end_last() {
    if (last_.empty()) {
      return;
    }
    auto const path = "/api/v1/runs/" + last_;
    daemon_.post(path + "/pause", {{"mode", "now"}});
    daemon_.until(
        last_,
        [](json const& run) {
          return !Verbs{"running", "pausing", "cancelling"}.contains(run.at("state"));
        },
        "rest");
    daemon_.post(path + "/cancel", {{"confirm", "verbs"}});
    daemon_.until(last_, {"cancelled", "succeeded", "rolled_back"});
  }
  std::string create(std::string const& steps, std::string const& more_phases = "",
                     std::string const& more = "") {
    auto const plan = "runbook: 1\nname: verbs\nphases:\n  - name: one\n    kind: expand\n" + more +
                      "    steps:\n" + indented(steps) + more_phases;
    end_last();
    return last_ = daemon_.create(plan);
  }
  static std::string indented(std::string const& steps) {
    std::string text = "    ";
    for (char const c : steps) {
      text += c;
      if (c == '\n') {
        text += "    ";
      }
    }
    return text + "\n";
  }
  static std::string second_phase() {
    return "  - name: two\n    kind: contract\n    approval: {from: dba, count: 1}\n    steps:\n"
           "      - {name: b, sql: SELECT 1, rollback: SELECT 1}\n";
  }
  std::string at_slow_step(std::string const& mark) {
    auto const id = create(
        "  - {name: a, sql: SELECT 1, rollback: SELECT 1}\n  - {name: slow, sql: \"SELECT "
        "pg_sleep(120), '" +
        mark + "'\", statement_timeout: 10m, rollback: SELECT 1, skippable: true}");
    daemon_.verb(id, "start");
    daemon_.until(
        id, [](json const& run) { return step_of(run, "one", "slow").at("state") == "running"; },
        "the slow step");
    database_.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%" +
                    mark + "%' AND state = 'active' AND pid <> pg_backend_pid()");
    return id;
  }

  Database database_;
  RunningDaemon daemon_;
  std::string last_;
  int stopped_ = 0;
};

std::map<std::string, json> bodies() {
  return {{"start", json::object()},
          {"advance", {{"to_phase", "two"}}},
          {"approve", {{"phase", "two"}}},
          {"reject", {{"phase", "two"}, {"reason", "because"}}},
          {"evaluate", json::object()},
          {"confirm", {{"step", "one/hand"}}},
          {"pause", json::object()},
          {"resume", json::object()},
          {"retry", json::object()},
          {"skip", {{"reason", "because"}}},
          {"resolve", {{"as", "failed"}, {"evidence", "looked"}}},
          {"rollback", {{"to", "last"}}},
          {"cancel", {{"confirm", "verbs"}}},
          {"throttle", {{"stop", true}}}};
}

json body_for(std::string const& verb, json const& run) {
  if (verb == "override") {
    return {{"phase", "one"}, {"reason", "the check is wrong"}};
  }
  auto body = bodies().at(verb);
  bool const names_step = verb == "skip" || verb == "resolve" || verb == "confirm";
  if (names_step) {
    bool const at_step = run.at("current").is_object();
    body["step"] = at_step ? run["current"]["phase"].get<std::string>() + "/" +
                                 run["current"]["step"].get<std::string>()
                           : "one/a";
  }
  return body;
}

using Maker = std::string (Stage::*)();

struct Row {
  char const* what;
  Maker make;
  std::string state;
  Verbs fits;
};

// Granted everywhere before the end, and offered only where it changes something.
bool is_harmless(std::string const& verb, std::string const& state) {
  static std::map<std::string, Verbs> const harmless{
      {"pause", {"pending", "paused", "failed", "attention", "cancelling"}},
      {"cancel", {"cancelling"}}};
  return harmless.contains(verb) && harmless.at(verb).contains(state);
}

std::vector<Row> rows() {
  return {
      {"pending", &Stage::pending, "pending", {"start", "cancel"}},
      {"running", &Stage::running, "running", {"pause", "cancel"}},
      {"waiting at a gate",
       &Stage::at_gate,
       "waiting",
       {"advance", "approve", "reject", "evaluate", "pause", "rollback", "cancel"}},
      {"waiting for a manual step",
       &Stage::at_manual_step,
       "waiting",
       {"confirm", "skip", "pause", "rollback", "cancel"}},
      {"pausing", &Stage::pausing, "pausing", {"pause", "cancel"}},
      {"paused at a step",
       &Stage::paused_at_step,
       "paused",
       {"resume", "retry", "skip", "rollback", "cancel"}},
      {"paused at a gate",
       &Stage::paused_at_gate,
       "paused",
       {"approve", "reject", "resume", "rollback", "cancel"}},
      {"failed at a step", &Stage::failed_step, "failed", {"retry", "skip", "rollback", "cancel"}},
      {"failed by a check",
       &Stage::failed_check,
       "failed",
       {"override", "evaluate", "rollback", "cancel"}},
      {"in need of attention", &Stage::attention, "attention", {"resolve", "cancel"}},
      {"succeeded", &Stage::succeeded, "succeeded", {"rollback"}},
      {"rolled back", &Stage::rolled_back, "rolled_back", {}},
      {"cancelled", &Stage::cancelled, "cancelled", {}}};
}

void refused_verbs_change_nothing(RunningDaemon& daemon, std::string const& id, Row const& row) {
  auto const before = daemon.run(id);
  CHECK(before.at("state") == row.state);
  for (auto const& [verb, plain_body] : bodies()) {
    if (row.fits.contains(verb)) {
      continue;
    }
    CAPTURE(verb);
    auto const reply =
        daemon.post("/api/v1/runs/" + id + "/" + verb, body_for(verb, before), "ben");
    if (is_harmless(verb, row.state)) {
      CHECK_MESSAGE((reply.status == 200 || reply.status == 202), reply.body.dump());
      CHECK_FALSE(reply.body.at("actions").at(verb).at("allowed").get<bool>());
      continue;
    }
    CHECK(reply.status == 409);
    CHECK(reply.body.at("code") == "illegal-transition");
    CHECK(reply.body.at("state") == row.state);
    CHECK(!reply.body.at("detail").get<std::string>().empty());
    Verbs allowed;
    for (auto const& name : reply.body.value("allowed_actions", json::array())) {
      allowed.insert(name);
    }
    CHECK_MESSAGE(allowed == row.fits, reply.body.at("allowed_actions").dump());
  }
  CHECK(daemon.run(id).at("revision") == before.at("revision"));
}

}  // namespace

TEST_CASE("every verb in every state") {
  Stage stage;
  for (auto const& row : rows()) {
    CAPTURE(row.what);
    refused_verbs_change_nothing(stage.daemon(), (stage.*row.make)(), row);
    for (auto const& verb : row.fits) {
      CAPTURE(verb);
      auto const id = (stage.*row.make)();
      auto const reply = stage.daemon().post("/api/v1/runs/" + id + "/" + verb,
                                             body_for(verb, stage.daemon().run(id)), "ben");
      CHECK_MESSAGE((reply.status == 200 || reply.status == 202), reply.body.dump());
    }
  }
}

TEST_CASE("a run that is being cancelled takes no other order") {
  Stage stage;
  auto const id = stage.cancelling();
  refused_verbs_change_nothing(
      stage.daemon(), id,
      {.what = "cancelling", .make = nullptr, .state = "cancelling", .fits = {}});
  stage.let_cancel_finish(id);
}

TEST_CASE("a command with an outdated revision is refused, and tells what happened since") {
  Stage stage;
  auto const id = stage.pending();
  auto& daemon = stage.daemon();
  auto const path = "/api/v1/runs/" + id + "/start";
  auto const seen = daemon.get("/api/v1/runs/" + id).headers.at("etag");
  CHECK(daemon.post(path, json::object(), "ana", "If-Match: " + seen + "\r\n").status == 202);
  daemon.until(id, {"succeeded"});
  auto const late = daemon.post("/api/v1/runs/" + id + "/rollback", {{"to", "all"}}, "ben",
                                "If-Match: " + seen + "\r\n");
  CHECK(late.status == 412);
  CHECK(late.body.at("code") == "stale-revision");
}

TEST_CASE(
    "the event stream goes on after the last event that a client has seen, without gap or "
    "repetition") {
  Stage stage;
  auto const id = stage.succeeded();
  auto const all = stage.daemon().events(id);
  auto const whole = stage.daemon().stream("/api/v1/runs/" + id + "/events", "",
                                           [](auto const&) { return false; });
  auto const rest = stage.daemon().stream("/api/v1/runs/" + id + "/events", "Last-Event-ID: 3\r\n",
                                          [](auto const&) { return false; });
  for (auto const& event : all) {
    auto const line = "id: " + std::to_string(event.at("seq").get<int>()) + "\n";
    CHECK(whole.find(line) != std::string::npos);
    CHECK((rest.find(line) != std::string::npos) == (event.at("seq") > 3));
  }
}

// G10 of the scorecard: whoever presses twice, or all at once, enters a phase once.
TEST_CASE("of forty identical advances at once exactly one enters the phase, gate after gate") {
  constexpr int gates = 10;
  constexpr int at_once = 40;
  std::string plan = "runbook: 1\nname: gates\ntitle: Many gates\nphases:\n";
  for (int i = 0; i <= gates; ++i) {
    plan +=
        "  - name: p" + std::to_string(i) +
        "\n    kind: expand\n    steps:\n      - {name: s, sql: SELECT 1, rollback: SELECT 1}\n";
  }
  Scene scene;
  auto const id = scene.daemon.create(plan);
  scene.daemon.verb(id, "start");
  for (int gate = 1; gate <= gates; ++gate) {
    CAPTURE(gate);
    auto const phase = "p" + std::to_string(gate);
    scene.daemon.until(
        id,
        [&](json const& run) {
          return run.at("state") == "waiting" &&
                 run.at("state_message").get<std::string>().ends_with("--to " + phase);
        },
        "the gate of " + phase);
    std::atomic<int> granted{0};
    std::atomic<int> refused{0};
    {
      std::vector<std::jthread> people;
      for (int i = 0; i < at_once; ++i) {
        people.emplace_back([&] {
          auto const status =
              scene.daemon.post("/api/v1/runs/" + id + "/advance", {{"to_phase", phase}}).status;
          (status == 409 ? refused : granted) += 1;
        });
      }
    }
    CHECK(granted == 1);
    CHECK(refused == at_once - 1);
  }
  scene.daemon.until(id, {"succeeded"});
  CHECK(count_kind(scene.daemon.events(id), "phase.entered") == gates + 1);
}

}  // namespace runbookd::testing
