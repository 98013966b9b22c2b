// What people say beside the verbs, over HTTP to a real daemon: remarks, the hold, and gates that
// take two.
#include <memory>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/e2e/scenario.h"
#include "tests/support/free_port.h"
#include "tests/web/client.h"

namespace runbookd::testing {
namespace {

std::string filling(std::string const& name, std::string const& more = "") {
  return "runbook: 1\nname: " + name + "\n" + more +
         "phases:\n  - name: fill\n    kind: backfill\n    steps:\n      - name: fill-b\n"
         "        backfill: {table: t, set: {b: '1'}, where: b IS NULL, batch: {max_rows: 500, "
         "pause: 100ms}}\n        rollback: {nothing: nobody reads b}\n";
}

// Two databases of one daemon, each with a table that takes a while to fill.
struct TwoTargets {
  explicit TwoTargets(std::string const& more_of_plan = "") {
    for (auto* database : {&one, &two}) {
      database->sql("ALTER TABLE t ADD COLUMN b int");
    }
    first = daemon.create(filling("first", more_of_plan), "one");
    second = daemon.create(filling("second", more_of_plan), "two");
  }
  void start_both() {
    for (auto const& run : {first, second}) {
      daemon.verb(run, "start");
      daemon.until(
          run, [](json const& seen) { return seen["live"].contains("backfill"); }, "batches");
    }
  }
  Finished ctl(std::vector<std::string> words) const {
    std::vector<std::string> command{runbookctl_program(), "--addr", daemon.socket(), "--actor",
                                     "olga"};
    command.insert(command.end(), words.begin(), words.end());
    return run_program(command);
  }
  Database one{40'000}, two{40'000};
  RunningDaemon daemon{{.targets = {{"one", one.dsn()}, {"two", two.dsn()}}}};
  std::string first, second;
};

bool tells(std::vector<json> const& events, std::string const& kind, std::string const& words) {
  return std::ranges::any_of(events, [&](json const& event) {
    return event["kind"] == kind && event.dump().find(words) != std::string::npos;
  });
}

std::string const manual_gate = R"(runbook: 1
name: gated
phases:
  - name: look
    kind: other
    steps:
      - {name: s, sql: SELECT 1, rollback: SELECT 1}
    validate:
      - {name: empty, sql: SELECT count(*) FROM t WHERE a = 77, expect: {value: 0}}
  - name: sign
    kind: other
    approval: {from: dba, count: 2}
    steps:
      - {name: s, sql: SELECT 2, rollback: SELECT 2}
)";

}  // namespace

TEST_CASE(
    "a hold pauses every run, nothing starts under it, and nothing goes on when it is lifted") {
  TwoTargets scene;
  scene.start_both();
  auto const set = scene.ctl({"hold", "set", "--reason", "p99 is up"});
  CHECK_MESSAGE(set.exit_code == 0, set.err);
  for (auto const& run : {scene.first, scene.second}) {
    auto const paused = scene.daemon.until(run, {"paused"});
    CHECK(paused["hold"]["reason"] == "p99 is up");
    CHECK(paused["actions"]["resume"]["allowed"] == false);
    CHECK(paused["last_actor"] == "olga");
    CHECK(tells(scene.daemon.events(run), "run.pause_requested", "hold: p99 is up"));
    for (auto const* verb : {"resume", "evaluate"}) {
      auto const refused = scene.daemon.post("/api/v1/runs/" + run + "/" + verb);
      CHECK(refused.status == 409);
    }
    auto const refused = scene.daemon.post("/api/v1/runs/" + run + "/resume").body;
    CHECK(refused["code"] == "held");
    CHECK(refused["detail"].get<std::string>().find("olga") != std::string::npos);
    CHECK(refused["next"] == "runbookctl hold lift");
  }
  auto const fresh = scene.daemon.create(filling("third"), "one");
  CHECK(scene.daemon.post("/api/v1/runs/" + fresh + "/start").status == 409);
  CHECK(scene.daemon.get("/api/v1").body["hold"]["by"] == "olga");
  CHECK(scene.daemon.get("/metrics").body.dump().find("runbookd_hold_active 1") !=
        std::string::npos);
  CHECK(scene.ctl({"status"}).out.find("HOLD: nothing goes forward") != std::string::npos);

  auto const lifted = scene.ctl({"hold", "lift"});
  CHECK_MESSAGE(lifted.exit_code == 0, lifted.err);
  CHECK(scene.daemon.run(scene.first)["state"] == "paused");
  CHECK(tells(scene.daemon.events(scene.first), "run.noted", "stays paused until"));
  CHECK(scene.daemon.get("/api/v1/hold").body["active"] == false);
  scene.daemon.verb(scene.first, "resume");
}

