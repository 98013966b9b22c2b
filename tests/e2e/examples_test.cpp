// The example plans that are shipped, forward through all phases and all the way back, on every
// server version.
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "planner/import.h"
#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

namespace fs = std::filesystem;

std::string waits_removed(std::string text) {
  for (auto const* wait : {"72h", "24h", "10m", "30m", "1h", "3d", "1d"}) {
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

std::string plans_folder() { return source_folder() + "/config/plans/"; }

// `name`: whose setup makes the schema. `last`: the phase after which there is no way back; empty =
// there is none.
void forward_and_back(PostgresCluster& cluster, std::string const& name,
                      std::string const& plan_file, std::string const& text,
                      std::string const& last = "") {
  CAPTURE(plan_file);
  Database const database(0, cluster);
  auto const folder = plans_folder();
  database.sql("DROP TABLE t");
  database.sql(file_text(folder + name + ".setup.sql"));
  RunningDaemon daemon({.targets = {{"main", database.dsn()}}});
  auto const before = database.fingerprint_body();
  json files = json::object();
  for (auto const& file : fs::directory_iterator(folder)) {
    files[file.path().filename().string()] = file_text(file.path().string());
  }
  json const bundle{{"file_name", plan_file}, {"text", waits_removed(text)}, {"files", files}};
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
  auto const shipped = [](std::string const& name, std::string const& file,
                          std::string const& last = "") {
    forward_and_back(server(), name, file, file_text(plans_folder() + file), last);
  };
  shipped("users-org-id", "users-org-id.demo.yaml");
  shipped("index-only", "index-only.yaml");
  shipped("type-change", "type-change.yaml", "tidy");
  shipped("manual-and-approval", "manual-and-approval.yaml");
}

TEST_CASE(
    "a plan in Markdown, as people wrote it, goes forward to the end and back when imported") {
  planner::Catalog nothing;
  nothing.complete = true;
  auto const schema = planner::explain(
      {.text = file_text(plans_folder() + "users-org-id.setup.sql")}, nothing, server_major());
  auto const imported = planner::import_markdown(
      file_text(source_folder() + "/tests/documents/users-org-id.md"), "plan.md", schema);
  REQUIRE_FALSE(planner::has_error(imported.findings));
  forward_and_back(server(), "users-org-id", "imported.yaml", imported.yaml);
}

}  // namespace runbookd::testing
