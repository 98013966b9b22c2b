// What each verb sends, asks and says.
#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl::tests;

namespace {

// Serves one run; a POST answers with the snapshot that `after` makes of it.
struct OneRun {
  Json now = waiting_run();
  std::function<void(Json&)> after = [](Json&) {};
  CannedServer server{[this](Asked const& asked) { return answer(asked); }};

  Canned answer(Asked const& asked) {
    if (asked.target.find("rollback-preview") != std::string::npos) {
      return {
          .body =
              R"({"run":"r","steps":[{"phase":"expand","step":"build-index","sql":"DROP INDEX i"}],)"
              R"("message":"1 step would be taken back"})"};
    }
    if (asked.method == "POST") {
      after(now);
    }
    return {.status = asked.method == "POST" ? 202 : 200, .body = now.dump()};
  }
  Said say(std::vector<std::string> const& words, Place place = {}) {
    place.address = server.address();
    return runbookctl(words, place);
  }
  Json sent() const { return Json::parse(server.asked("POST").at(0).body); }
  std::string path() const { return server.asked("POST").at(0).target; }
};

// At the gate of the contract phase.
void reach_contract(Json& run) { run["waiting_on"][0]["phase"] = "contract"; }

std::string const base = std::string("/api/v1/runs/") + run_a;

}  // namespace

TEST_CASE("a verb is posted with the actor and the reason") {
  OneRun run;
  auto const said = run.say({"resume", run_a, "--reason", "all clear", "--actor", "ben"});
  CHECK(said.exit == 0);
  CHECK(run.path() == base + "/resume");
  CHECK(run.sent() == Json{{"reason", "all clear"}});
  CHECK(run.server.asked("POST").at(0).headers.at("runbook-actor") == "ben");
}

TEST_CASE("who acts is taken from the surroundings unless it is said") {
  OneRun run;
  run.say({"resume", run_a});
  CHECK(run.server.asked("POST").at(0).headers.at("runbook-actor") == "ana");
}

TEST_CASE("a revision is sent as a precondition") {
  OneRun run;
  run.say({"evaluate", run_a, "--if-revision", "17"});
  CHECK(run.server.asked("POST").at(0).headers.at("if-match") == "\"17\"");
}

TEST_CASE("after a verb one line says what is now true and one what is next") {
  OneRun run;
  run.after = [](Json& now) {
    set_state(now, "running");
    now["state_message"] = "Records the baselines.";
  };
  auto const said = run.say({"start", run_a});
  CHECK(said.out == "> run_0a1b2c3d4e5f is now RUNNING: Records the baselines.\n");
  CHECK(said.err == "next: runbookctl watch run_0a1b2c3d4e5f\n");
}

TEST_CASE("a sentence that names the next command is not said twice") {
  OneRun run;
  run.now["state_message"] = "to enter expand: runbookctl advance run_0a1b2c3d4e5f --to expand";
  CHECK(run.say({"start", run_a}).err.empty());
}

TEST_CASE("quiet verbs say nothing, JSON is the document, name is the id") {
  OneRun run;
  CHECK(run.say({"start", run_a, "-q"}).out.empty());
  CHECK(Json::parse(run.say({"start", run_a, "--json"}).out) == run.now);
  CHECK(run.say({"start", run_a, "-o", "name"}).out == "run_0a1b2c3d4e5f\n");
}

TEST_CASE("findings are acknowledged by rule and reason") {
  OneRun run;
  run.say({"start", run_a, "--acknowledge", "lint/rewrite=small table, = is fine"});
  CHECK(run.sent()["acknowledge"] ==
        Json{{{"rule", "lint/rewrite"}, {"reason", "small table, = is fine"}}});
}

TEST_CASE("an acknowledgement without a reason is refused before anything is sent") {
  OneRun run;
  CHECK(run.say({"start", run_a, "--acknowledge", "lint/rewrite"}).exit == 2);
  CHECK(run.server.asked().empty());
}

TEST_CASE("advance asks, unless yes was said before") {
  OneRun run;
  CHECK(run.say({"advance", run_a, "--to", "expand", "--yes"}).exit == 0);
  CHECK(run.sent() == Json{{"to_phase", "expand"}});
}

TEST_CASE("without a terminal advance is refused and names what to add") {
  OneRun run;
  auto const said = run.say({"advance", run_a, "--to", "expand"});
  CHECK(said.exit == 2);
  CHECK(said.err.find("try: the same command with --yes") != std::string::npos);
  CHECK(run.server.asked("POST").empty());
}

TEST_CASE("on a terminal advance shows what it is about and takes y") {
  OneRun run;
  auto const said =
      run.say({"advance", run_a, "--to", "expand"}, {.typed = "y\n", .terminal = true});
  CHECK(said.exit == 0);
  CHECK(said.err.find("Enters phase expand (expand, 2 steps) of users-org-id on target main.") ==
        0);
}

