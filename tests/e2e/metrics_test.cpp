// What GET /metrics says while a run waits for a lock, fails a check, waits for a person, fills and
// is paused: it has to agree with the API.
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "daemon/metric_table.h"
#include "planner/time.h"
#include "tests/e2e/scenario.h"
#include "tests/support/scrape.h"

namespace runbookd::testing {
namespace {

constexpr auto plan = R"(runbook: 1
name: measured
defaults: {lock: {stall_budget: 60s, give_up_after: 10m}}
phases:
  - name: expand
    kind: expand
    steps:
      - name: add-b
        sql: |
          ALTER TABLE t ADD COLUMN b int;
          SELECT pg_advisory_xact_lock(17)
        rollback: ALTER TABLE t DROP COLUMN b
    validate:
      - {name: told-to-go-on, sql: SELECT count(*) FROM flag, expect: {value: 1}}
  - name: fill
    kind: backfill
    approval: {from: dba, count: 1}
    steps:
      - name: fill-b
        backfill:
          table: t
          set: {b: '1'}
          where: b IS NULL
          batch: {max_rows: 1000, pause: 100ms}
        rollback: {nothing: nobody reads b}
)";

struct Scraped : Scene {
  Scraped() : Scene(60'000) { database.sql("CREATE TABLE flag (id int)"); }

  std::string text() const {
    auto const reply = daemon.get("/metrics");
    REQUIRE(reply.status == 200);
    return reply.body.get<std::string>();
  }
  Scrape scrape() {
    auto scraped = read_scrape(text());
    for (auto const& [family, type] : scraped.types) {
      families.insert(family);
    }
    return scraped;
  }
  Scrape until(std::function<bool(Scrape const&)> const& condition, std::string const& what) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (;;) {
      auto scraped = scrape();
      if (condition(scraped)) {
        return scraped;
      }
      if (std::chrono::steady_clock::now() > end) {
        throw std::runtime_error("waited in vain for " + what + ":\n" + text());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  std::set<std::string> families;  // that were seen at all
};

double state_since(json const& run) {
  auto const at = planner::parse_rfc3339(run.at("state_since").get<std::string>());
  REQUIRE(at.has_value());
  return std::chrono::duration<double>(at->time_since_epoch()).count();
}

// From the wish to the end of the pause, as the record has it.
double recorded_latency(std::vector<json> const& events) {
  std::optional<planner::Moment> asked;
  for (auto const& event : events) {
    auto const at = planner::parse_rfc3339(event.at("time").get<std::string>());
    if (event.at("kind") == "run.pause_requested") {
      asked = at;
    } else if (event.at("kind") == "run.paused" && asked) {
      return std::chrono::duration<double>(*at - *asked).count();
    }
  }
  throw std::runtime_error("no pause is recorded");
}

Labels const main_target{{"target", "main"}};

}  // namespace

TEST_CASE_FIXTURE(Scraped, "what is scraped agrees with the API through a run's life") {
  auto const id = daemon.create(plan);
  auto seen = scrape();
  CHECK(seen.value("runbookd_runs", {{"state", "pending"}}) == 1);
  CHECK(seen.value("runbookd_runs", {{"state", "failed"}}) == 0);
  CHECK(seen.value("runbookd_run_info", {{"run", id}, {"plan", "measured"}, {"target", "main"}}) ==
        1);
  CHECK(seen.value("runbookd_run_machine_seconds_total", main_target) == 0);

  // the step has the table and waits for what another session holds, and a reader waits for it
  auto holder = std::make_unique<Holder>(database, "SELECT pg_advisory_xact_lock(17)");
  daemon.verb(id, "start");
  database.until(
      "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)");
  {
    std::jthread const reader([this] { database.sql("SELECT count(*) FROM t"); });
    seen = until(
        [](Scrape const& now) {
          return now.value("runbookd_blocked_sessions", main_target) == 1 &&
                 now.value("runbookd_standstill_seconds",
                           {{"target", "main"}, {"reason", "lock"}}) > 0;
        },
        "a session that waits for the step");
    CHECK(daemon.run(id).at("state") == "running");
    CHECK(seen.value("runbookd_run_info", {{"run", id}, {"state", "running"}}) == 1);
    CHECK(seen.value("runbookd_run_machine_seconds_total", main_target) > 0);
    CHECK(seen.value("runbookd_run_human_wait_seconds_total", main_target) == 0);
    holder.reset();
  }

  auto const failed = daemon.until(id, {"failed"});
  seen = scrape();
  CHECK(seen.value("runbookd_runs", {{"state", "failed"}}) == 1);
  CHECK(seen.value("runbookd_run_state_since_timestamp_seconds",
                   {{"target", "main"}, {"state", "failed"}}) ==
        doctest::Approx(state_since(failed)).epsilon(1e-12));
  CHECK(seen.value("runbookd_gate_evaluations_total",
                   {{"stage", "validation"}, {"result", "failed"}}) == 1);
  CHECK(seen.value("runbookd_step_attempts_total",
                   {{"phase_kind", "expand"}, {"kind", "sql"}, {"result", "succeeded"}}) == 1);
  auto const step = daemon.get("/api/v1/runs/" + id + "/steps/expand/add-b").body;
  CHECK(seen.value("runbookd_lock_wait_seconds_count", main_target) == 1);
  CHECK(seen.value("runbookd_lock_wait_seconds_sum", main_target) ==
        doctest::Approx(step.at("attempts").at(0).at("lock_wait_ms").get<double>() / 1000));

  database.sql("INSERT INTO flag VALUES (1)");
  daemon.verb(id, "evaluate");
  daemon.until(id, {"waiting"});
  seen = scrape();
  CHECK(seen.value("runbookd_approvals_pending", main_target) == 1);
  CHECK(seen.value("runbookd_gate_evaluations_total",
                   {{"stage", "validation"}, {"result", "passed"}}) == 1);
  CHECK(seen.value("runbookd_run_human_wait_seconds_total", main_target) > 0);
  daemon.verb(id, "approve", {{"phase", "fill"}}, "ben");
  CHECK(scrape().value("runbookd_approvals_pending", main_target) == 0);

  daemon.verb(id, "advance", {{"to_phase", "fill"}});
  until(
      [](Scrape const& now) {
        return now.value("runbookd_backfill_rows_total", main_target) > 0 &&
               now.find("runbookd_backfill_eta_seconds", {{"bound", "latest"}}).has_value();
      },
      "rows and how long the rest will take");
  daemon.verb(id, "pause");
  daemon.until(id, {"paused"});
  seen = scrape();
  auto const so_far = std::stod(database.sql("SELECT count(*) FROM t WHERE b IS NOT NULL"));
  CHECK(so_far < 60'000);
  CHECK(seen.value("runbookd_backfill_rows_total", main_target) == so_far);
  CHECK_FALSE(seen.find("runbookd_backfill_eta_seconds", {{"bound", "latest"}}).has_value());
  CHECK(seen.value("runbookd_pause_latency_seconds_count", main_target) == 1);
  CHECK(seen.value("runbookd_pause_latency_seconds_sum", main_target) ==
        doctest::Approx(recorded_latency(daemon.events(id))));
  CHECK(seen.value("runbookd_step_attempts_total",
                   {{"kind", "backfill"}, {"result", "interrupted"}}) == 1);

  daemon.verb(id, "resume");
  daemon.until(id, {"succeeded"});
  seen = scrape();
  CHECK(seen.value("runbookd_backfill_rows_total", main_target) == 60'000);
  CHECK(seen.value("runbookd_runs", {{"state", "succeeded"}}) == 1);
  CHECK_FALSE(seen.find("runbookd_run_info", {{"run", id}}).has_value());
  CHECK(seen.value("runbookd_http_request_duration_seconds_count",
                   {{"route", "/api/v1/runs/{run}/pause"}, {"status", "2xx"}}) == 1);
  CHECK(seen.value("runbookd_store_write_duration_seconds_count") > 10);

  // a counter begins at 0 with the process; the store remembers the rest
  daemon.restart();
  seen = scrape();
  CHECK(seen.value("runbookd_backfill_rows_total", main_target) == 0);
  CHECK(seen.value("runbookd_runs", {{"state", "succeeded"}}) == 1);

  for (auto const& words : daemon::metric_table()) {
    CAPTURE(words.name);
    CHECK(families.contains(std::string(words.name)));
  }
  CHECK(families.size() == daemon::metric_table().size());
}

TEST_CASE_FIXTURE(Scraped, "a lock that is not to be had, and given up, is counted") {
  Holder const holder(database, "LOCK TABLE t IN ACCESS SHARE MODE");
  auto const id = daemon.create(plan_text(
      column_steps(1), "", "defaults: {lock: {stall_budget: 50ms, give_up_after: 200ms}}\n"));
  daemon.verb(id, "start");
  daemon.until(id, {"failed"});
  auto const seen = scrape();
  CHECK(seen.value("runbookd_lock_timeouts_total", main_target) ==
        seen.sum("runbookd_step_attempts_total", main_target));
  CHECK(seen.value("runbookd_lock_timeouts_total", main_target) > 0);
}

TEST_CASE_FIXTURE(Scraped, "no label grows with runs, paths or clients, and streams are counted") {
  auto const id = daemon.create(plan);
  daemon.get("/api/v1/runs/" + id);
  daemon.get("/nowhere/" + id);
  CHECK(scrape().value("runbookd_sse_clients") == 0);
  bool looked = false;
  daemon.stream("/api/v1/runs/" + id + "/events", "", [&](std::string const& text) {
    if (!text.empty() && !looked) {
      looked = true;
      CHECK(scrape().value("runbookd_sse_clients") == 1);
    }
    return looked;
  });
  CHECK(looked);
  until([](Scrape const& now) { return now.value("runbookd_sse_clients") == 0; },
        "the stream's end");
  auto const seen = scrape();
  for (auto const& sample : seen.samples) {
    for (auto const& [name, value] : sample.labels) {
      if (sample.name != "runbookd_run_info") {
        CAPTURE(sample.name);
        CHECK(value.find(id) == std::string::npos);
      }
    }
  }
  CHECK(seen.value("runbookd_http_request_duration_seconds_count",
                   {{"route", "none"}, {"method", "other"}, {"status", "4xx"}}) == 1);
  CHECK(seen.value("runbookd_http_request_duration_seconds_count",
                   {{"route", "/api/v1/runs/{run}"}, {"method", "GET"}}) == 1);
}

TEST_CASE_FIXTURE(Scraped, "promtool finds nothing to say about it") {
  daemon.create(plan);
  auto const checked = run_program({"/usr/bin/env", "promtool", "check", "metrics"}, text());
  CHECK(checked.exit_code == 0);
  CHECK(checked.out + checked.err == "");
}

}  // namespace runbookd::testing
