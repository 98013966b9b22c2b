#include <chrono>
#include <csignal>
#include <random>

#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

// Appends to two runs at once, for ever, and tells each commit to the other end of the pipe.
[[noreturn]] void append_until_killed(std::string const& path, int told) {
  auto const store = Store::open({.path = path});
  if (!store)
    ::_exit(3);
  auto& journal = (*store)->journal();
  auto const found = journal.find({"run_1"});
  auto const event = event_of(planner::RunResumed{}, std::string(700, 'r'));
  for (auto revision = found ? found->revision : 0;; revision += 2) {
    auto const done = journal.append({append_of("run_1", revision, {event, event}),
                                      append_of("run_2", revision, {event, event})});
    if (!done)
      ::_exit(4);
    auto const now = revision + 2;
    if (::write(told, &now, sizeof now) != sizeof now)
      ::_exit(5);
  }
}

void spin_for(std::chrono::microseconds time) {
  auto const end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

// Lets a child append, kills it a while after its `commits`-th commit; the last revision that it
// had told.
planner::EventSeq kill_one_writer(std::string const& path, int commits,
                                  std::chrono::microseconds later) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  auto const child = ::fork();
  if (child == 0)
    append_until_killed(path, ends[1]);
  ::close(ends[1]);
  planner::EventSeq told = 0;
  auto const listen = [&] { return ::read(ends[0], &told, sizeof told) == sizeof told; };
  for (int i = 0; i < commits; ++i)
    REQUIRE(listen());
  spin_for(later);
  ::kill(child, SIGKILL);
  while (listen()) {
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  return told;
}

struct Survivors {
  planner::EventSeq first = 0, second = 0;  // revisions
  planner::EventSeq first_wrong = 0, second_wrong = 0;
};
Survivors look_at(Scratch const& scratch) {
  auto const store = scratch.open();
  auto const& journal = store->journal();
  auto const revision = [&](char const* run) {
    auto const found = journal.find({run});
    return found ? found->revision : 0;
  };
  return {revision("run_1"), revision("run_2"), journal.verify({"run_1"}),
          journal.verify({"run_2"})};
}

TEST_CASE("a journal whose writer is killed at any moment keeps all it promised and is whole") {
  Scratch const scratch;
  REQUIRE(scratch.open()->plans().put(plan_of('a')));
  std::mt19937 chance(
      4711);  // NOLINT: the same moments each time, as far as a scheduler lets them be
  planner::EventSeq last = 0;
  for (int round = 0; round < 50; ++round) {
    CAPTURE(round);
    auto const commits = static_cast<int>(chance() % 8);
    auto const told =
        kill_one_writer(scratch.path(), commits, std::chrono::microseconds(chance() % 3000));
    auto const found = look_at(scratch);
    CHECK(found.first >= std::max(told, last));
    CHECK(found.first == found.second);
    CHECK(found.first % 2 == 0);
    CHECK(found.first_wrong == 0);
    CHECK(found.second_wrong == 0);
    Connection raw(scratch.path());
    CHECK(raw.text("PRAGMA integrity_check") == "ok");
    last = found.first;
  }
  CHECK(last > 0);
}

TEST_CASE("a writer that is killed while it makes a new store leaves a file that opens") {
  std::mt19937 chance(815);  // NOLINT
  for (int round = 0; round < 20; ++round) {
    Scratch const scratch;
    auto const child = ::fork();
    if (child == 0) {
      (void)Store::open({.path = scratch.path()});
      ::pause();
    }
    spin_for(std::chrono::microseconds(chance() % 15'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(refusal_of(scratch.path()) == "opened");
  }
}

}  // namespace
}  // namespace runbookd::store
