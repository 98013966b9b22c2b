// The picture of a run, compared with what an eye has approved.
#include <doctest/doctest.h>

#include "tests/web/ctl/documents.h"
#include "web/ctl/render.h"
#include "web/ctl/text.h"

using namespace runbookd::ctl;
using namespace runbookd::ctl::tests;

namespace {

View view_at(int width, int height, bool unicode = false) {
  return {.width = width,
          .height = height,
          .now = *runbookd::planner::parse_rfc3339("2026-01-01T03:12:48.000Z"),
          .look = {.colour = false, .unicode = unicode}};
}

std::string shown(Json const& run, View const& view) {
  std::string text = "\n";
  for (auto const& line : print(render_run(run, view), view.look, view.width)) {
    text += line + '\n';
  }
  return text;
}

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a backfill shows its bar, rate, ETA and batch") {
  auto view = view_at(100, 24, true);
  view.footer = "[p]ause  [q]uit (leaves the run alone)";
  CHECK(shown(running_backfill(), view) == R"(
run_0a1b2c3d4e5f  users-org-id → main                               ▶ RUNNING  since 03:12:07 (41 s)
Fills users in batches: backfill/fill-org-id.

✔ expand ─ ▶ backfill ─ ○ enforce ─ ○ contract    2/5 steps

 ✔ expand    succeeded   2/2 steps
 ▶ backfill  running     0/1 step
     ▶ fill-org-id  backfill  backfilling
         █████████████░░░░░░░  68.4 %  41.2 M of ~60.2 M rows, 41.2 M changed
         11.9 k rows/s (mean 12.4 k)   ETA 03:38–03:39 (26 min left)   batch 5000 rows in 0.4 s
     ○ nothing-left  validation    open    expected value 0
 ○ enforce   pending     0/1 step
 ○ contract  pending     0/1 step  needs 1 approval from dba

[p]ause  [q]uit (leaves the run alone)
)");
}

TEST_CASE(
    "a backfill of several workers says how many, and when it looks through the table again") {
  auto run = running_backfill();
  run["live"]["backfill"]["workers"] = 4;
  auto const text = shown(run, view_at(120, 24));
  CHECK(contains(text, "batch 5000 rows in 0.4 s, 4 workers"));
  CHECK_FALSE(contains(text, "looks through"));
  run["live"]["backfill"]["sweep"] = {{"pass", 2}, {"found", 17}};
  CHECK(contains(shown(run, view_at(120, 24)),
                 "looks through the table again for rows that still need it, time 2: 17 found and "
                 "filled"));
}

TEST_CASE("a command among the details is neither wrapped nor cut") {
  auto run = waiting_for_lock();
  auto const grant = "  GRANT SELECT ON " + std::string(200, 't') + " TO weak;  -- expand/add";
  run["details"] = {grant};
  CHECK(contains(shown(run, view_at(60, 0)), "\n" + grant + "\n"));
}

TEST_CASE("a step behind a lock names who holds it, in plain ASCII") {
  CHECK(shown(waiting_for_lock(), view_at(110, 0)) == R"(
run_0a1b2c3d4e5f  users-org-id -> main                                        > RUNNING  since 03:12:07 (41 s)
Waits for a lock on users: expand/add-column.

> expand - . backfill - . enforce - . contract    0/5 steps

 > expand    running     0/2 steps
     > add-column   sql       acquiring lock  lock wait 0.6 s (3 tries)   attempt 3
         waits for a lock since 0.1 s  our session has pid 4242
         blocked by pid 77 app (web), idle in transaction 12 s, AccessShareLock on users: SELECT * FROM use...
         blocked by pid 78 app (report), idle in transaction 12 s, AccessShareLock on users: COPY users TO ...
     . build-index  sql       pending
     . column-is-nullable  validation    open    expected value YES
 . backfill  pending     0/1 step
 . enforce   pending     0/1 step
 . contract  pending     0/1 step  needs 1 approval from dba
)");
}

TEST_CASE("a low window keeps the head and the step at hand") {
  auto view = view_at(80, 9);
  view.footer = "[q]uit";
  CHECK(shown(waiting_for_lock(), view) == R"(
run_0a1b2c3d4e5f  users-org-id -> main          > RUNNING  since 03:12:07 (41 s)
Waits for a lock on users: expand/add-column.
> expand - . backfill - . enforce - . contract    0/5 steps
   ... 1 line above
     > add-column   sql       acquiring lock  lock wait 0.6 s (3 tries)   att...
         waits for a lock since 0.1 s  our session has pid 4242
   ... 7 lines below

[q]uit
)");
}

