// The audit of a real daemon: who asked for what and what was decided, with the change it is about.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "planner/digest.h"
#include "store/check.h"
#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

bool has(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

std::vector<json> entries(RunningDaemon const& daemon, std::string const& query) {
  auto const reply = daemon.get("/api/v1/audit?limit=500&" + query);
  REQUIRE_MESSAGE(reply.status == 200, reply.body.dump());
  auto const list = reply.body["entries"];
  return {list.rbegin(), list.rend()};
}

json last_of(RunningDaemon const& daemon, std::string const& action) {
  auto const found = entries(daemon, "action=" + action);
  REQUIRE_MESSAGE(!found.empty(), action);
  return found.back();
}

std::string audit_verify_program() {
  return std::filesystem::path(runbookd_program()).parent_path() / "runbookd-audit-verify";
}

// No file of the daemon may grow while one lives: for the store that is a full disk.
class FullDisk {
 public:
  explicit FullDisk(pid_t daemon) : daemon_(daemon) {
    ::prlimit(daemon_, RLIMIT_FSIZE, nullptr, &before_);
    auto none = before_;
    none.rlim_cur = 0;
    REQUIRE(::prlimit(daemon_, RLIMIT_FSIZE, &none, nullptr) == 0);
  }
  ~FullDisk() { ::prlimit(daemon_, RLIMIT_FSIZE, &before_, nullptr); }
  FullDisk(FullDisk const&) = delete;
  FullDisk& operator=(FullDisk const&) = delete;

 private:
  pid_t daemon_;
  rlimit before_{};
};

constexpr auto key_of_hand = "Idempotency-Key: 5f0c-1\r\n";

}  // namespace

TEST_CASE("each request that wants a change leaves one entry, allowed or refused") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  scene.daemon.verb(id, "start", {{"reason", "the window is open"}});
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.daemon.post("/api/v1/runs/" + id + "/start", json::object(), "ben").status == 409);
  CHECK(scene.daemon.post("/api/v1/runs/" + id + "/cancel", {{"confirm", 7}}).status == 400);

  auto const of_run = entries(scene.daemon, "run=" + id);
  REQUIRE(of_run.size() == 4);
  CHECK(of_run[0]["action"] == "runs.create");
  CHECK(of_run[0]["outcome"] == "allowed");
  CHECK(of_run[0]["target"] == "main");
  CHECK(of_run[0]["after"]["revision"] == 1);

  auto const& start = of_run[1];
  CHECK(start["action"] == "start");
  CHECK(start["actor"] == "ana");
  CHECK(start["proven"] == false);
  CHECK(start["reason"] == "the window is open");
  CHECK(start["before"]["state"] == "pending");
  CHECK(start["after"]["state"] == "running");
  CHECK(start["plan"].get<std::string>().starts_with("sha256:"));
  REQUIRE(start["events"].size() == 1);
  CHECK(start["events"][0]["revision"] == start["after"]["revision"]);

  CHECK(of_run[2]["actor"] == "ben");
  CHECK(of_run[2]["outcome"] == "failed");
  CHECK(of_run[2]["problem"] == "illegal-transition");
  CHECK(of_run[2]["status"] == 409);
  CHECK(of_run[3]["problem"] == "malformed");
  CHECK(last_of(scene.daemon, "plans.create")["outcome"] == "allowed");
  CHECK(last_of(scene.daemon, "daemon.started")["kind"] == "system");
}

TEST_CASE("reads leave no entry, reading the audit does") {
  Scene scene;
  auto const before = entries(scene.daemon, "").size();
  CHECK(scene.daemon.get("/api/v1/runs").status == 200);
  CHECK(scene.daemon.get("/api/v1/plans").status == 200);
  auto const now = entries(scene.daemon, "");
  CHECK(now.size() == before + 1);
  CHECK(now.back()["action"] == "audit");
  CHECK(now.back()["kind"] == "read");
}

