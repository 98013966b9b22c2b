// The example plans that are shipped, forward through all phases and all the way back, on every
// server version.
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

namespace fs = std::filesystem;

std::string waits_removed(std::string text) {
  for (auto const* wait : {"72h", "24h", "10m", "30m", "1h"}) {
    for (auto const* key : {"wait: ", "soak: "}) {
      std::string const from = std::string{key} + wait;
      for (auto at = text.find(from); at != std::string::npos; at = text.find(from)) {
        text.replace(at, from.size(), std::string{key} + "0");
      }
    }
  }
  return text;
}

// Does what people do: confirms, approves, advances, until the run comes to rest or stands before
// `stop_at`.
json carry(RunningDaemon& daemon, std::string const& id, std::string const& stop_at = "") {
  for (;;) {
    auto const run =
        daemon.until(id, {"waiting", "succeeded", "rolled_back", "failed", "attention"});
    if (run.at("state") != "waiting") {
      return run;
    }
    auto const& waits = run.at("waiting_on");
    auto const kind = waits.at(0).at("kind").get<std::string>();
    if (!stop_at.empty() && waits.at(0).value("phase", "") == stop_at) {
      return run;
    }
    if (kind == "manual") {
      auto const step = run["current"]["phase"].get<std::string>() + "/" +
                        run["current"]["step"].get<std::string>();
      daemon.verb(id, "confirm", {{"step", step}, {"reason", "done"}});
    } else if (kind == "approval") {
      auto const phase = waits.at(0).at("phase").get<std::string>();
      daemon.verb(id, "approve", {{"phase", phase}},
                  "approver-" + std::to_string(run.at("revision").get<int>()));
    } else {
      daemon.verb(id, "advance", {{"to_phase", waits.at(0).at("phase")}});
    }
  }
}

// `last`: the phase after which there is no way back; empty = there is none.
void forward_and_back(PostgresCluster& cluster, std::string const& name,
                      std::string const& plan_file, std::string const& last = "") {
  CAPTURE(name);
  Database const database(0, cluster);
  auto const folder = source_folder() + "/config/plans/";
  database.sql("DROP TABLE t");
  database.sql(file_text(folder + name + ".setup.sql"));
  RunningDaemon daemon({.targets = {{"main", database.dsn()}}});
  auto const before = database.fingerprint_body();
  json files = json::object();
  for (auto const& file : fs::directory_iterator(folder)) {
    files[file.path().filename().string()] = file_text(file.path().string());
  }
  json const bundle{{"file_name", plan_file},
                    {"text", waits_removed(file_text(folder + plan_file))},
                    {"files", files}};
  auto const uploaded =
      daemon.post_text("/api/v1/plans", bundle.dump(), "application/vnd.runbook.bundle+json");
  REQUIRE_MESSAGE(uploaded.status == 201, uploaded.body.dump(2));
  auto const created = daemon.post(
      "/api/v1/runs", {{"plan", uploaded.body.at("digest")}, {"target", "main"}}, "ana");
  auto const id = created.body.at("run").get<std::string>();
  daemon.verb(id, "start");
  auto const done = carry(daemon, id, last);
  CHECK_MESSAGE(done.at("state") == (last.empty() ? "succeeded" : "waiting"),
                done.at("state_message"));
  daemon.verb(id, "rollback", {{"to", "all"}});
  auto const back = carry(daemon, id);
  CHECK_MESSAGE(back.at("state") == "rolled_back", back.dump(2));
  CHECK(database.fingerprint_body() == before);
}

}  // namespace

TEST_CASE("the example plans go forward to the end and back to the first schema") {
  auto& cluster = server();
  forward_and_back(cluster, "users-org-id", "users-org-id.demo.yaml");
  forward_and_back(cluster, "index-only", "index-only.yaml");
  forward_and_back(cluster, "type-change", "type-change.yaml", "tidy");
  forward_and_back(cluster, "manual-and-approval", "manual-and-approval.yaml");
}

}  // namespace runbookd::testing
