// Connections that somebody between us and the server has forgotten.
#include "daemon/target/line.h"

#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "tests/support/proxy.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using namespace std::chrono_literals;
using Fate = planner::SqlFailure::Fate;

namespace {

struct Scene {
  std::unique_ptr<daemon::Session> connect(planner::Duration timeout = 10s) const {
    auto session = daemon::connect(
        {.name = "main",
         .dsn = server().dsn(target.name()) + " host=127.0.0.1 port=" + std::to_string(net.port()),
         .connect_timeout = timeout},
        "line");
    REQUIRE(session);
    return std::move(*session);
  }

  Target target;
  Proxy net{server().folder() + "/.s.PGSQL." + std::to_string(server().port())};
};

}  // namespace

TEST_CASE("an answer that does not come in its time is not waited for: nobody knows its fate") {
  Scene scene;
  auto session = scene.connect();
  session->line()->answer_within(1s);
  REQUIRE(scene.net.half_open() == 1);
  auto const answered = session->run("SELECT 1");
  REQUIRE_FALSE(answered);
  CHECK(answered.error().fate == Fate::unknown);
  CHECK(answered.error().message.find("no answer came") == 0);
  CHECK_FALSE(session->alive());
}

TEST_CASE("an answer that takes longer than its time is given up") {
  Scene scene;
  auto session = scene.connect();
  session->line()->answer_within(1s);
  CHECK_FALSE(session->run("SELECT pg_sleep(5)"));
  CHECK_FALSE(session->alive());
}

TEST_CASE("a session without a limit waits through a silence") {
  Scene scene;
  auto session = scene.connect();
  session->line()->answer_within({});
  scene.net.stall(true);
  std::jthread const healer([&] {
    std::this_thread::sleep_for(1500ms);
    scene.net.stall(false);
  });
  CHECK(session->run("SELECT 1"));
}

TEST_CASE("the time of one question does not count for the next") {
  Scene scene;
  auto session = scene.connect();
  session->line()->answer_within(2s);
  for (int i = 0; i < 3; ++i) {
    CHECK(session->run("SELECT pg_sleep(1.2)"));
  }
}

TEST_CASE("whoever waits on a line that another thread cuts hears of it") {
  Scene scene;
  auto session = scene.connect();
  session->line()->answer_within({});
  std::jthread const other([line = session->line()] {
    std::this_thread::sleep_for(200ms);
    line->cut();
  });
  auto const answered = session->run("SELECT pg_sleep(5)");
  REQUIRE_FALSE(answered);
  CHECK(answered.error().fate == Fate::unknown);
}

TEST_CASE("a backend that has ended is seen as gone, one that lives is not") {
  Scene scene;
  auto eyes = scene.target.connect("eyes");
  auto session = scene.connect();
  auto const before = daemon::look_at_locks(*eyes, session->pid());
  REQUIRE(before);
  CHECK_FALSE(before->gone);
  scene.net.half_open();
  scene.target.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'line'");
  auto const after = daemon::look_at_locks(*eyes, session->pid());
  REQUIRE(after);
  CHECK(after->gone);
  CHECK_FALSE(after->waiting);
}