TEST_CASE("anything but yes is no") {
  OneRun run;
  auto const said =
      run.say({"advance", run_a, "--to", "expand"}, {.typed = "\n", .terminal = true});
  CHECK(said.exit == 1);
  CHECK(run.server.asked("POST").empty());
}

TEST_CASE("no-input refuses to ask even on a terminal") {
  OneRun run;
  CHECK(run.say({"advance", run_a, "--to", "expand", "--no-input"},
                {.typed = "y\n", .terminal = true})
            .exit == 2);
}

TEST_CASE("a contract phase wants its name, and yes is not enough") {
  OneRun run;
  reach_contract(run.now);
  auto const refused = run.say({"advance", run_a, "--to", "contract", "--yes"});
  CHECK(refused.exit == 2);
  CHECK(refused.err.find("--confirm contract") != std::string::npos);
  CHECK(run.say({"advance", run_a, "--to", "contract", "--confirm", "contrakt"}).exit == 2);
  CHECK(run.server.asked("POST").empty());
  CHECK(run.say({"advance", run_a, "--to", "contract", "--confirm", "contract"}).exit == 0);
  CHECK(run.sent() == Json{{"to_phase", "contract"}, {"confirm", "contract"}});
}

TEST_CASE("a contract phase is typed on a terminal and its point of no return is named") {
  OneRun run;
  reach_contract(run.now);
  auto const said =
      run.say({"advance", run_a, "--to", "contract"}, {.typed = "contract\n", .terminal = true});
  CHECK(said.exit == 0);
  CHECK(said.err.find("There is no way back after: drop-account-id") != std::string::npos);
}

TEST_CASE(
    "what the run's state rules out is asked of nobody: the daemon refuses it as it was seen") {
  OneRun run;
  for (auto const& words : {std::vector<std::string>{"advance", run_a, "--to", "nowhere"},
                            {"advance", run_a, "--to", "contract"},
                            {"skip", run_a, "expand/add-column", "--reason", "r"},
                            {"rollback", run_a, "--last"},
                            {"cancel", run_a}}) {
    run.say(words);
    CHECK(run.server.asked("POST").back().target == base + '/' + words[0]);
    CHECK(run.server.asked("POST").back().headers.at("if-match") == "\"3\"");
  }
  allow(run.now, "skip");
  run.say({"skip", run_a, "no-such-step", "--reason", "r"});
  CHECK(run.server.asked("POST").size() == 6);
}

TEST_CASE("nobody is asked about a run that is not the one that was meant") {
  OneRun run;
  run.say({"advance", run_a, "--to", "expand", "--if-revision", "2"});
  CHECK(run.server.asked("POST").at(0).headers.at("if-match") == "\"2\"");
}

TEST_CASE("an approval goes to the gate that waits for one") {
  OneRun run;
  run.now["waiting_on"] = {
      {{"kind", "approval"}, {"phase", "contract"}, {"message", "needs 1 of dba"}}};
  auto const said = run.say({"approve", run_a});
  CHECK(run.sent() == Json{{"phase", "contract"}});
  CHECK(said.err.find("signed for dba, a name for people: ") != std::string::npos);
}

TEST_CASE("an approval of a run that waits at no gate is refused here") {
  OneRun run;
  run.now["waiting_on"] = Json::array();
  CHECK(run.say({"approve", run_a}).exit == 5);
}

TEST_CASE("reject and skip want a reason before anything is sent") {
  OneRun run;
  CHECK(run.say({"reject", run_a}).exit == 2);
  auto const skip = run.say({"skip", run_a, "add-column", "--yes"});
  CHECK(skip.exit == 2);
  CHECK(skip.err.find("try: the same command with --reason TEXT\n") != std::string::npos);
  CHECK(run.say({"skip", run_a, "add-column"})
            .err.find("try: the same command with --reason TEXT --yes\n") != std::string::npos);
  CHECK(run.server.asked().empty());
}

TEST_CASE("skip is agreed to and carries step and reason") {
  OneRun run;
  allow(run.now, "skip");
  CHECK(run.say({"skip", run_a, "expand/add-column", "--reason", "done by hand"}).exit == 2);
  CHECK(run.say({"skip", run_a, "expand/add-column", "--reason", "done by hand", "--yes"}).exit ==
        0);
  CHECK(run.sent() == Json{{"step", "expand/add-column"}, {"reason", "done by hand"}});
}

TEST_CASE("resolve gives its evidence as the reason unless there is another") {
  OneRun run;
  run.say({"resolve", run_a, "s", "--as", "succeeded", "--evidence", "saw the column"});
  CHECK(run.sent() == Json{{"step", "s"},
                           {"as", "succeeded"},
                           {"evidence", "saw the column"},
                           {"reason", "saw the column"}});
}

