// A backfill gives way: to a standby that falls behind, to sessions that wait for it, to load, and
// to a person; and says so.
#include <memory>
#include <thread>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

// Batches that rest, so that there is something to hold back.
std::string fill_plan(std::string const& throttle, std::string const& value = "1",
                      std::string const& batch = "{max_rows: 1000, pause: 100ms}") {
  return "runbook: 1\nname: fill\non_restart: resume\nphases:\n  - name: fill\n    kind: backfill\n"
         "    steps:\n      - name: fill-b\n        backfill:\n          table: t\n          set: "
         "{b: "
         "'" +
         value + "'}\n          where: b IS NULL\n          batch: " + batch +
         "\n          throttle: " + throttle + "\n        rollback: {nothing: nobody reads b}\n";
}

json const& throttle_of(json const& run) {
  static json const none = json::object();
  auto const& live = run.at("live");
  return live.contains("throttle") ? live.at("throttle") : none;
}
bool stopped_by(json const& run, std::string const& signal) {
  auto const& throttle = throttle_of(run);
  return throttle.value("state", "") == "stopped" && throttle.contains("signal") &&
         throttle.at("signal").at("name") == signal;
}
bool stopped_by_hand(json const& run) {
  auto const& throttle = throttle_of(run);
  return throttle.value("state", "") == "stopped" && throttle.at("cause") == "hand";
}
int scanned(json const& run) {
  auto const& live = run.at("live");
  return live.contains("backfill") ? live.at("backfill").at("rows_scanned").get<int>() : 0;
}
bool says(json const& run, std::string const& words) {
  return run.at("state_message").get<std::string>().find(words) != std::string::npos;
}

struct Filling {
  explicit Filling(std::string const& plan, int rows = 60'000) : database(rows) {
    database.sql("ALTER TABLE t ADD COLUMN b int");
    id = daemon.create(plan);
  }
  json until(std::function<bool(json const&)> const& condition, std::string const& what) const {
    return daemon.until(id, condition, what);
  }
  void start() { daemon.verb(id, "start"); }
  void succeeds() {
    daemon.until(id, {"succeeded"});
    CHECK(database.sql("SELECT count(*) FROM t WHERE b IS NULL") == "0");
  }
  Database database;
  RunningDaemon daemon{{.targets = {{"main", database.dsn()}}}};
  std::string id;
};

// A session that does one thing until it is ended.
class Background {
 public:
  Background(Database const& database, std::string const& sql)
      : database_(database), mark_("/* " + std::to_string(++count_) + " */"), thread_([this, sql] {
          try {
            database_.sql(mark_ + sql);
          } catch (std::exception const&) {  // ended by us
          }
        }) {}
  ~Background() {
    database_.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE starts_with(query, '" +
        mark_ + "') AND pid <> pg_backend_pid()");
    thread_.join();
  }
  Background(Background const&) = delete;
  Background& operator=(Background const&) = delete;

