#include "tests/web/ctl/documents.h"

namespace runbookd::ctl::tests {

namespace {

Json step(std::string const& name, std::string const& kind, std::string const& state) {
  return {{"name", name},       {"kind", kind},      {"state", state},      {"attempts", 0},
          {"duration_ms", 0},   {"lock_wait_ms", 0}, {"tries_for_lock", 0}, {"rows", -1},
          {"reversible", true}, {"skippable", false}};
}

Json check(std::string const& stage, std::string const& name, std::string const& expected) {
  return {{"stage", stage}, {"name", name}, {"result", "open"}, {"expected", expected}};
}

Json phase(std::string const& name, std::string const& kind, Json steps, Json checks) {
  return {{"name", name},
          {"kind", kind},
          {"state", "pending"},
          {"goal", "The goal of " + name + "."},
          {"steps", std::move(steps)},
          {"checks", std::move(checks)}};
}

void done(Json& step, int took, int rows = -1) {
  step["state"] = "succeeded";
  step["attempts"] = 1;
  step["duration_ms"] = took;
  step["rows"] = rows;
}

Json blocker(int pid, std::string const& application, std::string const& query) {
  return {{"pid", pid},
          {"user", "app"},
          {"application", application},
          {"state", "idle in transaction"},
          {"query", query},
          {"transaction_age_ms", 12'400},
          {"lock_mode", "AccessShareLock"},
          {"relation", "users"}};
}

}  // namespace

Json waiting_run() {
  Json run = {{"run", run_a},
              {"plan",
               {{"digest", "sha256:ab12"},
                {"name", "users-org-id"},
                {"title", "Give every user an organisation"}}},
              {"target", "main"},
              {"state", "waiting"},
              {"direction", "forward"},
              {"stage", "gate"},
              {"revision", 3},
              {"created_at", "2026-01-01T00:00:00.000Z"},
              {"created_by", "ana"},
              {"state_since", "2026-01-01T03:12:07.000Z"},
              {"state_message", "Waits for somebody to advance into phase expand."},
              {"waiting_on",
               {{{"kind", "advance"}, {"phase", "expand"}, {"message", "advance into expand"}}}},
              {"current", nullptr},
              {"actions", {{"advance", {{"allowed", true}}}, {"pause", {{"allowed", true}}}}},
              {"progress", {{"steps_done", 0}, {"steps_total", 5}}},
              {"live", nullptr},
              {"store_degraded", false}};
  run["phases"] = {
      phase("expand", "expand",
            {step("add-column", "sql", "pending"), step("build-index", "sql", "pending")},
            {check("validation", "column-is-nullable", "value YES")}),
      phase("backfill", "backfill", Json::array({step("fill-org-id", "backfill", "pending")}),
            Json::array({check("validation", "nothing-left", "value 0")})),
      phase("enforce", "enforce", Json::array({step("set-not-null", "sql", "pending")}),
            Json::array()),
      phase("contract", "contract", Json::array({step("drop-account-id", "sql", "pending")}),
            Json::array())};
  run["phases"][0]["state"] = "gated";
  run["phases"][3]["approvals"] = {{"needed", 1}, {"from", "dba"}, {"by", Json::array()}};
  run["phases"][3]["steps"][0]["reversible"] = false;
  run["phases"][3]["steps"][0]["irreversible_reason"] = "the column's data is gone";
  run["final_checks"] =
      Json::array({check("final_checks", "same-row-count", "baseline total_users")});
  return run;
}

Json running_backfill() {
  auto run = waiting_run();
  set_state(run, "running");
  run["revision"] = 21;
  run["waiting_on"] = Json::array();
  run["state_message"] = "Fills users in batches: backfill/fill-org-id.";
  run["progress"]["steps_done"] = 2;
  run["phases"][0]["state"] = "succeeded";
  done(run["phases"][0]["steps"][0], 341);
  run["phases"][0]["steps"][0]["lock_wait_ms"] = 112;
  run["phases"][0]["steps"][0]["tries_for_lock"] = 2;
  done(run["phases"][0]["steps"][1], 41'200);
  auto& judged = run["phases"][0]["checks"][0];
  judged["result"] = "passed";
  judged["actual"] = "value YES";
  run["phases"][1]["state"] = "running";
  run["phases"][1]["steps"][0]["state"] = "running";
  run["phases"][1]["steps"][0]["attempts"] = 1;
  run["current"] = {
      {"phase", "backfill"}, {"step", "fill-org-id"}, {"attempt", 1}, {"activity", "backfilling"}};
  run["live"] = {{"activity", "backfilling"},
                 {"pid", 4242},
                 {"waiting_ms", 0},
                 {"blockers", Json::array()},
                 {"backfill",
                  {{"rows_scanned", 41'200'000},
                   {"rows_changed", 41'199'000},
                   {"rows_total", 60'200'000},
                   {"total_exact", false},
                   {"percent", 68.4},
                   {"rows_per_second", 11'900.0},
                   {"mean_rows_per_second", 12'400.0},
                   {"batch_rows", 5'000},
                   {"batch_ms", 420},
                   {"eta_ms", {{"soonest", 1'530'000}, {"latest", 1'590'000}}},
                   {"running_ms", 7'800'000}}}};
  return run;
}

Json waiting_for_lock() {
  auto run = waiting_run();
  set_state(run, "running");
  run["waiting_on"] = Json::array();
  run["state_message"] = "Waits for a lock on users: expand/add-column.";
  run["phases"][0]["state"] = "running";
  run["phases"][0]["steps"][0]["state"] = "running";
  run["phases"][0]["steps"][0]["attempts"] = 3;
  run["phases"][0]["steps"][0]["tries_for_lock"] = 3;
  run["phases"][0]["steps"][0]["lock_wait_ms"] = 600;
  run["current"] = {
      {"phase", "expand"}, {"step", "add-column"}, {"attempt", 3}, {"activity", "acquiring_lock"}};
  run["live"] = {{"activity", "acquiring_lock"},
                 {"pid", 4242},
                 {"waiting_ms", 140},
                 {"blockers",
                  {blocker(77, "web", "SELECT *\nFROM users\x1b[2J"),
                   blocker(78, "report", "COPY users TO STDOUT")}},
                 {"backfill", nullptr}};
  return run;
}

Json list_row(Json const& run) {
  return {{"run", run["run"]},
          {"plan", run["plan"]},
          {"target", run["target"]},
          {"state", run["state"]},
          {"direction", "forward"},
          {"phase", "expand"},
          {"step", ""},
          {"state_message", run["state_message"]},
          {"revision", run["revision"]},
          {"created_at", run["created_at"]},
          {"created_by", "ana"},
          {"changed_at", run["state_since"]}};
}

void set_state(Json& run, std::string const& state) { run["state"] = state; }

void allow(Json& run, std::string const& verb) { run["actions"][verb] = {{"allowed", true}}; }

Json problem(int status, std::string const& code, std::string const& detail) {
  return {{"type", "/api/v1/problems/" + code},
          {"title", "Refused"},
          {"status", status},
          {"detail", detail},
          {"code", code}};
}

}  // namespace runbookd::ctl::tests
