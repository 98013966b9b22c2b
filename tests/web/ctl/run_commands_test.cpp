// Creating, listing, naming and showing runs.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl::tests;

namespace {

Json second_run() {
  auto run = waiting_run();
  run["run"] = run_b;
  run["created_at"] = "2026-02-01T00:00:00.000Z";
  set_state(run, "succeeded");
  return run;
}

// Two runs, the list in pages of one.
Canned two_runs(Asked const& asked) {
  auto const list = asked.target.starts_with("/api/v1/runs?");
  if (!list) {
    auto const first = asked.target.find(run_a) != std::string::npos;
    return {.body = (first ? waiting_run() : second_run()).dump()};
  }
  auto const last = asked.target.find("cursor=next%2F1") != std::string::npos;
  Json page = {{"runs", {list_row(last ? second_run() : waiting_run())}}};
  if (!last) {
    page["next_cursor"] = "next/1";
  }
  return {.body = page.dump()};
}

struct TwoRuns {
  CannedServer server{two_runs};
  Said say(std::vector<std::string> const& words) {
    return runbookctl(words, {.address = server.address()});
  }
};

}  // namespace

TEST_CASE("a list is read to its last page") {
  TwoRuns runs;
  auto const said = runs.say({"run", "list", "-o", "name"});
  CHECK(said.out == "run_0a1b2c3d4e5f\nrun_0a9900000000\n");
}

TEST_CASE("a list ends at its limit") {
  TwoRuns runs;
  CHECK(runs.say({"run", "list", "-o", "name", "--limit", "1"}).out == "run_0a1b2c3d4e5f\n");
}

TEST_CASE("a list in JSON is one document, in lines one row each") {
  TwoRuns runs;
  CHECK(Json::parse(runs.say({"run", "list", "-o", "json"}).out).at("runs").size() == 2);
  auto const lines = runs.say({"run", "list", "-o", "ndjson"}).out;
  CHECK(Json::parse(lines.substr(0, lines.find('\n'))).at("run") == run_a);
}

TEST_CASE("the filters of a list are the daemon's") {
  TwoRuns runs;
  runs.say({"run", "list", "--state", "failed", "--target", "a b"});
  CHECK(runs.server.asked().at(0).target == "/api/v1/runs?limit=50&state=failed&target=a%20b");
}

TEST_CASE("a unique beginning names a run") {
  TwoRuns runs;
  CHECK(runs.say({"status", "run_0a1"}).out.find(run_a) != std::string::npos);
  CHECK(runs.say({"status", "0a9"}).out.find(run_b) != std::string::npos);
}

TEST_CASE("a beginning of several runs lists them") {
  TwoRuns runs;
  auto const said = runs.say({"status", "0a"});
  CHECK(said.exit == 2);
  CHECK(said.err.find(run_a) != std::string::npos);
  CHECK(said.err.find(run_b) != std::string::npos);
}

TEST_CASE("of many runs that begin alike a dozen are named, and the rest counted") {
  CannedServer const server([](Asked const&) {
    auto rows = Json::array();
    for (int i = 10; i < 40; ++i) {
      auto run = waiting_run();
      run["run"] = "run_0a00000000" + std::to_string(i);
      rows.push_back(list_row(run));
    }
    return Canned{.body = Json{{"runs", rows}}.dump()};
  });
  auto const said = runbookctl({"status", "run_0a"}, {.address = server.address()});
  CHECK(said.exit == 2);
  CHECK(said.err.find("run_0a0000000021 ") != std::string::npos);
  CHECK(said.err.find("run_0a0000000022 ") == std::string::npos);
  CHECK(said.err.find("and 18 more") != std::string::npos);
}

TEST_CASE("a beginning of no run is not found") {
  CHECK(TwoRuns().say({"status", "ffff"}).exit == 3);
}

TEST_CASE("latest is the one that was created last") {
  TwoRuns runs;
  CHECK(runs.say({"status", "@latest", "--json"}).out.find(run_b) != std::string::npos);
}

TEST_CASE("a full id needs no list") {
  TwoRuns runs;
  runs.say({"status", run_a});
  for (auto const& request : runs.server.asked()) {
    CHECK(request.target.find("/api/v1/runs?") == std::string::npos);
  }
}

TEST_CASE("a name with strange characters is no run") {
  CHECK(TwoRuns().say({"status", "../plans"}).exit == 2);
}

