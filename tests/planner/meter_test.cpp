#include "planner/meter.h"

#include <doctest/doctest.h>

#include "planner/run_mode.h"
#include "tests/planner/view_life.h"

namespace runbookd::planner {
namespace {

using namespace std::chrono_literals;

// whole_plan(): phase 0 is expand with sql steps, 0 of phase 1 is a backfill, 1 is done by hand.
constexpr StepRef add{.phase = 0, .step = 0}, fill{.phase = 1, .step = 0}, deploy{1, 1};

struct Desk {
  Plan plan = tests::whole_plan();
  Meter meter;
  Moment now{1h};

  std::vector<Figure> take(EventBody body, Duration later = 0ms) {
    now += later;
    return meter.take(plan, {.at = now, .actor = "", .reason = "", .body = std::move(body)});
  }
  template <typename Kind>
  Kind one(EventBody body, Duration later = 0ms) {
    auto const figures = take(std::move(body), later);
    REQUIRE(figures.size() == 1);
    return std::get<Kind>(figures.front());
  }
  void begin(StepRef ref, Direction direction = Direction::forward, int attempt = 1) {
    CHECK(take(StepStarted{.ref = ref, .direction = direction, .attempt = attempt}).empty());
  }
};

SqlFailure failure(std::string sqlstate) {
  return {.sqlstate = std::move(sqlstate), .message = "no", .statement = ""};
}

TEST_CASE_FIXTURE(Desk, "a try is told with its kind, its end, how long it took and waited") {
  begin(add);
  auto const ended = one<TryEnded>(StepSucceeded{.ref = add, .took = 1s, .lock_wait = 40ms}, 3s);
  CHECK(ended.phase == PhaseKind::expand);
  CHECK(ended.kind == "sql");
  CHECK(ended.result == "succeeded");
  CHECK(ended.took == 3s);
  CHECK(ended.lock_wait == 40ms);
  CHECK_FALSE(ended.lock_timeout);
}

TEST_CASE_FIXTURE(Desk, "what a person does waits for no lock") {
  begin(deploy);
  auto const ended = one<TryEnded>(StepSucceeded{.ref = deploy}, 5min);
  CHECK(ended.kind == "manual");
  CHECK(ended.took == 5min);
  CHECK_FALSE(ended.lock_wait.has_value());
}

TEST_CASE_FIXTURE(Desk, "a try without its locks is a lock timeout, put off or given up") {
  begin(add);
  auto const put_off =
      one<TryEnded>(StepRetryScheduled{.ref = add, .failure = failure("55P03"), .lock_wait = 1s});
  CHECK(put_off.result == "retry_scheduled");
  CHECK(put_off.lock_timeout);
  begin(add, Direction::forward, 2);
  CHECK(one<TryEnded>(StepFailed{.ref = add, .failure = failure("55P03")}).lock_timeout);
  begin(add, Direction::forward, 3);
  CHECK_FALSE(one<TryEnded>(StepFailed{.ref = add, .failure = failure("42P07")}).lock_timeout);
}

TEST_CASE_FIXTURE(Desk, "of a try whose end nobody heard it is not said how long it took") {
  begin(add);
  auto const lost = one<TryEnded>(OutcomeLost{.ref = add}, 1min);
  CHECK(lost.result == "lost");
  CHECK_FALSE(lost.took.has_value());
}

TEST_CASE_FIXTURE(Desk,
                  "a reversal that left another schema is one try, however often it is seen") {
  begin(add, Direction::backward, 2);
  CHECK(one<TryEnded>(FingerprintMismatched{.ref = add, .attempt = 2}).result == "mismatch");
  CHECK(take(FingerprintMismatched{.ref = add, .attempt = 2}).empty());
}

TEST_CASE_FIXTURE(Desk, "a stage's verdict is the worst of its checks") {
  CheckResult const fine{.verdict = Verdict::passed}, bad{.verdict = Verdict::failed},
      broken{.verdict = Verdict::error};
  auto const verdict = [&](std::vector<CheckResult> results, bool passed) {
    return one<StageJudged>(ChecksJudged{.results = std::move(results), .passed = passed}).verdict;
  };
  CHECK(verdict({fine, fine}, true) == Verdict::passed);
  CHECK(verdict({fine, bad}, false) == Verdict::failed);
  CHECK(verdict({broken, bad}, false) == Verdict::error);
}

TEST_CASE_FIXTURE(Desk, "a pause lasts from the first wish until nothing is in flight") {
  CHECK(take(PauseRequested{}).empty());
  CHECK(take(PauseRequested{.mode = StopMode::now}, 2s).empty());
  CHECK(one<PauseReached>(RunPaused{}, 1s).latency == 3s);
  CHECK(take(RunPaused{.why = "its watch failed"}, 1s).empty());  // by itself: nobody asked
}

TEST_CASE_FIXTURE(Desk, "a pause that a failure came before is not measured by the next") {
  take(PauseRequested{});
  begin(add);
  take(StepFailed{.ref = add, .failure = failure("42P07")}, 1s);
  take(RetryRequested{.ref = add}, 1h);
  take(PauseRequested{}, 1s);
  CHECK(one<PauseReached>(RunPaused{}, 200ms).latency == 200ms);
}

TEST_CASE_FIXTURE(Desk, "rows seen while they are filled are not told again when recorded") {
  begin(fill);
  CHECK(meter.filled(fill, 300).rows == 300);
  CHECK(meter.filled(fill, 300).rows == 0);
  auto const figures = take(StepInterrupted{.ref = fill, .filled = Filled{.changed = 500}});
  REQUIRE(figures.size() == 2);
  CHECK(std::get<RowsFilled>(figures[1]).rows == 200);
  begin(fill, Direction::forward, 2);  // goes on in the same series
  CHECK(meter.filled(fill, 450).rows == 0);
  CHECK(meter.filled(fill, 600).rows == 100);
}

TEST_CASE_FIXTURE(Desk, "after a step was taken back its rows count anew") {
  begin(fill);
  take(StepSucceeded{.ref = fill, .filled = Filled{.changed = 500}});
  begin(fill, Direction::backward, 2);
  CHECK(meter.filled(fill, 400).rows == 400);
  take(StepSucceeded{.ref = fill, .direction = Direction::backward});
  begin(fill, Direction::forward, 3);
  CHECK(meter.filled(fill, 20).rows == 20);
}

TEST_CASE("every state has a name that leads back to it, and somebody's turn") {
  for (auto const mode : all_modes()) {
    CHECK(mode_named(to_text(mode)) == mode);
    CHECK((turn_of(mode) == Turn::nobody) == (is_final(mode) || mode == RunMode::pending));
  }
  CHECK_FALSE(mode_named("asleep").has_value());
}

TEST_CASE("who is at work and who waits is told in a line") {
  using enum RunMode;
  CHECK(standing_words({}) == "0 runs at work");
  CHECK(standing_words({running, waiting, pending, succeeded}) ==
        "1 run at work, 1 waits for a person");
  CHECK(standing_words({running, pausing, failed, paused}) ==
        "2 runs at work, 2 wait for a person");
}

}  // namespace
}  // namespace runbookd::planner
