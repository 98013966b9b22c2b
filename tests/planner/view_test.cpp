// The snapshot of a run, at every place where a run can stand.
#include "planner/view.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using namespace std::chrono_literals;
using nlohmann::json;

Life at_second_gate() {
  Life life(whole_plan());
  life.start();
  return life;
}

Life in_backfill() {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  return life;
}

Life soaking() {
  auto life = in_backfill();
  life.go_on();
  life.ask(Confirm{"backfill/deploy"});
  life.go_on();
  life.time_passes(10s);
  return life;
}

Life at_last_gate() {
  auto life = soaking();
  life.go_on();
  life.time_passes(1min);
  life.go_on();
  return life;
}

TEST_CASE("a new run says how it was made and how to start it") {
  Life const life(whole_plan());
  auto const run = life.snapshot();
  CHECK(run["run"] == "run_0a1b2c3d4e5f");
  CHECK(run["plan"] ==
        json{{"digest", "sha256:abc"}, {"name", "add-currency"}, {"title", "Add a currency"}});
  CHECK(run["target"] == "main");
  CHECK(run["note"] == "at night");
  CHECK(run["state"] == "pending");
  CHECK(run["revision"] == 1);
  CHECK(run["created_by"] == "ana");
  CHECK(run["created_at"] == "1970-01-01T01:00:00.000Z");
  CHECK(run["current"].is_null());
  CHECK(run["progress"] == json{{"steps_done", 0}, {"steps_total", 6}});
  CHECK(run["state_message"] == "not started yet; to start it: runbookctl start run_0a1b2c3d4e5f");
  CHECK(run["waiting_on"][0]["kind"] == "start");
}

TEST_CASE("actions are the machine's, with reasons") {
  Life const life(whole_plan());
  auto const verbs = life.snapshot()["actions"];
  CHECK(verbs.size() == 17);
  CHECK(verbs["start"] == json{{"allowed", true}});
  CHECK(verbs["resume"]["allowed"] == false);
  CHECK_FALSE(verbs["resume"]["why_not"].get<std::string>().empty());
}

TEST_CASE("at an open gate the message holds the command that opens the next phase") {
  auto const life = at_second_gate();
  CHECK(
      life.message() ==
      "phase expand is done; to enter backfill: runbookctl advance run_0a1b2c3d4e5f --to backfill");
  auto const waits = life.snapshot()["waiting_on"];
  CHECK(waits.size() == 1);
  CHECK(waits[0]["kind"] == "advance");
  CHECK(waits[0]["phase"] == "backfill");
}

TEST_CASE("phases before the gate are done, the one behind it is gated, the rest is pending") {
  auto const life = at_second_gate();
  CHECK(life.phase(0)["state"] == "succeeded");
  CHECK(life.phase(1)["state"] == "gated");
  CHECK(life.phase(2)["state"] == "pending");
}

TEST_CASE("checks that were not run yet are open and say what they expect") {
  auto const life = at_second_gate();
  auto const done = life.phase(0)["checks"];
  REQUIRE(done.size() == 2);
  CHECK(done[0]["stage"] == "requirements");
  CHECK(done[0]["name"] == "ready");
  CHECK(done[1]["result"] == "passed");
  CHECK(done[1]["actual"] == "value 0");
  CHECK(done[1]["duration_ms"] == 4);
  auto const open = life.snapshot()["final_checks"][0];
  CHECK(open["result"] == "open");
  CHECK(open["expected"] == "value 0");
  CHECK(open["actual"].is_null());
  CHECK(open["at"].is_null());
}

TEST_CASE("baselines keep the difference between NULL and a text") {
  auto const baselines = at_second_gate().snapshot()["baselines"];
  CHECK(baselines["total"] == "7");
  CHECK(baselines["none"].is_null());
}

TEST_CASE("a finished step tells its time, its lock wait and its rows") {
  auto const step = at_second_gate().step(0, 0);
  CHECK(step["state"] == "succeeded");
  CHECK(step["attempts"] == 1);
  CHECK(step["tries_for_lock"] == 1);
  CHECK(step["duration_ms"] == 40);
  CHECK(step["lock_wait_ms"] == 5);
  CHECK(step["rows"] == 3);
  CHECK_FALSE(step.contains("message"));
}

TEST_CASE("a step that nobody tried has no time and no rows") {
  auto const step = Life(whole_plan()).step(0, 0);
  CHECK(step["attempts"] == 0);
  CHECK(step["tries_for_lock"] == 0);
  CHECK(step["duration_ms"].is_null());
  CHECK(step["rows"].is_null());
}

TEST_CASE("a manual step waits with its text and the command") {
  auto life = in_backfill();
  life.go_on();
  auto const run = life.snapshot();
  CHECK(run["state"] == "waiting");
  CHECK(run["waiting_on"][0]["kind"] == "manual");
  CHECK(run["waiting_on"][0]["step"] == "deploy");
  CHECK(run["state_message"] ==
        "step backfill/deploy is to be done by hand: deploy version 2; when it is done: runbookctl "
        "confirm run_0a1b2c3d4e5f backfill/deploy");
  CHECK(run["current"]["activity"] == "by_hand");
  CHECK(run["phases"][1]["steps"][1]["manual"] == "deploy version 2");
}