TEST_CASE(
    "an exported audit is found sound by the program that asks nobody, and not when changed") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(2)));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  auto const ctl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {runbookctl_program(), "--addr", scene.daemon.socket(), "audit"});
    return run_program(words);
  };
  auto const checkpoint = ctl({"checkpoint"});
  REQUIRE(checkpoint.exit_code == 0);
  auto const folder = scene.daemon.folder();
  std::ofstream(folder + "/kept") << checkpoint.out;
  auto const exported = ctl({"export", "--to", folder + "/audit"});
  CAPTURE(exported.err);
  REQUIRE(exported.exit_code == 0);
  CHECK(ctl({"export", "--to", folder + "/audit"}).exit_code == 1);  // nothing is overwritten

  auto const key = ctl({"key"}).out;
  auto const judged = run_program({audit_verify_program(), folder + "/audit", "--checkpoint",
                                   folder + "/kept", "--key", key.substr(0, key.size() - 1)});
  CAPTURE(judged.out);
  CAPTURE(judged.err);
  CHECK(judged.exit_code == 0);

  auto text = file_text(folder + "/audit");
  auto const at = text.find("\"actor\":\"ana\"");
  REQUIRE(at != std::string::npos);
  text.replace(at, 13, "\"actor\":\"eve\"");
  std::ofstream(folder + "/changed") << text;
  auto const found = run_program({audit_verify_program(), folder + "/changed"});
  CHECK(found.exit_code == 1);
  CHECK(has(found.out, "does not have its hash"));
  CHECK(run_program({audit_verify_program(), folder + "/missing"}).exit_code == 2);
  CHECK(run_program({audit_verify_program()}).exit_code == 2);

  auto const verified = ctl({"verify"});
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.starts_with("sound: "));
  auto const searched = ctl({"search", "--run", id, "--action", "start"});
  CHECK(has(searched.out, "start  allowed  " + id + "  (pending to running)"));
}

TEST_CASE("the report of a run holds who did what, what the checks saw, and what proves it") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(
      column_steps(1),
      "validate: [{name: nothing-left, sql: 'SELECT count(*) FROM t WHERE false', expect: {value: "
      "0}}]"));
  scene.daemon.verb(id, "start", {{"reason", "<script>alert(1)</script> | *now*"}});
  scene.daemon.until(id, {"succeeded"});
  auto const json_form = scene.daemon.get("/api/v1/runs/" + id + "/report");
  REQUIRE(json_form.status == 200);
  auto const& report = json_form.body;
  CHECK(report["run"]["state"] == "succeeded");
  CHECK(planner::digest_text(report["plan"].get<std::string>()) == report["run"]["plan"]["digest"]);
  auto const events = scene.daemon.events(id);
  REQUIRE(report["events"].size() == events.size());
  // the last entry is that of this report, and it holds the hash of the run's last event
  auto const last = report["audit"].back();
  auto const entry = json::parse(last["entry"].get<std::string>());
  CHECK(entry["action"] == "runs.report");
  CHECK(entry["events"][0]["revision"] == events.size());
  CHECK(entry["events"][0]["hash"] == report["events"].back()["hash"]);
  CHECK(has(report["checkpoint"], report["key"].get<std::string>().substr(0, 20)));

  auto const form = [&](std::string const& name) {
    auto const told = run_program({runbookctl_program(), "--addr", scene.daemon.socket(), "run",
                                   "report", id, "--format", name});
    REQUIRE(told.exit_code == 0);
    return told.out;
  };
  auto const html = form("html");
  CHECK(html.starts_with("<!doctype html>"));
  CHECK_FALSE(has(html, "<script"));
  CHECK(has(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  CHECK(has(html, "nothing-left"));
  auto const markdown = form("md");
  CHECK(markdown.starts_with("# Evidence of run "));
  CHECK(has(markdown, "nothing-left"));
  CHECK(has(markdown, "\\|"));
  CHECK(scene.daemon.get("/api/v1/runs/" + id + "/report?format=pdf").status == 400);
  CHECK(scene.daemon.get("/api/v1/runs/run_000000000000/report").status == 404);
}

TEST_CASE("a daemon whose events were written anew says so when its audit is verified") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.daemon.get("/api/v1/audit/verify").body["ok"] == true);
  CHECK(scene.daemon.terminate() == 0);
  {
    auto const opened = store::open_at_rest(scene.daemon.store_path());
    REQUIRE(opened);
    (*opened).connection->run_script(
        "DROP TRIGGER event_stays; UPDATE event SET actor = 'eve', hash = hex(randomblob(32)) "
        "WHERE seq = 1");
  }
  scene.daemon.start();
  auto const found = scene.daemon.get("/api/v1/audit/verify").body;
  CHECK(found["ok"] == false);
  CHECK(has(found["problem"], id));
}

