#include "web/ctl/render_lists.h"

#include <doctest/doctest.h>

#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl;
using namespace runbookd::ctl::tests;
using Text = std::vector<std::string>;

TEST_CASE("columns are as wide as their widest cell") {
  auto const lines = table({"A", "LONG"}, {{Line("xxx"), Line("y")}, {Line(""), Line("z")}});
  CHECK(print(lines, {}) == Text{"A    LONG", "xxx  y", "     z"});
}

TEST_CASE("runs are listed with where they are and since when") {
  auto const rows = Json::array({list_row(waiting_run())});
  CHECK(
      print(render_runs(rows, {}), {}) ==
      Text{"RUN               PLAN          TARGET  STATE      AT      CREATED              BY",
           "run_0a1b2c3d4e5f  users-org-id  main    o WAITING  expand  2026-01-01 00:00:00  ana"});
}

TEST_CASE("stored plans are told with when and by whom") {
  Json const rows = {{{"digest", "sha256:0123456789abcdef"},
                      {"name", "users-org-id"},
                      {"title", "Give every user an organisation"},
                      {"stored_at", "2026-01-01T03:12:07.000Z"},
                      {"stored_by", "ana"}}};
  CHECK(print(render_plans(rows, {}), {}) ==
        Text{"DIGEST               NAME          TITLE                            STORED           "
             "    BY",
             "sha256:0123456789ab  users-org-id  Give every user an organisation  2026-01-01 "
             "03:12:07  ana"});
}

TEST_CASE("an event is one line with who and why") {
  Json const event = {{"seq", 4},
                      {"time", "2026-01-01T03:12:07.250Z"},
                      {"kind", "run.pause_requested"},
                      {"actor", "ana"},
                      {"reason", "p99 is up"},
                      {"message", "Pause was\nasked for."}};
  CHECK(render_event(event, {}).print({}) ==
        "03:12:07  run.pause_requested   Pause was asked for.  by ana (p99 is up)");
}

TEST_CASE("a live line without a time is told with the time now") {
  View const view{.now = *runbookd::planner::parse_rfc3339("2026-01-01T10:20:30.000Z")};
  CHECK(render_event({{"kind", "step.progress"}, {"message", "half way"}}, view).print({}) ==
        "10:20:30  step.progress         half way");
}

TEST_CASE("a step is shown with its SQL both ways and its attempts") {
  Json const step = {
      {"phase", "expand"},
      {"name", "add-column"},
      {"kind", "sql"},
      {"state", "succeeded"},
      {"forward", {{"kind", "sql"}, {"sql", "ALTER TABLE users\n  ADD COLUMN org_id uuid"}}},
      {"backward", {{"kind", "sql"}, {"sql", "ALTER TABLE users DROP COLUMN org_id"}}},
      {"attempts",
       {{{"number", 1},
         {"direction", "forward"},
         {"result", "retry_scheduled"},
         {"started_at", "2026-01-01T03:12:07.000Z"},
         {"duration_ms", 201},
         {"lock_wait_ms", 200},
         {"failure",
          {{"sqlstate", "55P03"}, {"message", "canceling statement due to lock timeout"}}},
         {"blockers",
          {{{"pid", 77},
            {"user", "app"},
            {"application", "web"},
            {"lock_mode", "AccessShareLock"},
            {"relation", "users"}}}}},
        {{"number", 2},
         {"direction", "forward"},
         {"result", "succeeded"},
         {"started_at", "2026-01-01T03:12:08.000Z"},
         {"duration_ms", 12}}}}};
  CHECK(print(render_step(step, {}), {}) ==
        Text{"+ expand/add-column  sql  succeeded", "forward:", "    ALTER TABLE users",
             "      ADD COLUMN org_id uuid", "back:", "    ALTER TABLE users DROP COLUMN org_id",
             "attempts:", "  ~ 1  forward   retry_scheduled  03:12:07  0.2 s  lock wait 0.2 s",
             "       55P03: canceling statement due to lock timeout",
             "       blocked by pid 77 app (web), AccessShareLock on users",
             "  + 2  forward   succeeded        03:12:08  12 ms"});
}

TEST_CASE("an irreversible step says why there is no way back") {
  Json const step = {{"name", "drop"},
                     {"kind", "sql"},
                     {"state", "pending"},
                     {"irreversible_reason", "the data is gone"}};
  CHECK(print(render_step(step, {}), {}) ==
        Text{". drop  sql  pending", "no way back:", "    the data is gone", "no attempt yet"});
}

TEST_CASE("a rollback that would undo nothing says so") {
  CHECK(print(render_preview({{"steps", Json::array()}}), {}) == Text{"Nothing would be undone."});
}