TEST_CASE("under a hold a run can be taken back and given up") {
  TwoTargets scene;
  scene.start_both();
  REQUIRE(scene.ctl({"hold", "set", "--reason", "stop"}).exit_code == 0);
  scene.daemon.until(scene.first, {"paused"});
  scene.daemon.verb(scene.first, "rollback", {{"to", "all"}});
  scene.daemon.until(scene.first, {"rolled_back"});
  scene.daemon.until(scene.second, {"paused"});
  scene.daemon.verb(scene.second, "cancel", {{"confirm", "second"}});
  scene.daemon.until(scene.second, {"cancelled"});
}

TEST_CASE("a daemon that dies among the pauses of a hold has paused all runs when it is back") {
  TwoTargets scene("on_restart: resume\n");
  scene.daemon.kill();
  // dies right after the first of the two pauses is recorded
  REQUIRE(scene.daemon.try_start({"RUNBOOKD_CRASH=stop_recorded:1"}));
  scene.start_both();
  CHECK(scene.ctl({"hold", "set", "--reason", "stop", "--until", "1h"}).exit_code != 0);
  CHECK(scene.daemon.wait_for_end() == 128 + 9);
  scene.daemon.start();
  for (auto const& run : {scene.first, scene.second}) {
    scene.daemon.until(run, {"paused"});
  }
  auto const hold = scene.daemon.get("/api/v1/hold").body;
  CHECK(hold["active"] == true);
  CHECK(hold["by"] == "olga");
  CHECK(!hold["until"].is_null());
}

TEST_CASE("a hold ends when its time is over, and a run says that it stays paused") {
  TwoTargets scene;
  scene.start_both();
  REQUIRE(scene.ctl({"hold", "set", "--reason", "short", "--until", "1s"}).exit_code == 0);
  scene.daemon.until(
      scene.first, [](json const& run) { return run["hold"].is_null() && !run["notes"].empty(); },
      "the end of the hold");
  CHECK(scene.daemon.run(scene.first)["state"] == "paused");
  CHECK(tells(scene.daemon.events(scene.first), "run.noted", "its time is over"));
}

TEST_CASE("a remark stands in the run's record, and moves no revision that somebody acts on") {
  TwoTargets scene;
  auto const before = scene.daemon.run(scene.first)["revision"].get<int>();
  auto const noted = scene.ctl({"note", scene.first, "looked at it: fine"});
  CHECK_MESSAGE(noted.exit_code == 0, noted.err);
  auto const run = scene.daemon.run(scene.first);
  CHECK(run["notes"][0]["actor"] == "olga");
  CHECK(run["notes"][0]["text"] == "looked at it: fine");
  CHECK(run["state"] == "pending");
  CHECK(scene.daemon.post("/api/v1/runs/" + scene.first + "/notes", {{"text", ""}}).status == 400);
  auto const seen = "If-Match: \"" + std::to_string(before) + "\"\r\n";
  CHECK(scene.daemon.post("/api/v1/runs/" + scene.first + "/start", json::object(), "ana", seen)
            .status < 300);
  CHECK(scene.daemon.post("/api/v1/runs/" + scene.first + "/pause", json::object(), "ana", seen)
            .status == 412);
  CHECK(scene.ctl({"events", scene.first}).out.find("note: looked at it") != std::string::npos);
}