TEST_CASE(
    "a key that is lost is made anew, and that is told; what the old one signed stays valid") {
  Scene scene;
  auto const old_key = scene.daemon.get("/api/v1/audit/key").body["key"];
  CHECK(scene.daemon.terminate() == 0);
  std::filesystem::remove(scene.daemon.store_path() + ".audit-key");
  scene.daemon.start();
  CHECK(scene.daemon.get("/api/v1/audit/key").body["key"] != old_key);
  CHECK(has(last_of(scene.daemon, "audit.key-changed")["detail"], old_key));
  CHECK(scene.daemon.get("/api/v1/audit/verify").body["ok"] == true);
}

TEST_CASE("while the audit takes no entry nothing goes on, and what stops is done and told late") {
  Scene scene;
  auto const slow = scene.daemon.create(plan_text({{.name = "slow",
                                                    .forward = "SELECT pg_sleep(120)",
                                                    .backward = "SELECT 1",
                                                    .more = "statement_timeout: 10m"}}));
  auto const other = scene.daemon.upload(plan_text(column_steps(1)));
  scene.daemon.verb(slow, "start");
  scene.database.until(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = "
      "'active' AND pid <> pg_backend_pid()");
  {
    FullDisk const full(scene.daemon.pid());
    // its change and its entry are one commit, which fails as a whole
    auto const wanted = json{{"plan", other}, {"target", "main"}};
    CHECK(scene.daemon.post("/api/v1/runs", wanted).status == 503);
    CHECK(scene.daemon.get("/api/v1/runs").body["runs"].size() == 1);
    auto const read = scene.daemon.get("/api/v1/audit");
    CHECK(read.status == 503);
    CHECK(read.body["code"] == "audit-unavailable");
    CHECK(scene.daemon.post("/api/v1/store/backup").body["code"] == "audit-unavailable");
    CHECK(scene.daemon.post("/api/v1/runs/" + slow + "/pause", {{"mode", "now"}}).status < 300);
    scene.database.until(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = "
        "'active' AND pid <> pg_backend_pid()");
  }
  scene.daemon.until(slow, {"paused"});
  auto const pause = [&]() -> json {
    for (int tries = 0; tries < 200; ++tries) {
      if (auto const found = entries(scene.daemon, "action=pause"); !found.empty()) {
        return found.back();
      }
    }
    return {};
  }();
  CHECK(pause["late"] == true);
  CHECK(pause["outcome"] == "allowed");
  CHECK(pause["run"] == slow);
  // what was refused meanwhile is told late too
  auto const refused = last_of(scene.daemon, "runs.create");
  CHECK(refused["late"] == true);
  CHECK(refused["status"] == 503);
  CHECK(scene.daemon.get("/api/v1/audit/verify").body["ok"] == true);
}