TEST_CASE("everything is shown when everything is asked for") {
  auto view = view_at(100, 0);
  view.expand_all = true;
  CHECK(shown(waiting_run(), view) == R"(
run_0a1b2c3d4e5f  users-org-id -> main                              o WAITING  since 03:12:07 (41 s)
Waits for somebody to advance into phase expand.

o expand - . backfill - . enforce - . contract    0/5 steps

 o expand    gated       0/2 steps
     The goal of expand.
     . add-column   sql       pending
     . build-index  sql       pending
     . column-is-nullable  validation    open    expected value YES
 . backfill  pending     0/1 step
     The goal of backfill.
     . fill-org-id  backfill  pending
     . nothing-left  validation    open    expected value 0
 . enforce   pending     0/1 step
     The goal of enforce.
     . set-not-null  sql       pending
 . contract  pending     0/1 step  needs 1 approval from dba
     The goal of contract.
     . drop-account-id  sql       pending      no way back
         the column's data is gone
 final checks
     . same-row-count  open    expected baseline total_users
)");
}

TEST_CASE("a failed check keeps what it got, on a line of its own if need be") {
  auto run = running_backfill();
  set_state(run, "failed");
  run["phases"][1]["state"] = "failed";
  run["phases"][1]["checks"][0]["result"] = "failed";
  run["phases"][1]["checks"][0]["actual"] = "value 17";
  CHECK(contains(shown(run, view_at(100, 0)), "failed  expected value 0, got value 17\n"));
  CHECK(contains(shown(run, view_at(50, 0)), "\n         got value 17\n"));
}

TEST_CASE("no picture is ever larger than its window") {
  for (auto const& run : {waiting_run(), running_backfill(), waiting_for_lock()}) {
    for (int height = 1; height < 40; ++height) {
      for (int const width : {20, 50, 79, 132}) {
        auto view = view_at(width, height, true);
        view.footer = "[q]uit";
        auto const lines = print(render_run(run, view), view.look, width);
        CHECK(static_cast<int>(lines.size()) <= height);
        for (auto const& line : lines) {
          CHECK(display_width(line) <= width);
        }
      }
    }
  }
}

TEST_CASE("a phase of a thousand steps shows those around the current one") {
  auto run = waiting_for_lock();
  auto const step = run["phases"][0]["steps"][1];
  auto& steps = run["phases"][0]["steps"];
  steps = Json::array();
  for (int i = 0; i < 1000; ++i) {
    steps.push_back(step);
    steps.back()["name"] = "step-" + std::to_string(i);
  }
  run["current"]["step"] = "step-700";
  auto const text = shown(run, view_at(100, 24));
  CHECK(contains(text, "step-700"));
  CHECK(contains(text, "blocked by pid 77"));
  CHECK(contains(text, "lines above"));
  CHECK(contains(text, "lines below"));
  CHECK(!contains(text, "step-500 "));
}

TEST_CASE("a schema that differs after going back is shown where it happened") {
  auto run = waiting_for_lock();
  run["mismatch"] = {
      {"expected", "sha256:a"}, {"actual", "sha256:b"}, {"diff", "- column a\n+ column b"}};
  auto const text = shown(run, view_at(100, 0));
  CHECK(contains(text,
                 "the schema is not what it was before this step:\n           - as it was before "
                 "the step, + as it is now; one of the two alone: gone, or come anew\n           - "
                 "column a\n           + column b\n"));
}

TEST_CASE("what was wrong with the attempt before is not said of the one that goes on") {
  auto run = waiting_for_lock();
  run["phases"][0]["steps"][0]["message"] = "55P03: lock not available";
  CHECK(contains(shown(run, view_at(110, 0)), "  the last try ended: 55P03: lock not available\n"));
  run["phases"][0]["steps"][0]["state"] = "failed";
  CHECK(contains(shown(run, view_at(110, 0)), "         55P03: lock not available\n"));
}

TEST_CASE("checks that passed in a phase that is done are only counted, unless all is asked for") {
  auto run = running_backfill();
  set_state(run, "waiting");
  run["current"] = nullptr;
  run["phases"][1]["state"] = "succeeded";
  auto& checks = run["phases"][1]["checks"];
  checks[0]["result"] = "passed";
  checks.push_back(checks[0]);
  checks.push_back(checks[0]);
  checks[2]["name"] = "still-open";
  checks[2]["result"] = "open";
  auto view = view_at(110, 0);
  auto const text = shown(run, view);
  CHECK(contains(text, "\n     + 2 checks passed\n     . still-open"));
  CHECK(!contains(text, "nothing-left"));
  view.expand_all = true;
  CHECK(contains(shown(run, view), "nothing-left"));
}

