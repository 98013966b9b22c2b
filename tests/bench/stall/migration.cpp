#include "tests/bench/stall/migration.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "tests/bench/stall/link.h"

namespace runbookd::bench {
namespace {

using namespace std::chrono_literals;

std::string add(std::string const& column) { return "ALTER TABLE t ADD COLUMN " + column + " int"; }

}  // namespace

Migration ours(testing::RunningDaemon& daemon) {
  return {.name = "runbookd", .run = [&daemon](std::string const& column) {
            auto const id = daemon.create(
                "runbook: 1\nname: bench\nphases:\n  - name: only\n    kind: other\n    steps:\n"
                "      - {name: add, sql: " +
                add(column) + ", rollback: ALTER TABLE t DROP COLUMN " + column + "}\n");
            daemon.verb(id, "start");
            // the stream ends when the run does
            daemon.stream("/api/v1/runs/" + id + "/events", "",
                          [](std::string const&) { return false; });
            if (auto const run = daemon.run(id); run.at("state") != "succeeded") {
              throw std::runtime_error("the run did not succeed: " + run.dump());
            }
          }};
}

Migration plain(std::string const& dsn) {
  return {.name = "psql, no limits", .run = [dsn](std::string const& column) {
            auto const done =
                testing::run_program({"/usr/bin/psql", "-X", "-q", "-c", add(column), dsn});
            if (done.exit_code != 0) {
              throw std::runtime_error(done.err);
            }
          }};
}

Migration schedule(std::string name, std::string const& dsn, std::vector<Try> tries) {
  return {.name = std::move(name), .run = [dsn, tries](std::string const& column) {
            Link link(dsn);
            for (std::size_t n = 0;; ++n) {
              auto const& now = tries[std::min(n, tries.size() - 1)];
              link.run("SET lock_timeout = " + std::to_string(now.lock_timeout.count()));
              auto const state = link.attempt(add(column));
              if (state.empty()) {
                return;
              }
              if (state != "55P03") {
                throw std::runtime_error("ALTER TABLE: " + state);
              }
              std::this_thread::sleep_for(now.pause);
            }
          }};
}

// Of the two tools only the times of their tries, as their sources have them; not the tools.
std::vector<Migration> schedules(std::string const& dsn) {
  return {
      schedule("psql, lock_timeout 200ms, each 1s", dsn, {{200ms, 1s}}),
      schedule("schedule of pgroll", dsn,
               {{500ms, 1s}, {500ms, 2s}, {500ms, 4s}, {500ms, 8s}, {500ms, 16s}, {500ms, 32s}}),
      schedule("schedule of GitLab", dsn,
               {{100ms, 50ms},
                {100ms, 50ms},
                {200ms, 50ms},
                {300ms, 100ms},
                {400ms, 150ms},
                {500ms, 2s},
                {500ms, 2s},
                {500ms, 2s},
                {500ms, 2s},
                {1s, 5s},
                {1s, 60s}}),
  };
}

}  // namespace runbookd::bench