TEST_CASE("while the audit takes no entry a backfill can be slowed down at once, and not sped up") {
  Scene scene(20'000);
  scene.database.sql("ALTER TABLE t ADD COLUMN b int");
  auto const id = scene.daemon.create(
      "runbook: 1\nname: fill\nphases:\n  - name: fill\n    kind: backfill\n    steps:\n"
      "      - name: fill-b\n        backfill:\n          table: t\n          set: {b: '1'}\n"
      "          where: b IS NULL\n          batch: {max_rows: 500, pause: 100ms}\n"
      "        rollback: {nothing: nobody reads b}\n");
  scene.daemon.verb(id, "start");
  scene.database.until("SELECT count(*) > 0 FROM t WHERE b IS NOT NULL");
  auto const filled = [&] { return scene.database.sql("SELECT count(*) FROM t WHERE b = 1"); };
  {
    FullDisk const full(scene.daemon.pid());
    CHECK(scene.daemon.post("/api/v1/runs/" + id + "/throttle", {{"stop", true}}).status < 300);
    scene.daemon.until(
        id,
        [](json const& run) {
          auto const& live = run.at("live");
          return live.contains("throttle") && live["throttle"].value("state", "") == "stopped";
        },
        "the backfill to stand still");
    auto const at_rest = filled();
    CHECK(scene.daemon.post("/api/v1/runs/" + id + "/throttle", {{"off", true}}).status == 503);
    CHECK(filled() == at_rest);
  }
  scene.daemon.until(
      id, [](json const& run) { return !run.at("store_degraded").get<bool>(); }, "the store");
  CHECK(count_kind(scene.daemon.events(id), "run.throttled") == 1);
  scene.daemon.verb(id, "throttle", {{"off", true}});
  scene.daemon.until(id, {"succeeded"});
}

TEST_CASE("a request that comes again with its key is answered again and not carried out again") {
  Scene scene;
  auto const digest = scene.daemon.upload(plan_text(column_steps(1)));
  json const wanted{{"plan", digest}, {"target", "main"}};
  auto const first = scene.daemon.post("/api/v1/runs", wanted, "ana", key_of_hand);
  REQUIRE(first.status == 201);
  auto const again = scene.daemon.post("/api/v1/runs", wanted, "ana", key_of_hand);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.headers.at("idempotency-replayed") == "true");
  CHECK(again.headers.at("location") == first.headers.at("location"));
  CHECK(scene.daemon.get("/api/v1/runs").body["runs"].size() == 1);

  auto const another = scene.daemon.post("/api/v1/runs", {{"plan", digest}, {"target", "other"}},
                                         "ana", key_of_hand);
  CHECK(another.status == 422);
  CHECK(another.body["code"] == "idempotency-key-reused");
  // somebody else's key is another key
  CHECK(scene.daemon.post("/api/v1/runs", wanted, "ben", key_of_hand).status == 201);
  CHECK(last_of(scene.daemon, "runs.create")["outcome"] == "allowed");
  CHECK(entries(scene.daemon, "outcome=replayed").size() == 1);
}

TEST_CASE("what was decided is answered again after the daemon was killed") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  auto const path = "/api/v1/runs/" + id + "/start";
  auto const first = scene.daemon.post(path, json::object(), "ana", key_of_hand);
  REQUIRE(first.status < 300);
  scene.daemon.until(id, {"succeeded"});
  auto const events = scene.daemon.events(id).size();
  scene.daemon.restart();
  auto const again = scene.daemon.post(path, json::object(), "ana", key_of_hand);
  CHECK(again.status == first.status);
  CHECK(again.body == first.body);
  CHECK(again.headers.contains("idempotency-replayed"));
  CHECK(scene.daemon.events(id).size() == events);
}

TEST_CASE(
    "a daemon that dies between a change and its answer has kept the answer with the change") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  scene.daemon.kill();
  REQUIRE(scene.daemon.try_start({"RUNBOOKD_CRASH=command_recorded"}));
  auto const path = "/api/v1/runs/" + id + "/start";
  CHECK_THROWS(scene.daemon.post(path, json::object(), "ana", key_of_hand));
  CHECK(scene.daemon.wait_for_end() == 128 + 9);
  scene.daemon.start();
  auto const again = scene.daemon.post(path, json::object(), "ana", key_of_hand);
  CHECK(again.status == 202);
  CHECK(again.body["run"] == id);
  CHECK(again.headers.contains("idempotency-replayed"));
  CHECK(count_kind(scene.daemon.events(id), "run.started") == 1);
  CHECK(entries(scene.daemon, "action=start").size() == 2);
}

TEST_CASE("a refusal is kept too, so that a late duplicate cannot do what was refused") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  auto const path = "/api/v1/runs/" + id + "/resume";
  CHECK(scene.daemon.post(path, json::object(), "ana", key_of_hand).status == 409);
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  auto const again = scene.daemon.post(path, json::object(), "ana", key_of_hand);
  CHECK(again.status == 409);
  CHECK(again.headers.contains("idempotency-replayed"));
  CHECK(again.body["state"] == "pending");
}

TEST_CASE("a token's text is in no file of the store, also not where its maker may ask again") {
  Scene scene;
  auto const made = scene.daemon.post(
      "/api/v1/tokens", {{"principal", "ben"}, {"roles", {"viewer"}}}, "ana", key_of_hand);
  REQUIRE(made.status == 201);
  std::string const secret = made.body["secret"];
  for (auto const& file : {"", "-wal"}) {
    CHECK_FALSE(has(file_text(scene.daemon.store_path() + file), secret.substr(13)));
  }
}

}  // namespace runbookd::testing
