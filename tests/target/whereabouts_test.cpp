// Which claims a daemon may take over unasked.
#include "daemon/target/whereabouts.h"

#include <doctest/doctest.h>
#include <unistd.h>

using runbookd::daemon::process_lives;
using runbookd::daemon::surely_gone;
using runbookd::daemon::Whereabouts;

namespace {

auto const dead = [](int, std::string const&) { return false; };
auto const alive = [](int, std::string const&) { return true; };

Whereabouts here() {
  return {.host = "db7",
          .machine = "m1",
          .boot = "b1",
          .pid_space = "pid:[1]",
          .pid = 812,
          .pid_start = "100",
          .store_file = "8:1",
          .address = "10.0.0.7"};
}

}  // namespace

TEST_CASE("whoever had the file that we have locked is gone, whatever has its pid") {
  auto then = here();
  then.pid_space = "pid:[2]";  // an earlier container
  CHECK(surely_gone(then, here(), alive));
}

TEST_CASE("of a copy on this machine the process tells, where it can be seen") {
  auto then = here();
  then.store_file = "8:2";
  CHECK(surely_gone(then, here(), dead));
  CHECK_FALSE(surely_gone(then, here(), alive));
  then.pid_space = "pid:[2]";
  CHECK_FALSE(surely_gone(then, here(), dead));
}

TEST_CASE("a restart of the machine ends its daemons; a clone of it is told by its address") {
  auto then = here();
  then.boot = "b0";
  CHECK(surely_gone(then, here(), dead));
  for (auto Whereabouts::* const part : {&Whereabouts::host, &Whereabouts::machine,
                                         &Whereabouts::store_file, &Whereabouts::address}) {
    auto other = then;
    other.*part = "another";
    CHECK_FALSE(surely_gone(other, here(), dead));
  }
}

TEST_CASE("what is not known proves nothing") {
  CHECK_FALSE(surely_gone({}, here(), dead));
  CHECK_FALSE(surely_gone({}, {}, dead));
  CHECK_FALSE(surely_gone(here(), {}, dead));
}

TEST_CASE("a process is told from a later one with its pid") {
  auto const ours = runbookd::daemon::whereabouts("/proc/self/exe");
  CHECK(process_lives(getpid(), ours.pid_start));
  CHECK_FALSE(process_lives(getpid(), "1"));
  CHECK_FALSE(process_lives(2'000'000'000, ""));
}
