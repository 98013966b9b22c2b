// What becomes of the daemon when its store is deleted, damaged, full or does not sync; and its
// copies.
#include <filesystem>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/check.h"
#include "store/journal.h"
#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

namespace fs = std::filesystem;

bool has(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

std::string sleeping_plan() {
  return plan_text({{.name = "slow",
                     .forward = "SELECT pg_sleep(120)",
                     .backward = "SELECT 1",
                     .more = "statement_timeout: 10m"}});
}

constexpr auto sleeps =
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' "
    "AND pid <> pg_backend_pid()";
constexpr auto sleeps_no_more =
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' "
    "AND pid <> pg_backend_pid()";

std::string start_sleeping(Scene& scene) {
  auto const id = scene.daemon.create(sleeping_plan());
  scene.daemon.verb(id, "start");
  scene.database.until(sleeps);
  return id;
}

Finished store_command(RunningDaemon const& daemon, std::vector<std::string> const& words) {
  std::vector<std::string> command{runbookd_program(), "--config",
                                   daemon.folder() + "/runbookd.yaml", "store"};
  command.insert(command.end(), words.begin(), words.end());
  return run_program(command);
}

// Told to the client, told in the log, and over.
void expect_end(RunningDaemon& daemon, Reply const& last, std::string const& why) {
  CHECK(last.status == 503);
  CHECK(last.body.at("code") == "store-broken");
  CHECK(daemon.wait_for_end() == 1);
  auto const log = daemon.log();
  CHECK(has(log, "the store is broken"));
  CHECK(has(log, why));
}

// No file of the daemon may grow while one lives: for the store that is a full disk.
class FullDisk {
 public:
  explicit FullDisk(pid_t daemon) : daemon_(daemon) {
    ::prlimit(daemon_, RLIMIT_FSIZE, nullptr, &before_);
    auto none = before_;
    none.rlim_cur = 0;
    REQUIRE(::prlimit(daemon_, RLIMIT_FSIZE, &none, nullptr) == 0);
  }
  ~FullDisk() { ::prlimit(daemon_, RLIMIT_FSIZE, &before_, nullptr); }
  FullDisk(FullDisk const&) = delete;
  FullDisk& operator=(FullDisk const&) = delete;

 private:
  pid_t daemon_;
  rlimit before_{};
};

// Every sync of the process fails while one lives. Nothing where the system does not let us.
class FailingSyncs {
 public:
  explicit FailingSyncs(pid_t daemon) : tracer_(::fork()) {
    if (tracer_ == 0) {
      auto const pid = std::to_string(daemon);
      auto const* const syncs = "inject=fdatasync,fsync:error=EIO";
      ::execlp("strace", "strace", "-qq", "-o", "/dev/null", "-e", syncs, "-p", pid.c_str(),
               nullptr);
      ::_exit(127);
    }
    auto const status = "/proc/" + std::to_string(daemon) + "/status";
    for (int looks = 0; looks < 1'000 && !works_; ++looks) {
      works_ = !has(file_text(status), "TracerPid:\t0\n");
      if (::waitpid(tracer_, nullptr, WNOHANG) == tracer_) {
        tracer_ = 0;
        break;
      }
      ::usleep(10'000);
    }
  }
  ~FailingSyncs() {
    if (tracer_ > 0) {
      ::kill(tracer_, SIGKILL);
      ::waitpid(tracer_, nullptr, 0);
    }
  }
  FailingSyncs(FailingSyncs const&) = delete;
  FailingSyncs& operator=(FailingSyncs const&) = delete;
  bool works() const { return works_ && tracer_ > 0; }

 private:
  pid_t tracer_;
  bool works_ = false;
};

// The first step ends when `held` is empty; the second leaves an effect.
std::string start_held(Scene& scene) {
  scene.database.sql("CREATE TABLE held (x int); INSERT INTO held VALUES (1)");
  scene.database.sql("CREATE TABLE effect (step text)");
  auto const id = scene.daemon.create(plan_text(
      {{.name = "first",
        .forward = "DO $$ BEGIN WHILE EXISTS (SELECT FROM held) LOOP PERFORM pg_sleep(0.01); "
                   "END LOOP; END $$",
        .backward = "SELECT 1"},
       {.name = "second",
        .forward = "INSERT INTO effect VALUES ('second')",
        .backward = "SELECT 1"}}));
  scene.daemon.verb(id, "start");
  scene.database.until(sleeps);
  return id;
}

std::string effects(Scene const& scene) {
  return scene.database.sql("SELECT count(*) FROM effect");
}

// Its end is known, the store does not take it.
void end_first_step(Scene const& scene) {
  scene.database.sql("DELETE FROM held");
  for (int looks = 0; looks < 3'000 && scene.daemon.get("/readyz").status != 503; ++looks) {
    ::usleep(10'000);
  }
  REQUIRE(scene.daemon.get("/readyz").status == 503);
}

std::vector<std::string> hashes_of(std::string const& file, std::string const& run) {
  auto const opened = store::open_at_rest(file);
  if (!opened) {
    throw std::runtime_error(opened.error().detail);
  }
  std::vector<std::string> hashes;
  auto const events = store::Journal(*opened->connection).events_after({run}, 0, -1);
  if (!events) {
    throw std::runtime_error(events.error().detail);
  }
  for (auto const& event : *events) {
    hashes.push_back(event.hash);
  }
  return hashes;
}

}  // namespace

TEST_CASE("a store that is deleted under the daemon ends it, and the next start makes no new one") {
  Scene scene;
  scene.daemon.create(plan_text(column_steps(1)));
  fs::remove(scene.daemon.store_path());
  auto const last = scene.daemon.post_text("/api/v1/plans", sleeping_plan(), "application/yaml");
  expect_end(scene.daemon, last, scene.daemon.store_path() + " was deleted");
  CHECK_THROWS(scene.daemon.start());
  CHECK(has(scene.daemon.log(), "is missing or empty"));
  CHECK(has(scene.daemon.log(), "try: put the right file back"));
  CHECK_FALSE(fs::exists(scene.daemon.store_path()));
}

TEST_CASE("a store that is replaced under the daemon ends it in the middle of a step") {
  Scene scene;
  auto const id = start_sleeping(scene);
  fs::copy_file(scene.daemon.store_path(), scene.daemon.folder() + "/other");
  fs::rename(scene.daemon.folder() + "/other", scene.daemon.store_path());
  auto const last = scene.daemon.post("/api/v1/runs/" + id + "/pause", {{"mode", "now"}});
  CHECK(last.status < 300);  // stopping comes first; that it could not be recorded is told below
  CHECK(scene.daemon.wait_for_end() == 1);
  CHECK(has(scene.daemon.log(), "was replaced by another file"));
}

TEST_CASE("a store that is damaged under the daemon: the reader gets 503, the daemon ends") {
  Scene scene;
  std::vector<std::string> digests;
  for (int i = 0; i < 60; ++i) {  // more than fits into memory kept by SQLite
    auto const text = "-- " + std::to_string(i) + std::string(100'000, 'x') + "\nSELECT 1";
    digests.push_back(
        scene.daemon.upload(plan_text({{.name = "one", .forward = text, .backward = "SELECT 1"}})));
  }
  REQUIRE(scene.daemon.terminate() == 0);
  scene.daemon.start();
  fs::resize_file(scene.daemon.store_path(), 8'192);
  Reply last;  // of the first plan that is not in memory
  for (auto digest = digests.begin(); digest != digests.end() && last.status != 503; ++digest) {
    last = scene.daemon.get("/api/v1/plans/" + *digest);
  }
  expect_end(scene.daemon, last, "it is damaged");
  CHECK_THROWS(scene.daemon.start());
}

TEST_CASE("a sync that fails ends the daemon; the next start reads what the disk holds") {
  Scene scene;
  auto const before = scene.daemon.create(plan_text(column_steps(1)));
  {
    FailingSyncs const fault(scene.daemon.pid());
    if (!fault.works()) {
      left_out("strace is missing (deploy/install-packages.sh test gets it) or may not trace here");
      return;
    }
    auto const last = scene.daemon.post_text("/api/v1/plans", sleeping_plan(), "application/yaml");
    expect_end(scene.daemon, last, "reading or writing it failed");
  }
  scene.daemon.start();
  CHECK(scene.daemon.run(before).at("state") == "pending");
  CHECK(scene.daemon.terminate() == 0);
  CHECK(store_command(scene.daemon, {"check"}).exit_code == 0);
}

TEST_CASE("on a full disk cancel stops the step at once, and is recorded late") {
  Scene scene;
  auto const id = start_sleeping(scene);
  {
    FullDisk const fault(scene.daemon.pid());
    auto const refused =
        scene.daemon.post_text("/api/v1/plans", plan_text(column_steps(1)), "application/yaml");
    CHECK(refused.status == 503);
    CHECK(refused.body.at("code") == "store-unavailable");
    CHECK(scene.daemon.post("/api/v1/runs/" + id + "/cancel", {{"confirm", "small"}}).status < 300);
    scene.database.until(sleeps_no_more);
    CHECK(scene.daemon.get("/readyz").status == 503);
    CHECK(scene.daemon.post("/api/v1/runs/" + id + "/resume").status >= 400);
    CHECK(scene.daemon.get("/api/v1/runs").status == 200);
  }
  scene.daemon.until(id, {"cancelled"});
  CHECK(scene.daemon.get("/readyz").status == 200);
  int late = 0;
  for (auto const& event : scene.daemon.events(id)) {
    late += event.value("late", false) ? 1 : 0;
  }
  CHECK(late == 1);
  scene.daemon.restart();
  CHECK(scene.daemon.run(id).at("state") == "cancelled");
}

TEST_CASE("on a full disk a pause that is asked at a safe point still becomes an interruption") {
  Scene scene;
  auto const id = start_sleeping(scene);
  {
    FullDisk const fault(scene.daemon.pid());
    CHECK(scene.daemon.post("/api/v1/runs/" + id + "/pause", {{"escalate_after", "200ms"}}).status <
          300);
    scene.database.until(sleeps_no_more);
  }
  scene.daemon.until(id, {"paused"});
}

TEST_CASE("on a full disk the step under way ends, and the next one does not begin") {
  Scene scene;
  auto const id = start_held(scene);
  {
    FullDisk const fault(scene.daemon.pid());
    end_first_step(scene);
    for (int chance = 0; chance < 50 && effects(scene) == "0"; ++chance) {
      ::usleep(10'000);  // what must not come gets its time to come
    }
    CHECK(effects(scene) == "0");
  }
  scene.daemon.until(id, {"succeeded"});
  CHECK(effects(scene) == "1");
}

TEST_CASE("a pause between a step's announcement and its beginning ends that attempt") {
  Scene scene;
  auto const id = start_held(scene);
  {
    FullDisk const fault(scene.daemon.pid());
    end_first_step(scene);
    CHECK(scene.daemon.post("/api/v1/runs/" + id + "/pause").status < 300);
  }
  auto const paused = scene.daemon.until(id, {"paused"});
  CHECK(step_of(paused, "only", "second").at("state") == "interrupted");
  CHECK(effects(scene) == "0");
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  CHECK(effects(scene) == "1");
}

TEST_CASE("a store in use is not checked or replaced, and its holder is named") {
  Scene scene;
  auto const pid = "process " + std::to_string(scene.daemon.pid());
  auto const checked = store_command(scene.daemon, {"check"});
  CHECK(checked.exit_code == 1);
  CHECK(has(checked.err, pid));
  CHECK(has(checked.err, "runbookd store backup"));
  auto const copy = scene.daemon.folder() + "/copy.db";
  REQUIRE(store_command(scene.daemon, {"backup", copy}).exit_code == 0);
  auto const restored = store_command(scene.daemon, {"restore", copy, "--force"});
  CHECK(restored.exit_code == 1);
  CHECK(has(restored.err, pid));
  CHECK(scene.daemon.get("/readyz").status == 200);
}

TEST_CASE("copies made in a loop while a run works are sound, and beginnings of its record") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(60)));
  scene.daemon.verb(id, "start");
  std::vector<std::string> copies;
  do {
    copies.push_back(scene.daemon.folder() + "/copy-" + std::to_string(copies.size()) + ".db");
    auto const made = store_command(scene.daemon, {"backup", copies.back()});
    CAPTURE(made.err);
    REQUIRE(made.exit_code == 0);
    CHECK(has(made.out, "in order"));
  } while (scene.daemon.run(id).at("state") != "succeeded");
  REQUIRE(scene.daemon.terminate() == 0);
  auto const whole = hashes_of(scene.daemon.store_path(), id);
  for (auto const& copy : copies) {
    auto const part = hashes_of(copy, id);
    CHECK(part.size() > 0);
    REQUIRE(part.size() <= whole.size());
    CHECK(std::equal(part.begin(), part.end(), whole.begin()));
  }
  // back to the first: only by force, and the daemon takes it up
  CHECK(store_command(scene.daemon, {"restore", copies.front()}).exit_code ==
        (hashes_of(copies.front(), id).size() == whole.size() ? 0 : 1));
  CHECK(store_command(scene.daemon, {"restore", copies.front(), "--force"}).exit_code == 0);
  scene.daemon.start();
  CHECK(scene.daemon.get("/api/v1/runs/" + id).status == 200);
}

TEST_CASE("a copy is only made for who says JSON, and never into a file that the caller names") {
  Scene scene;
  CHECK(scene.daemon.post_text("/api/v1/store/backup", "{}", "text/plain").status == 415);
  CHECK(scene.daemon.post("/api/v1/store/backup", {{"file", "/etc/passwd"}}).status == 400);
  auto const begun = scene.daemon.post("/api/v1/store/backup", json::object());
  CHECK(begun.status == 202);
  CHECK(begun.body.at("file") == scene.daemon.store_path() + ".backup");
}

}  // namespace runbookd::testing