TEST_CASE("a wish that is only tried has the answer of a real one, and no effect") {
  TwoTargets scene;
  auto const path = "/api/v1/runs/" + scene.first;
  auto const events = scene.daemon.events(scene.first).size();
  auto const tried = scene.daemon.post(path + "/start?dry_run=true");
  CHECK(tried.status == 202);
  CHECK(tried.body["would_be"] == "running");
  CHECK(tried.body["state"] == "pending");
  auto const refused = scene.daemon.post(path + "/resume?dry_run=true");
  CHECK(refused.status == 409);
  CHECK(refused.body["code"] == "illegal-transition");
  CHECK(scene.daemon.post(path + "/pause?dry_run=perhaps").status == 400);
  CHECK(scene.daemon.events(scene.first).size() == events);
  CHECK(scene.ctl({"start", scene.first, "--dry-run"}).out.find("would be running") !=
        std::string::npos);
  CHECK(scene.daemon.run(scene.first)["state"] == "pending");
}

TEST_CASE(
    "who made the run or brought the plan signs nothing, and a signature is for one opening") {
  Scene scene;
  scene.daemon.upload(manual_gate);  // by local, who says no name
  auto const run = scene.daemon.create(manual_gate, "main", "carla");
  scene.daemon.verb(run, "start");
  auto const waiting = scene.daemon.until(run, {"waiting"});
  auto const approve = [&](std::string const& actor, json more = json::object()) {
    more["phase"] = "sign";
    return scene.daemon.post("/api/v1/runs/" + run + "/approve", more, actor);
  };
  CHECK(approve("carla").body["code"] == "self-approval");
  CHECK(approve("local").body["code"] == "self-approval");
  json const seen{{"gate", waiting["gate"]}};
  CHECK(approve("ben", seen).status == 200);
  scene.daemon.verb(run, "evaluate", json::object(), "carla");
  auto const again = scene.daemon.until(run, {"waiting"});
  CHECK(again["phases"][1]["approvals"]["by"].empty());
  auto const replayed = approve("ben", seen);
  CHECK(replayed.status == 409);
  CHECK(replayed.body["code"] == "approval-stale");
  CHECK(approve("ben", {{"gate", again["gate"]}}).status == 200);
  CHECK(approve("ben").status == 200);  // the same person twice is one
  CHECK(scene.daemon.post("/api/v1/runs/" + run + "/advance", {{"to_phase", "sign"}}).status ==
        409);
  CHECK(
      scene.daemon.post("/api/v1/runs/" + run + "/withdraw", {{"phase", "sign"}}, "dora").status ==
      409);
  CHECK(scene.daemon.post("/api/v1/runs/" + run + "/withdraw", {{"phase", "sign"}}, "ben").status ==
        200);
  CHECK(scene.daemon.run(run)["phases"][1]["approvals"]["by"].empty());
}

namespace {

// Tokens for people, asked over TCP.
struct People {
  int port = free_port();
  Database database;
  RunningDaemon daemon{
      {.targets = {{"main", database.dsn()}}, .also_listen = "127.0.0.1:" + std::to_string(port)}};

