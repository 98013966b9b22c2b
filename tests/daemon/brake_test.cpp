#include "daemon/brake.h"

#include <doctest/doctest.h>

using namespace runbookd::planner;
using namespace std::chrono_literals;
using runbookd::daemon::Brake;

namespace {

BackfillAction fill(Duration pause = 0ms) {
  BackfillAction action;
  action.batch.pause = pause;
  action.throttle.active_sessions = SessionLimit{.count = 2, .percent = false};
  return action;
}
LastBatch const after_300ms{.rows = 10, .took = 300ms};

HandThrottles slowed_to(int percent) {
  HandThrottles words;
  words.say({.percent = percent, .actor = "ben"});
  return words;
}

Sample lonely() {
  Sample sample;
  sample.lately_active = 0;
  return sample;
}
Sample crowded() {
  Sample sample;
  sample.active_sessions = 2;
  return sample;
}

}  // namespace

TEST_CASE("nobody is held back on a quiet target but by the plan's own pause") {
  Brake brake(fill(), {});
  brake.saw(lonely());
  CHECK(brake.pace(after_300ms).wait == 0ms);
  Brake resting(fill(50ms), {});
  resting.saw(lonely());
  CHECK(resting.pace(after_300ms).wait == 50ms);
  CHECK(resting.pace({.rows = 10, .took = 300ms, .rested = 50ms}).wait == 0ms);
}

TEST_CASE("where others are at work batches are shorter, and a tenth of their time is left free") {
  Brake brake(fill(), {});
  CHECK(brake.pace({}).hold == held_for_others);
  CHECK(brake.pace(after_300ms).wait == 30ms);
  for (int looks = 0; looks < 3; ++looks) {
    brake.saw(lonely());
  }
  CHECK(brake.pace({}).hold == 1);
}

TEST_CASE("a person's share is kept by rests, which have to be rested once") {
  Brake brake(fill(50ms), slowed_to(30));  // 300 ms of work and pause in each second
  CHECK(brake.pace({.rows = 10, .took = 250ms}).wait == 750ms);
  CHECK(brake.pace({.rows = 10, .took = 250ms, .rested = 600ms}).wait == 150ms);
  CHECK(brake.pace({.rows = 10, .took = 250ms, .rested = 750ms}).wait == 0ms);
}

TEST_CASE("a person's word reaches what is under way, and may be taken back") {
  Brake brake(fill(), {});
  brake.set_hand(slowed_to(0));
  CHECK(brake.pace({}).wait > 0ms);
  CHECK(brake.throttling().hand->actor == "ben");
  brake.set_hand({});
  CHECK(brake.pace({}).wait == 0ms);
  CHECK_FALSE(brake.throttling().hand);
}

TEST_CASE("what the eyes see stops every worker, until they see that it is over") {
  Brake brake(fill(), {});
  brake.saw(crowded());
  CHECK(brake.pace({}).wait > 0ms);
  CHECK(brake.pace({.worker = 3}).wait > 0ms);
  CHECK(brake.throttling().speed.stopped());
  Sample calm;
  calm.active_sessions = 0;
  brake.saw(calm);
  brake.saw(calm);
  CHECK(brake.pace({}).wait == 0ms);
}

TEST_CASE("why nothing could be seen is kept until something is") {
  Brake brake(fill(), {});
  brake.saw_nothing("connection refused");
  CHECK(brake.throttling().blind_because == "connection refused");
  brake.saw(Sample{});
  CHECK(brake.throttling().blind_because.empty());
}
