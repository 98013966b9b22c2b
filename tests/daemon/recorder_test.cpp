// The recorder on a real store.
#include "daemon/recorder.h"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::daemon {
namespace {

using planner::ErrorCode;
using store::append_of;

// Time stands until the test rings.
class HandClock final : public Clock {
 public:
  planner::Moment now() const override { return planner::Moment{}; }
  std::unique_ptr<Alarm> wake_at(planner::Moment, std::function<void()> ring) override {
    ring_ = std::move(ring);
    return std::make_unique<Alarm>();
  }
  void ring() { std::exchange(ring_, nullptr)(); }
  bool waits() const { return ring_ != nullptr; }

 private:
  std::function<void()> ring_;
};

struct Desk {
  explicit Desk(std::int64_t max_pages = 0) : store(scratch.open(max_pages)) {
    REQUIRE(store->plans().put(store::plan_of('a')));
    recorder.on_trouble = [this](std::string const& what) { troubles.push_back(what); };
    recorder.on_broken = [this](planner::Error const& error) { broken.push_back(error.detail); };
  }
  void soon(std::string const& run, planner::EventSeq expected, std::string reason = "") {
    auto event = store::event_of(planner::RunResumed{}, std::move(reason));
    recorder.record_soon(append_of(run, expected, {event}),
                         [this, run] { durable.push_back(run); });
  }
  void turn() {
    io.restart();
    io.run();
  }
  planner::EventSeq revision(std::string const& run) const {
    auto const found = store->journal().find({run});
    return found ? found->revision : 0;
  }
  // Whatever size of event is offered, none fits any more.
  void fill() {
    planner::EventSeq at = 0;
    for (std::size_t size = 20'000; size > 0; size /= 2) {
      auto const event = store::event_of(planner::RunResumed{}, std::string(size, 'x'));
      while (store->journal().append({append_of("filler", at, {event})})) {
        ++at;
      }
    }
  }

  store::Scratch scratch;
  std::unique_ptr<store::Store> store;
  boost::asio::io_context io;
  HandClock clock;
  Recorder recorder{io, clock, store->journal()};
  std::vector<std::string> durable, troubles, broken;
};
struct SmallDesk : Desk {
  SmallDesk() : Desk(60) {}
};

using Names = std::vector<std::string>;

TEST_CASE_FIXTURE(Desk, "facts of several runs are durable after one turn, and told after it") {
  soon("run_1", 0);
  soon("run_2", 0);
  CHECK(durable.empty());
  CHECK(revision("run_1") == 0);
  turn();
  CHECK(durable == Names{"run_1", "run_2"});
  CHECK(revision("run_1") == 1);
  CHECK(revision("run_2") == 1);
  CHECK(recorder.idle());
}

TEST_CASE_FIXTURE(Desk, "what is asked for at once takes what waits along, before it") {
  soon("run_1", 0);
  REQUIRE(recorder.record_now(append_of("run_1", 1)));
  CHECK(revision("run_1") == 2);
  CHECK(durable.empty());  // never from inside a call
  turn();
  CHECK(durable == Names{"run_1"});
}

TEST_CASE_FIXTURE(Desk, "a wish that comes too late is refused and breaks nothing") {
  REQUIRE(recorder.record_now(append_of("run_1", 0)));
  CHECK(recorder.record_now(append_of("run_1", 0)).error().code == ErrorCode::stale_revision);
  CHECK(broken.empty());
  CHECK(recorder.record_now(append_of("run_1", 1)));
}

TEST_CASE_FIXTURE(Desk, "a fact that does not fit means that somebody else wrote: the end, once") {
  soon("run_1", 5);
  turn();
  CHECK(broken.size() == 1);
  CHECK(durable.empty());
  CHECK(recorder.degraded());
  CHECK_FALSE(recorder.record_now(append_of("run_2", 0)));
  CHECK(revision("run_2") == 0);
  CHECK(broken.size() == 1);
}

TEST_CASE_FIXTURE(SmallDesk, "each commit is told once, with what it made durable, and no other") {
  std::vector<Names> told;
  recorder.on_durable = [&](std::vector<store::Append> const& appends, auto took) {
    CHECK(took.count() > 0);
    Names runs;
    for (auto const& append : appends) {
      runs.push_back(append.run.text);
    }
    told.push_back(std::move(runs));
  };
  soon("run_1", 0);
  soon("run_2", 0);
  turn();
  recorder.flush();  // nothing waits
  CHECK(told == std::vector<Names>{{"run_1", "run_2"}});
  CHECK_FALSE(recorder.record_now(append_of("run_1", 0)));  // refused
  CHECK(told.size() == 1);
  fill();
  soon("run_1", 1, std::string(8'000, 'y'));
  turn();
  CHECK(recorder.degraded());
  CHECK(told.size() == 1);
  store->connection().run_script("PRAGMA max_page_count = 100000");
  clock.ring();
  turn();
  CHECK(told.back() == Names{"run_1"});
  CHECK(told.size() == 2);
}

TEST_CASE_FIXTURE(SmallDesk, "with a full store facts wait, and are durable once there is room") {
  fill();
  soon("run_1", 0, std::string(8'000, 'y'));
  turn();
  CHECK(recorder.degraded());
  CHECK(durable.empty());
  CHECK(troubles.size() == 1);
  REQUIRE(clock.waits());
  clock.ring();  // still full
  turn();
  CHECK(durable.empty());
  CHECK(troubles.size() == 1);  // told once
  store->connection().run_script("PRAGMA max_page_count = 100000");
  clock.ring();
  turn();
  CHECK(durable == Names{"run_1"});
  CHECK(revision("run_1") == 1);
  CHECK_FALSE(recorder.degraded());
  CHECK(troubles.back() == "the store takes events again");
}

}  // namespace
}  // namespace runbookd::daemon