TEST_CASE("status shows the one run that is under way as if it had been named") {
  TwoRuns runs;
  auto const said = runs.say({"status"});
  CHECK(said.out.find("Waits for somebody to advance into phase expand.") != std::string::npos);
  CHECK(said.out == runs.say({"status", run_a}).out);
}

TEST_CASE("several runs under way are told in a line each, and the command of each is never cut") {
  auto const command =
      "runbookctl resume " + std::string(run_a) + " --take-over --reason " + std::string(80, 'r');
  CannedServer const server([&command](Asked const&) {
    auto one = waiting_run();
    one["state_message"] = std::string(400, 'x') + "; to go on: " + command;
    auto other = one;
    other["run"] = run_b;
    return Canned{.body = Json{{"runs", {list_row(one), list_row(other)}}}.dump()};
  });
  auto const said = runbookctl({"status"}, {.address = server.address()});
  CHECK(std::count(said.out.begin(), said.out.end(), '\n') == 6);
  CHECK(said.out.find("    " + command + "\n") != std::string::npos);
  CHECK(said.err == "next: runbookctl status RUN, for all of it\n");
}

TEST_CASE("status of nothing says so and how to begin") {
  CannedServer const server([](Asked const&) { return Canned{.body = R"({"runs":[]})"}; });
  auto const said = runbookctl({"status"}, {.address = server.address()});
  CHECK(said.exit == 0);
  CHECK(said.out == "nothing is under way; there is no run yet\n");
  CHECK(said.err.find("run create") != std::string::npos);
}

TEST_CASE("one run's status is JSON for programs, unchanged") {
  TwoRuns runs;
  CHECK(runs.say({"status", run_a, "--json"}).out == waiting_run().dump() + "\n");
}

TEST_CASE("a phase is shown alone") {
  TwoRuns runs;
  auto const said = runs.say({"run", "show", run_a, "--phase", "backfill"});
  CHECK(said.out.find("fill-org-id") != std::string::npos);
  CHECK(said.out.find("add-column") == std::string::npos);
  CHECK(runs.say({"run", "show", run_a, "--phase", "nowhere"}).exit == 3);
}

TEST_CASE("a step is found by its name alone or with its phase") {
  for (auto const& words : {std::vector<std::string>{"--step", "add-column"},
                            {"--step", "expand/add-column"},
                            {"--phase", "expand", "--step", "add-column"}}) {
    TwoRuns runs;
    std::vector<std::string> all{"run", "show", run_a};
    all.insert(all.end(), words.begin(), words.end());
    runs.say(all);
    CHECK(runs.server.asked().back().target ==
          std::string("/api/v1/runs/") + run_a + "/steps/expand/add-column");
  }
}

TEST_CASE("a step that the run does not have is not found") {
  CHECK(TwoRuns().say({"run", "show", run_a, "--step", "nothing"}).exit == 3);
}

TEST_CASE("a run is created from a stored plan") {
  CannedServer const server(
      [](Asked const&) { return Canned{.status = 201, .body = waiting_run().dump()}; });
  auto const said =
      runbookctl({"run", "create", "--plan", "sha256:ab", "--target", "main", "--note", "n"},
                 {.address = server.address()});
  CHECK(said.exit == 0);
  CHECK(Json::parse(server.asked().at(0).body) ==
        Json{{"plan", "sha256:ab"}, {"target", "main"}, {"note", "n"}});
}

TEST_CASE("a created run's id is data, which is told to scripts that want no messages") {
  CannedServer const server(
      [](Asked const&) { return Canned{.status = 201, .body = waiting_run().dump()}; });
  auto const said = runbookctl({"run", "create", "--plan", "sha256:ab", "--target", "main", "-q"},
                               {.address = server.address()});
  CHECK(said.out == "run_0a1b2c3d4e5f\n");
  CHECK(said.err.empty());
}

TEST_CASE("the version is told with and without a daemon") {
  CannedServer const server([](Asked const&) { return Canned{.body = R"({"version":"9.9"})"}; });
  auto const with = runbookctl({"version"}, {.address = server.address()});
  CHECK(with.out.find("runbookd 9.9 at http://127.0.0.1:") != std::string::npos);
  auto const without = runbookctl({"version"}, {});
  CHECK(without.exit == 0);
  CHECK(without.out.find("no daemon answers") != std::string::npos);
}