TEST_CASE("a wait step tells when it ends") {
  auto life = in_backfill();
  life.go_on();
  life.ask(Confirm{"backfill/deploy"});
  life.go_on();
  auto const run = life.snapshot();
  CHECK(run["current"]["step"] == "rest");
  CHECK(run["current"]["activity"] == "waiting");
  CHECK(run["waiting_on"][0]["until"] == to_rfc3339(life.now + 10s));
  CHECK(life.message() == "step backfill/rest waits until " + to_rfc3339(life.now + 10s));
}

TEST_CASE("a soaking phase tells until when") {
  auto const life = soaking();
  auto const run = life.snapshot();
  CHECK(run["stage"] == "soak");
  CHECK(run["phases"][1]["state"] == "soaking");
  CHECK(run["phases"][1]["soak_until"] == to_rfc3339(life.now + 1min));
  CHECK(run["waiting_on"][0]["kind"] == "timer");
  CHECK(run["state_message"] == "phase backfill soaks until " + to_rfc3339(life.now + 1min));
}

TEST_CASE("a gate with an approval and a timer names both") {
  auto const life = at_last_gate();
  auto const waits = life.snapshot()["waiting_on"];
  REQUIRE(waits.size() == 2);
  CHECK(waits[0]["kind"] == "approval");
  CHECK(waits[0]["message"] ==
        "phase contract needs 2 approvals of dba (a name for people: who may sign is said by "
        "roles): runbookctl approve run_0a1b2c3d4e5f --phase contract");
  CHECK(waits[1]["kind"] == "timer");
  CHECK(waits[1]["until"] == to_rfc3339(Moment{2h}));
  CHECK(life.phase(2)["approvals"] == json{{"needed", 2}, {"from", "dba"}, {"by", json::array()}});
}

TEST_CASE("where only time keeps a gate shut the message says what comes then") {
  auto life = at_last_gate();
  life.ask(Approve{"contract"}, "ben");
  life.ask(Approve{"contract"}, "cleo");
  CHECK(life.phase(2)["approvals"]["by"] == json{"ben", "cleo"});
  CHECK(life.message().ends_with("; then: runbookctl advance run_0a1b2c3d4e5f --to contract"));
}

TEST_CASE("a run at work shows its attempt and what the daemon sees") {
  auto life = in_backfill();
  life.go_until("fill");
  life.live.activity = "backfilling";
  life.live.backend_pid = 77;
  life.live.progress = Progress{.rows_scanned = 684,
                                .rows_changed = 600,
                                .rows_total = 1000,
                                .rows_per_second = 10,
                                .mean_rows_per_second = 20};
  auto const run = life.snapshot();
  CHECK(run["current"] == json{{"phase", "backfill"},
                               {"step", "fill"},
                               {"attempt", 1},
                               {"activity", "backfilling"},
                               {"direction", "forward"}});
  CHECK(run["live"]["pid"] == 77);
  CHECK(run["live"]["backfill"]["percent"] == doctest::Approx(68.4));
  CHECK(run["live"]["backfill"]["eta_ms"]["soonest"] < run["live"]["backfill"]["eta_ms"]["latest"]);
  CHECK(run["state_message"] == "step backfill/fill is filling in: 68.4 %, 600 rows changed");
}

TEST_CASE("a backfill whose total is not known has no percentage") {
  auto life = in_backfill();
  life.go_until("fill");
  life.live.progress = Progress{.rows_scanned = 684};
  CHECK(life.snapshot()["live"]["backfill"]["percent"].is_null());
}

TEST_CASE("a wait for a lock names who holds it") {
  auto life = in_backfill();
  life.go_until("fill");
  life.live.waiting = 3s;
  life.live.blockers = {{.pid = 12,
                         .application = "psql",
                         .query = "SELECT 1",
                         .transaction_age = 40s,
                         .lock_mode = "AccessShareLock",
                         .relation = "t"}};
  CHECK(life.message() ==
        "step backfill/fill waits for a lock for 3s on t, held by pid 12 (psql), 40s in its "
        "transaction");
  auto const run = life.snapshot();
  CHECK(run["waiting_on"][0]["kind"] == "lock");
  CHECK(run["live"]["blockers"][0]["lock_mode"] == "AccessShareLock");
  CHECK(run["live"]["waiting_ms"] == 3000);
}

TEST_CASE("a blocker's query is cut at 500 characters, never inside one") {
  Life life(whole_plan());
  std::string query;
  for (int i = 0; i < 600; ++i) {
    query += "ü";
  }
  life.live.blockers = {{.pid = 1, .query = query}};
  auto const shown = life.snapshot()["live"]["blockers"][0]["query"].get<std::string>();
  CHECK(shown == query.substr(0, 1000) + "…");
}

