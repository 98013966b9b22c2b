// A real failover: the standby is promoted, with or without the last commit.
#include <memory>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

std::string three_phases() {
  std::string text = "runbook: 1\nname: three\ntitle: Three phases\nphases:\n";
  for (auto const* number : {"1", "2", "3"}) {
    auto const column = std::string("c") + number;
    text += std::string("  - name: p") + number +
            "\n    kind: expand\n    steps:\n      - name: add-" + column +
            "\n        sql: ALTER TABLE t ADD COLUMN " + column +
            " int\n        rollback: ALTER TABLE t DROP COLUMN " + column + "\n";
  }
  return text;
}

struct Pair {
  std::unique_ptr<PostgresCluster> primary =
      std::make_unique<PostgresCluster>(ClusterOptions{.major = server_major()});
  Database database{10, *primary};
  PostgresCluster standby{{.major = server_major(), .standby_of = primary.get()}};
  RunningDaemon daemon{{.targets = {{"main", either()}}}};
  std::string id = daemon.create(three_phases());

  // Whoever of the two takes writes.
  std::string either() const {
    return "host=" + primary->folder() + "," + standby.folder() +
           " port=5432,5432 dbname=" + database.name() +
           " user=postgres target_session_attrs=read-write";
  }
  void run_first_phase() {
    daemon.verb(id, "start");
    at_gate_of("p2");
    standby_has_all();
  }
  void at_gate_of(std::string const& phase) const {
    daemon.until(
        id,
        [&](json const& run) {
          return run.at("state") == "waiting" &&
                 run.at("state_message").get<std::string>().find("--to " + phase) !=
                     std::string::npos;
        },
        "the gate of " + phase);
  }
  void standby_has_all() const {
    database.until(
        "SELECT count(*) = 1 AND bool_and(replay_lsn >= pg_current_wal_lsn()) FROM "
        "pg_stat_replication");
  }
  void cut_off_standby() const {
    standby.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
    standby.sql("postgres", "SELECT pg_reload_conf()");
    database.until("SELECT count(*) = 0 FROM pg_stat_replication");
  }
  void fail_over() {
    primary->stop(PostgresCluster::Stop::immediate);
    standby.sql("postgres", "SELECT pg_promote()");
  }
  std::string on_new(std::string const& text) const { return standby.sql(database.name(), text); }
  std::string columns() const {
    return on_new(
        "SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute WHERE "
        "attrelid = 't'::regclass AND attname LIKE 'c_' AND NOT attisdropped");
  }
};

bool says(json const& run, std::string const& words) {
  return run.at("state_message").get<std::string>().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "a failover that lost a commit stops the run before the next step and names what is lost") {
  Pair pair;
  pair.run_first_phase();
  pair.cut_off_standby();
  pair.daemon.verb(pair.id, "advance", {{"to_phase", "p2"}});
  pair.at_gate_of("p3");
  pair.fail_over();
  CHECK(pair.columns() == "c1");
  pair.daemon.verb(pair.id, "advance", {{"to_phase", "p3"}});
  auto const run = pair.daemon.until(pair.id, {"attention", "failed", "succeeded"});
  CHECK(run.at("state") == "attention");
  CHECK(says(run, "p2/add-c2"));
  CHECK_FALSE(says(run, "p1/add-c1"));
  CHECK(pair.columns() == "c1");
  CHECK(step_of(run, "p3", "add-c3").at("state") != "succeeded");

  pair.daemon.verb(pair.id, "resolve",
                   {{"step", "p2/add-c2"}, {"as", "failed"}, {"evidence", "the column is gone"}});
  pair.daemon.verb(pair.id, "resume");
  pair.at_gate_of("p3");
  CHECK(pair.columns() == "c1 c2");
  pair.daemon.verb(pair.id, "advance", {{"to_phase", "p3"}});
  pair.daemon.until(pair.id, {"succeeded"});
  CHECK(pair.columns() == "c1 c2 c3");
  CHECK(pair.on_new("SELECT count(*) FROM runbookd.marker") == "3");
}

TEST_CASE("a failover that lost nothing is told, and the run goes on when a person says so") {
  Pair pair;
  pair.run_first_phase();
  pair.fail_over();
  pair.daemon.verb(pair.id, "advance", {{"to_phase", "p2"}});
  auto const run = pair.daemon.until(pair.id, {"paused", "attention", "failed", "waiting"});
  CHECK(run.at("state") == "paused");
  CHECK(says(run, "failed over"));
  CHECK(pair.columns() == "c1");
  CHECK(count_kind(pair.daemon.events(pair.id), "target.moved") == 1);
  pair.daemon.verb(pair.id, "resume");
  pair.at_gate_of("p3");
  pair.daemon.verb(pair.id, "advance", {{"to_phase", "p3"}});
  pair.daemon.until(pair.id, {"succeeded"});
  CHECK(pair.columns() == "c1 c2 c3");
}

}  // namespace runbookd::testing