TEST_CASE("final checks of a run that is over are counted") {
  auto run = running_backfill();
  run["stage"] = "done";
  run["final_checks"][0]["result"] = "passed";
  auto const text = shown(run, view_at(110, 0));
  CHECK(contains(text, " final checks\n     + 1 check passed\n"));
}

TEST_CASE("a backfill that is held back says by whom, why and since when, and tells no end") {
  auto run = running_backfill();
  run["live"]["backfill"].erase("eta_ms");
  run["live"]["throttle"] = {{"state", "stopped"},
                             {"stopped_since", "2026-01-01T03:14:07.000Z"},
                             {"throttled_percent", 12},
                             {"message", "stopped for 12 s: replica lag 7.1 s on b, above 5 s"},
                             {"unseen_message", "not seen: autovacuum"},
                             {"hand", {{"message", "slowed to 30 % by ben: p99"}}}};
  auto const text = shown(run, view_at(110, 0));
  CHECK(contains(text, "stopped since 03:14:07"));
  CHECK(!contains(text, "ETA"));
  CHECK(contains(text, "replica lag 7.1 s on b, above 5 s (12 % of the time so far)"));
  CHECK(contains(text, "by hand: slowed to 30 % by ben: p99"));
  CHECK(contains(text, "not seen: autovacuum"));
}

TEST_CASE("a failed run tells the ways that its message does not") {
  auto run = waiting_for_lock();
  set_state(run, "failed");
  run["direction"] = "backward";
  run["state_message"] = "not as before; once mended: runbookctl retry run_0a1b2c3d4e5f expand/a";
  allow(run, "retry");
  CHECK(!contains(shown(run, view_at(110, 0)), "runbookctl skip"));
  allow(run, "skip");
  CHECK(contains(shown(run, view_at(110, 0)),
                 "\nto leave the step as it stands: runbookctl skip run_0a1b2c3d4e5f "
                 "expand/add-column --reason TEXT\n"));
  run["mismatch"] = Json::object();
  CHECK(contains(shown(run, view_at(110, 0)), "\nto take the schema as it is: runbookctl skip "));
  run["direction"] = "forward";
  allow(run, "rollback");
  auto const forward = shown(run, view_at(110, 0));
  CHECK(contains(forward, "\nto leave the step out: runbookctl skip "));
  CHECK(contains(forward, "\nto see the way back: runbookctl rollback run_0a1b2c3d4e5f --last "));
  CHECK(!contains(forward, "runbookctl cancel"));
  allow(run, "cancel");
  CHECK(contains(shown(run, view_at(110, 0)),
                 "\nto give up, the database staying as it is: runbookctl cancel "));
}

TEST_CASE("a rollback says so in its state") {
  auto run = waiting_for_lock();
  run["direction"] = "backward";
  CHECK(contains(shown(run, view_at(110, 0)), "RUNNING (rolling back)"));
  set_state(run, "rolled_back");
  CHECK(contains(shown(run, view_at(110, 0)), "ROLLED BACK  since"));
}

TEST_CASE("a phase that is taken back does not show what was checked on the way forward") {
  auto run = running_backfill();
  run["direction"] = "backward";
  run["phases"][1]["state"] = "reverting";
  CHECK(!contains(shown(run, view_at(110, 0)), "nothing-left"));
}

TEST_CASE("final checks are shown when they are at hand, and not on the way back") {
  auto run = running_backfill();
  run["final_checks"][0]["result"] = "passed";
  run["final_checks"][0]["actual"] = "value 3";
  CHECK(!contains(shown(run, view_at(110, 0)), "same-row-count"));
  run["stage"] = "final_checks";
  CHECK(contains(shown(run, view_at(110, 0)),
                 "same-row-count  passed  expected baseline total_users, got value 3"));
  run["direction"] = "backward";
  CHECK(!contains(shown(run, view_at(110, 0)), "same-row-count"));
}

TEST_CASE("an interruption that is near and a store that fails are said") {
  auto run = waiting_for_lock();
  run["escalate_at"] = "2026-01-01T03:13:10.000Z";
  run["store_degraded"] = true;
  auto const text = shown(run, view_at(110, 0));
  CHECK(contains(text, "interrupts what is executing at 03:13:10 (in 22 s)\n"));
  CHECK(contains(text, "the daemon cannot write to its store"));
}