TEST_CASE("retry names a step only if one was named") {
  OneRun run;
  run.say({"retry", run_a});
  CHECK(run.sent() == Json::object());
}

TEST_CASE("a manual step is confirmed by name") {
  OneRun run;
  run.say({"confirm", run_a, "expand/deploy", "--reason", "deployed v2"});
  CHECK(run.path() == base + "/confirm");
  CHECK(run.sent() == Json{{"step", "expand/deploy"}, {"reason", "deployed v2"}});
}

TEST_CASE("the equivalent curl command is told once per request") {
  OneRun run;
  auto const said = run.say({"resume", run_a, "--show-curl", "--reason", "it's fine"});
  CHECK(
      said.err.find("curl -sS -X POST -H 'Content-Type: application/json' -H 'Runbook-Actor: ana' "
                    "--data-raw '{\"reason\":\"it'\\''s fine\"}' " +
                    run.server.address() + base + "/resume\n") == 0);
}

TEST_CASE("start with wait comes to the first gate") {
  OneRun run;
  CHECK(run.say({"start", run_a, "--wait"}).exit == 0);
}

TEST_CASE("start with wait that comes to a manual step says that a person is needed") {
  OneRun run;
  run.after = [](Json& now) { now["stage"] = "steps"; };
  CHECK(run.say({"start", run_a, "--wait"}).exit == 6);
}

TEST_CASE("advance with wait is done when the phase is done and its next gate waits") {
  OneRun run;
  run.after = [](Json& now) { now["phases"][0]["state"] = "succeeded"; };
  CHECK(run.say({"advance", run_a, "--to", "expand", "--yes", "--wait"}).exit == 0);
}

TEST_CASE("advance with wait tells a failed phase from one that needs a person") {
  OneRun failed;
  failed.after = [](Json& now) { set_state(now, "failed"); };
  CHECK(failed.say({"advance", run_a, "--to", "expand", "--yes", "--wait"}).exit == 7);
  OneRun manual;
  manual.after = [](Json& now) { now["phases"][0]["state"] = "running"; };
  CHECK(manual.say({"advance", run_a, "--to", "expand", "--yes", "--wait"}).exit == 6);
}

TEST_CASE("waiting ends at its timeout") {
  OneRun run;
  run.after = [](Json& now) { set_state(now, "running"); };
  CHECK(run.say({"resume", run_a, "--wait", "--timeout", "40ms"}).exit == 124);
}

TEST_CASE("pause waits until the run has paused and says how long that took") {
  OneRun run;
  int asked_again = 0;
  CannedServer const server([&](Asked const& asked) {
    set_state(run.now, asked.method == "POST" || ++asked_again < 3 ? "pausing" : "paused");
    return Canned{.status = 202, .body = run.now.dump()};
  });
  auto const said = runbookctl({"pause", run_a}, {.address = server.address()});
  CHECK(said.exit == 0);
  CHECK(said.out.find("= run_0a1b2c3d4e5f paused after ") == 0);
  CHECK(asked_again == 3);
}

TEST_CASE("a pause that is not reached says what it waits for and how to hurry it") {
  OneRun run;
  run.after = [](Json& now) {
    set_state(now, "pausing");
    now["state_message"] = "Waits for batch 214 to commit.";
  };
  auto const said = run.say({"pause", run_a, "--timeout", "30ms"});
  CHECK(said.exit == 124);
  CHECK(said.out.find("is now PAUSING: Waits for batch 214 to commit.") != std::string::npos);
  CHECK(said.err.find("runbookctl pause run_0a1b2c3d4e5f --now") != std::string::npos);
}

TEST_CASE("pause asks nobody and can be told not to wait") {
  OneRun run;
  run.after = [](Json& now) { set_state(now, "pausing"); };
  CHECK(run.say({"pause", run_a, "--no-wait", "--no-input"}).exit == 0);
  CHECK(run.sent() == Json{{"mode", "safe_point"}});
}

TEST_CASE("a pause of a run in which nothing goes on is done at once") {
  OneRun run;
  set_state(run.now, "pending");
  CHECK(run.say({"pause", run_a}).exit == 0);
}

TEST_CASE("pause now and escalation are said in the body") {
  OneRun now;
  now.say({"pause", run_a, "--now"});
  CHECK(now.sent() == Json{{"mode", "now"}});
  OneRun later;
  later.say({"pause", run_a, "--escalate-after", "30s"});
  CHECK(later.sent() == Json{{"mode", "safe_point"}, {"escalate_after", "30s"}});
}

TEST_CASE("a run that ends before it can pause is not called paused") {
  OneRun run;
  int reads = 0;
  CannedServer const server([&](Asked const& asked) {
    set_state(run.now, asked.method == "POST" || ++reads < 2 ? "pausing" : "failed");
    return Canned{.status = 202, .body = run.now.dump()};
  });
  auto const said = runbookctl({"pause", run_a}, {.address = server.address()});
  CHECK(said.exit == 7);
  CHECK(said.out.find("paused") == std::string::npos);
}