TEST_CASE("bytes that are not UTF-8 do not stop a snapshot") {
  Life life(whole_plan());
  life.live.blockers = {{.pid = 1, .user = "\xff\xfe", .query = "SELECT '\xc3\x28'"}};
  life.history.note = "\x80";
  life.history.problem = "\xf0\x28";
  auto const run = life.snapshot();
  CHECK(run["live"]["blockers"][0]["user"] == "��");
  CHECK(run["note"] == "�");
  CHECK(life.message().starts_with("�("));
}

TEST_CASE("a store that cannot be written is said first") {
  auto life = at_second_gate();
  life.live.store_degraded = true;
  CHECK(life.snapshot()["store_degraded"] == true);
  CHECK(life.message().starts_with("the daemon cannot write to its store"));
}

TEST_CASE("a run that succeeded says so and needs nothing") {
  auto life = at_last_gate();
  life.ask(Approve{"contract"}, "ben");
  life.ask(Approve{"contract"}, "cleo");
  life.time_passes(2h);
  life.ask(Advance{.to_phase = "contract"});
  life.go_on();
  auto const run = life.snapshot();
  CHECK(run["state"] == "succeeded");
  CHECK(run["state_message"] == "all 6 steps are done");
  CHECK(run["waiting_on"].empty());
  CHECK(run["current"].is_null());
  CHECK(run["phases"][2]["state"] == "succeeded");
  CHECK(run["final_checks"][0]["result"] == "passed");
  CHECK(run["progress"] == json{{"steps_done", 6}, {"steps_total", 6}});
}

TEST_CASE(
    "the first step that nothing takes back is the point of no return, and is passed once it ran") {
  auto life = at_last_gate();
  CHECK(life.snapshot()["point_of_no_return"] == json{{"phase", "contract"},
                                                      {"step", "drop"},
                                                      {"reason", "the data of b is gone"},
                                                      {"passed", false}});
  life.ask(Approve{"contract"}, "ben");
  life.ask(Approve{"contract"}, "cleo");
  life.time_passes(2h);
  life.ask(Advance{.to_phase = "contract"});
  life.go_on();
  CHECK(life.snapshot()["point_of_no_return"]["passed"] == true);
}

TEST_CASE("a plan that can be taken back whole has no point of no return") {
  auto plan = whole_plan();
  plan.phases.pop_back();
  CHECK(Life(plan).snapshot()["point_of_no_return"].is_null());
}

TEST_CASE("a phase says what its gate will ask for, before the run is there") {
  auto const phases = Life(whole_plan()).snapshot()["phases"];
  CHECK(phases[1]["soak_ms"] == 60'000);
  CHECK(phases[2]["not_before"] == json{{"after", "expand"}, {"wait_ms", 3'600'000}});
  CHECK_FALSE(phases[0].contains("not_before"));
  CHECK_FALSE(phases[0].contains("soak_ms"));
}

TEST_CASE("the list of steps knows every step's phase") {
  auto const steps = json::parse(steps_json(at_second_gate().facts()))["steps"];
  REQUIRE(steps.size() == 6);
  CHECK(steps[1]["phase"] == "expand");
  CHECK(steps[1]["name"] == "index");
  CHECK(steps[5]["irreversible_reason"] == "the data of b is gone");
}

TEST_CASE("one step shows its statements, its way back and its tries") {
  auto const life = at_second_gate();
  auto const step = json::parse(step_json(life.facts(), {.phase = 0, .step = 1}));
  CHECK(step["label"] == "expand/index");
  CHECK(step["forward"]["sql"] == "CREATE INDEX CONCURRENTLY i ON t (a)");
  CHECK(step["forward"]["statements"][0]["transactional"] == false);
  CHECK(step["forward"]["lock"]["stall_budget_ms"] == 200);
  CHECK(step["backward"]["sql"] == "DROP INDEX CONCURRENTLY i");
  REQUIRE(step["attempts"].size() == 1);
  CHECK(step["attempts"][0]["result"] == "succeeded");
  CHECK(step["attempts"][0]["number"] == 1);
  CHECK(step["attempts"][0]["duration_ms"] == 40);
}

TEST_CASE("a backfill shows its parts and the update that they make") {
  auto const step = json::parse(step_json(Life(whole_plan()).facts(), {.phase = 1, .step = 0}));
  CHECK(step["forward"]["set"][0] == json{{"column", "a"}, {"expression", "b + 1"}});
  CHECK(step["forward"]["text"] == "UPDATE t\nSET a = b + 1\nWHERE a IS NULL");
  CHECK(step["backward"]["reason"] == "nobody reads them");
}

TEST_CASE("a step without a way back gives the reason in its place") {
  auto const step = json::parse(step_json(Life(whole_plan()).facts(), {.phase = 2, .step = 0}));
  CHECK(step["backward"].is_null());
  CHECK(step["irreversible_reason"] == "the data of b is gone");
}

}  // namespace
}  // namespace runbookd::tests