  std::string token(std::string const& name, std::string const& role) const {
    auto const made =
        run_program({runbookd_program(), "--config", daemon.folder() + "/runbookd.yaml", "token",
                     "create", "--principal", name, "--role", role});
    REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    return made.out.substr(0, made.out.find('\n'));
  }
  Reply ask(std::string const& method, std::string const& path, std::string const& token,
            json const& body = json::object()) const {
    web::test::Client client("127.0.0.1:" + std::to_string(port));
    auto const text = method == "GET" ? std::string() : body.dump();
    client.send(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
                token + "\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(text.size()) + "\r\n\r\n" + text);
    auto const answer = client.read_answer();
    return {.status = answer.status,
            .body = json::parse(answer.body, nullptr, false),
            .headers = answer.headers};
  }
};

}  // namespace

TEST_CASE("checks that failed are gone past by an admin and a second person, and nobody alone") {
  People people;
  auto const operates = people.token("ana", "operator");
  auto const root = people.token("root", "admin");
  auto const ben = people.token("ben", "approver");
  people.database.sql("INSERT INTO t VALUES (9999, 77)");
  auto const plan = people.ask("POST", "/api/v1/plans", operates, json::parse(R"({
    "runbook": 1, "name": "p", "phases": [{"name": "look", "kind": "other",
    "steps": [{"name": "s", "sql": "SELECT 1", "rollback": "SELECT 1"}],
    "validate": [{"name": "empty", "sql": "SELECT count(*) FROM t WHERE a = 77",
                  "expect": {"value": 0}}]}]})"));
  REQUIRE_MESSAGE(plan.status < 300, plan.body.dump());
  auto const made = people.ask("POST", "/api/v1/runs", operates,
                               {{"plan", plan.body["digest"]}, {"target", "main"}});
  std::string const run = made.body["run"];
  auto const path = "/api/v1/runs/" + run;
  auto const ask = [&](std::string const& verb, std::string const& token, json const& body) {
    return people.ask("POST", path + "/" + verb, token, body);
  };
  auto const state_is = [&](std::string const& wanted) {
    for (int i = 0; i < 600; ++i) {
      if (people.ask("GET", path, root).body["state"] == wanted) {
        return true;
      }
      usleep(50'000);
    }
    return false;
  };
  REQUIRE(ask("start", operates, json::object()).status < 300);
  REQUIRE(state_is("failed"));

  json const why{{"phase", "look"}, {"reason", "the row is ours"}};
  CHECK(ask("override", operates, why).body["code"] == "capability-missing");
  CHECK(ask("override", ben, why).body["code"] == "capability-missing");
  CHECK(ask("override", root, {{"phase", "look"}}).body["code"] == "reason-required");
  CHECK(ask("countersign", ben, {{"phase", "look"}}).status == 409);
  CHECK(ask("override", root, why).status == 200);
  CHECK(ask("countersign", root, {{"phase", "look"}}).body["code"] == "self-approval");
  CHECK(ask("countersign", operates, {{"phase", "look"}}).body["code"] == "capability-missing");
  CHECK(people.ask("GET", path, root).body["state"] == "failed");
  CHECK(ask("countersign", ben, {{"phase", "look"}}).status < 300);
  REQUIRE(state_is("succeeded"));
  auto const done = people.ask("GET", path, root).body;
  CHECK(done["overrides"][0]["asked_by"] == "root");
  CHECK(done["overrides"][0]["confirmed_by"] == "ben");
  CHECK(done["phases"][0]["checks"][0]["result"] == "overridden");
  people.daemon.restart();
  CHECK(people.ask("GET", path, root).body["phases"][0]["checks"][0]["result"] == "overridden");
}

TEST_CASE("a role on some targets sets and lifts no hold, which touches all of them") {
  People people;
  auto const some = people.token("eve", "admin@main");
  auto const oncall = people.token("olga", "oncall");
  auto const operates = people.token("ana", "operator");
  json const why{{"reason", "stop"}};
  CHECK(people.ask("PUT", "/api/v1/hold", some, why).status == 403);
  CHECK(people.ask("PUT", "/api/v1/hold", oncall, json::object()).status == 400);
  CHECK(people.ask("PUT", "/api/v1/hold", oncall, why).body["by"] == "olga");
  CHECK(people.ask("DELETE", "/api/v1/hold", oncall).status == 403);
  CHECK(people.ask("DELETE", "/api/v1/hold", some).status == 403);
  CHECK(people.ask("GET", "/api/v1/hold", some).body["reason"] == "stop");
  CHECK(people.ask("DELETE", "/api/v1/hold", operates).body["active"] == false);
}

}  // namespace runbookd::testing