TEST_CASE("a rollback's preview changes nothing") {
  OneRun run;
  auto const said = run.say({"rollback", run_a, "--last", "--preview"});
  CHECK(said.exit == 0);
  CHECK(said.out ==
        "Would undo 1 step, newest first:\n  1. expand/build-index\n       DROP INDEX i\n1 step "
        "would be taken back\n");
  CHECK(run.server.asked("POST").empty());
  CHECK(run.server.asked("GET").at(1).target == base + "/rollback-preview?to=last");
}

TEST_CASE("a rollback shows its preview and asks") {
  OneRun run;
  allow(run.now, "rollback");
  auto const said = run.say({"rollback", run_a, "--to", "expand/build-index"},
                            {.typed = "y\n", .terminal = true});
  CHECK(said.err.find("Would undo 1 step") == 0);
  CHECK(run.sent() == Json{{"to", "expand/build-index"}});
  CHECK(run.server.asked("GET").at(1).target == base + "/rollback-preview?to=expand%2Fbuild-index");
}

TEST_CASE("a rollback that was asked for and reached is a success") {
  OneRun all;
  all.after = [](Json& now) { set_state(now, "rolled_back"); };
  CHECK(all.say({"rollback", run_a, "--all", "--yes", "--wait"}).exit == 0);
  OneRun part;
  part.after = [](Json& now) { set_state(now, "paused"); };
  CHECK(part.say({"rollback", run_a, "--last", "--yes", "--wait"}).exit == 0);
  OneRun stuck;
  stuck.after = [](Json& now) {
    set_state(now, "paused");
    now["direction"] = "backward";
  };
  CHECK(stuck.say({"rollback", run_a, "--last", "--yes", "--wait"}).exit == 6);
}

TEST_CASE("cancel of an untouched run asks nothing") {
  OneRun run;
  allow(run.now, "cancel");
  CHECK(run.say({"cancel", run_a}).exit == 0);
  CHECK(run.sent() == Json::object());
}

TEST_CASE("cancel after progress wants the plan's name") {
  OneRun run;
  run.now = running_backfill();
  allow(run.now, "cancel");
  CHECK(run.say({"cancel", run_a, "--yes"}).exit == 2);
  CHECK(run.say({"cancel", run_a, "--confirm", "users-org-id"}).exit == 0);
  CHECK(run.sent() == Json{{"confirm", "users-org-id"}});
}

TEST_CASE("a rollback during which a step is skipped leaves that step: the question says so") {
  OneRun run;
  run.now["direction"] = "backward";
  allow(run.now, "skip");
  auto const said = run.say({"skip", run_a, "expand/add-column", "--reason", "r"},
                            {.typed = "y\n", .terminal = true});
  CHECK(said.err.find("what it did stays in the database") != std::string::npos);
}

namespace {

// Four phases of which expand/build-index cannot be taken back; what stands after it can, if
// anything was done there.
Said rolled_back_too_far(bool done_after_it) {
  auto run = waiting_run();
  run["phases"][0]["steps"][1]["reversible"] = false;
  CannedServer const server([&](Asked const& asked) {
    auto const to = asked.target.substr(asked.target.find('=') + 1);
    if (asked.target.find("rollback-preview") == std::string::npos) {
      return Canned{.body = run.dump()};
    }
    if (to == "backfill%2Ffill-org-id") {
      auto const steps = done_after_it ? Json{{{"step", "fill-org-id"}}} : Json::array();
      return Canned{.body = Json{{"steps", steps}}.dump()};
    }
    auto document = problem(409, "irreversible", "step expand/build-index cannot be taken back");
    document["next"] = "roll back to a step after expand/build-index";
    return Canned{.status = 409, .body = document.dump()};
  });
  return runbookctl({"rollback", run_a, "--all", "--yes"}, {.address = server.address()});
}

}  // namespace

TEST_CASE("a rollback that leads too far is answered with one that does not") {
  auto const said = rolled_back_too_far(true);
  CHECK(said.exit == 5);
  CHECK(said.err.find("try: runbookctl rollback run_0a1b2c3d4e5f --to backfill/fill-org-id "
                      "--preview\n") != std::string::npos);
}

TEST_CASE("where nothing was done after a step without a way back, no such step is suggested") {
  auto const said = rolled_back_too_far(false);
  CHECK(said.exit == 5);
  CHECK(said.err.find("there is no way back from here") != std::string::npos);
  CHECK(said.err.find("a step after") == std::string::npos);
  CHECK(said.err.find("try: runbookctl status run_0a1b2c3d4e5f\n") != std::string::npos);
}