TEST_CASE("times to come are counted down") {
  auto run = waiting_run();
  run["waiting_on"] = {{{"kind", "timer"},
                        {"message", "the soak of phase expand"},
                        {"until", "2026-01-01T03:20:00.000Z"}}};
  CHECK(contains(shown(run, view_at(110, 0)),
                 "waits: the soak of phase expand  until 03:20:00 (in 7 min 12 s)\n"));
}

TEST_CASE("colours add nothing but colours") {
  auto plain = view_at(100, 30, true);
  auto coloured = plain;
  coloured.look.colour = true;
  auto text = shown(running_backfill(), coloured);
  CHECK(contains(text, "\x1b[32m"));
  for (auto at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b')) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  CHECK(text == shown(running_backfill(), plain));
}

TEST_CASE("states of a newer daemon are shown by their word") {
  auto run = waiting_run();
  set_state(run, "hibernating");
  CHECK(contains(shown(run, view_at(100, 0)), "* HIBERNATING"));
}

TEST_CASE("a document of another kind gives a poor picture and no crash") {
  for (auto const& document :
       {Json(), Json::object(), Json::array(), Json("text"), Json{{"phases", 7}},
        Json{{"phases", {1, "x", {{"steps", {nullptr, 3}}, {"checks", "c"}}}}}}) {
    CHECK(!render_run(document, view_at(80, 24)).empty());
  }
}

namespace {

Json cut_backfill() {
  auto run = running_backfill();
  set_state(run, "paused");
  run["live"] = {{"activity", ""}, {"blockers", Json::array()}};
  run["current"]["activity"] = "";
  auto& step = run["phases"][1]["steps"][0];
  step["state"] = "interrupted";
  step["backfill"] = {{"rows_scanned", 41'200'000},
                      {"rows_changed", 41'199'000},
                      {"rows_total", 60'200'000},
                      {"total_exact", false},
                      {"percent", 68.4}};
  return run;
}

}  // namespace

TEST_CASE("a backfill that nobody works on shows how far it is") {
  auto run = cut_backfill();
  auto const bar = "68.4 %  41.2 M of ~60.2 M rows, 41.2 M changed\n";
  CHECK(contains(shown(run, view_at(100, 0)), bar));
  auto& backfill = run["phases"][1]["steps"][0]["backfill"];
  backfill["total_exact"] = true;
  CHECK_FALSE(contains(shown(run, view_at(100, 0)), " %"));
}

TEST_CASE("a backfill at work shows what it does now, not what was recorded") {
  auto run = running_backfill();
  run["phases"][1]["steps"][0]["backfill"] = cut_backfill()["phases"][1]["steps"][0]["backfill"];
  run["phases"][1]["steps"][0]["backfill"]["percent"] = 12.5;
  CHECK(contains(shown(run, view_at(100, 0)), "68.4 %"));
  CHECK_FALSE(contains(shown(run, view_at(100, 0)), "12.5 %"));
}

TEST_CASE("tries are counted for each way") {
  auto run = cut_backfill();
  auto& step = run["phases"][1]["steps"][0];
  step["attempts"] = 3;
  step["tries"] = 1;
  CHECK_FALSE(contains(shown(run, view_at(100, 0)), "attempt"));
  step["tries"] = 2;
  CHECK(contains(shown(run, view_at(100, 0)), "attempt 3"));
}

TEST_CASE("a step that stands because its reversal was left out is kept, not skipped") {
  auto run = cut_backfill();
  run["phases"][1]["state"] = "partly_skipped";
  run["phases"][1]["steps"][0]["state"] = "skipped";
  CHECK(contains(shown(run, view_at(100, 0)), "partly skipped"));
  run["phases"][1]["steps"][0]["kept"] = true;
  auto const text = shown(run, view_at(100, 0));
  CHECK(contains(text, "partly kept"));
  CHECK_FALSE(contains(text, "skipped"));
}

TEST_CASE("what a check found is shown in a line, whatever its size") {
  auto run = cut_backfill();
  auto& check = run["phases"][1]["checks"][0];
  check["result"] = "failed";
  check["actual"] = "value " + std::string(4'096, 'x') + "… (500000 bytes)";
  check["expected"] = std::string(600, 'y');
  auto view = view_at(100, 0);
  std::string text;
  for (auto const& line : render_run(run, view)) {
    text += line.print(view.look) + '\n';
  }
  CHECK(contains(text, "xxx… (500000 bytes)\n"));
  CHECK(contains(text, "yyy… (600 bytes)"));
  CHECK_FALSE(contains(text, std::string(300, 'x')));
  CHECK_FALSE(contains(text, std::string(300, 'y')));
}