 private:
  static inline int count_ = 0;
  Database const& database_;
  std::string mark_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a standby that does not replay stops the backfill, and lets it go on when it does") {
  PostgresCluster primary{{.major = server_major()}};
  Database database{60'000, primary};
  database.sql("ALTER TABLE t ADD COLUMN b int");
  PostgresCluster const standby{{.major = server_major(), .standby_of = &primary}};
  RunningDaemon daemon{{.targets = {{"main", database.dsn()}}}};
  database.until("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'");
  standby.sql("postgres", "SELECT pg_wal_replay_pause()");

  auto const id = daemon.create(fill_plan("{replica_lag: 1s}"));
  daemon.verb(id, "start");
  auto const stopped = daemon.until(
      id, [](json const& run) { return stopped_by(run, "replica_lag"); }, "a stop by lag");
  CHECK(stopped.at("state") == "running");
  CHECK(stopped.at("current").at("activity") == "throttled");
  CHECK(says(stopped, "replica lag"));
  CHECK(stopped.at("waiting_on").at(0).at("kind") == "throttle");
  CHECK_FALSE(stopped.at("live").at("backfill").contains("eta_ms"));
  auto const lag = [](json const& run) {
    return throttle_of(run).at("signal").at("value").get<int>();
  };
  auto const grown = daemon.until(
      id,
      [&](json const& run) {
        return stopped_by(run, "replica_lag") && lag(run) > lag(stopped) + 1000;
      },
      "a lag that grows");
  auto const later = daemon.until(
      id,
      [&](json const& run) {
        return stopped_by(run, "replica_lag") && lag(run) > lag(grown) + 1000;
      },
      "a lag that grows on");
  CHECK(scanned(later) == scanned(grown));
  CHECK(scanned(later) < 60'000);

  standby.sql("postgres", "SELECT pg_wal_replay_resume()");
  auto const done = daemon.until(id, {"succeeded", "failed", "paused"});
  CHECK(done.at("state") == "succeeded");
  CHECK(database.sql("SELECT count(*) FROM t WHERE b IS NULL") == "0");
}

TEST_CASE("sessions that wait for our locks stop the backfill until they have what they want") {
  Filling filling(fill_plan("{lock_waiters: 1}", "1 + length(pg_sleep(0.01)::text)",
                            "{target: 5s, max_rows: 100, pause: 0s}"),
                  20'000);
  filling.database.sql("CREATE TABLE enough (a int)");
  Background const application(
      filling.database,
      "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM enough) LOOP LOCK TABLE t IN SHARE MODE; COMMIT; "
      "PERFORM pg_sleep(0.05); END LOOP; END $$");
  filling.start();
  auto const stopped =
      filling.until([](json const& run) { return stopped_by(run, "lock_waiters"); }, "a stop");
  CHECK(throttle_of(stopped).at("message").get<std::string>().find("for our locks") !=
        std::string::npos);
  filling.database.sql("INSERT INTO enough VALUES (1)");
  filling.until([&](json const& run) { return scanned(run) > scanned(stopped) + 300; },
                "more rows after the stop");
  filling.daemon.verb(filling.id, "cancel", {{"confirm", "fill"}});
  filling.daemon.until(filling.id, {"cancelled"});
}

TEST_CASE("too many active sessions stop the backfill until they have gone") {
  Filling filling(fill_plan("{active_sessions: 2}"));
  {
    Background const one(filling.database, "SELECT pg_sleep(600)");
    Background const two(filling.database, "SELECT pg_sleep(600)");
    filling.database.until(
        "SELECT count(*) >= 2 FROM pg_stat_activity WHERE query LIKE '%SELECT pg_sleep(600)' AND "
        "state = 'active'");
    filling.start();
    filling.until([](json const& run) { return stopped_by(run, "active_sessions"); }, "a stop");
  }
  filling.succeeds();
}

TEST_CASE("a person stops a running backfill, it stays so over a crash, and goes on when told") {
  Filling filling(fill_plan("off"));
  filling.start();
  filling.until([](json const& run) { return scanned(run) > 0; }, "the first batch");
  filling.daemon.verb(filling.id, "throttle", {{"stop", true}, {"reason", "p99 is up"}}, "ben");
  auto const stopped = filling.until(stopped_by_hand, "a stop by hand");
  CHECK(stopped.at("state") == "running");
  CHECK(says(stopped, "stopped by ben: p99 is up"));
  CHECK(stopped.at("throttle").at("actor") == "ben");

  filling.daemon.restart();
  auto const again = filling.until(stopped_by_hand, "the same stop in the next daemon");
  CHECK(scanned(again) < 60'000);
  CHECK(filling.database.sql("SELECT count(*) > 0 FROM t WHERE b IS NULL") == "t");

  filling.daemon.verb(filling.id, "throttle", {{"off", true}}, "ana");
  filling.succeeds();
  auto const events = filling.daemon.events(filling.id);
  CHECK(count_kind(events, "run.throttled") == 1);
  CHECK(count_kind(events, "run.throttle_lifted") == 1);
  CHECK_FALSE(filling.daemon.run(filling.id).contains("throttle"));
}

TEST_CASE("a person's word ends by itself when its time is over") {
  Filling filling(fill_plan("off"));
  filling.start();
  filling.until([](json const& run) { return scanned(run) > 0; }, "the first batch");
  filling.daemon.verb(filling.id, "throttle", {{"stop", true}, {"for", "2s"}}, "ben");
  filling.succeeds();
  CHECK(count_kind(filling.daemon.events(filling.id), "run.throttle_lifted") == 0);
}

TEST_CASE("a backfill that stands still can be paused, and a person may let no signal count") {
  Filling filling(fill_plan("{active_sessions: 1}"));
  Background const busy(filling.database, "SELECT pg_sleep(600)");
  filling.database.until(
      "SELECT count(*) >= 1 FROM pg_stat_activity WHERE query LIKE '%SELECT pg_sleep(600)' AND "
      "state = 'active'");
  filling.start();
  filling.until([](json const& run) { return stopped_by(run, "active_sessions"); }, "a stop");
  filling.daemon.verb(filling.id, "pause");
  filling.daemon.until(filling.id, {"paused"});
  auto const refused =
      filling.daemon.post("/api/v1/runs/" + filling.id + "/throttle", {{"exempt", true}}, "ben");
  CHECK(refused.status == 422);
  filling.daemon.verb(filling.id, "throttle", {{"exempt", true}, {"reason", "they only sleep"}});
  filling.daemon.verb(filling.id, "resume");
  filling.succeeds();
}

TEST_CASE("the command line slows a backfill, shows who did and why, and refuses elsewhere") {
  Filling filling(fill_plan("off"));
  filling.start();
  filling.until([](json const& run) { return scanned(run) > 0; }, "the first batch");
  auto const ctl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {runbookctl_program(), "--addr", filling.daemon.socket()});
    return run_program(words);
  };
  auto const told = ctl({"throttle", filling.id, "--ratio", "5%", "--for", "10m", "--actor", "ben",
                         "--reason", "p99 is up"});
  CHECK_MESSAGE(told.exit_code == 0, told.err);
  auto const status = ctl({"status", filling.id});
  CHECK_MESSAGE(
      status.out.find("slowed to 5 % by ben for 10 min more: p99 is up") != std::string::npos,
      status.out);
  CHECK(ctl({"throttle", filling.id, "--off"}).exit_code == 0);
  filling.succeeds();
  auto const late = ctl({"throttle", filling.id, "--stop"});
  CHECK(late.exit_code == 5);
  CHECK(late.err.find("throttle needs a run that is at a backfill") != std::string::npos);
}

}  // namespace runbookd::testing
