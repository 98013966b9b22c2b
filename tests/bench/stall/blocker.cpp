#include "tests/bench/stall/blocker.h"

#include <thread>

namespace runbookd::bench {
namespace {

using Release = std::function<void()>;

// A session that has done `sql` and then does nothing, until it does `end`.
Blocker session(std::string name, std::string application, std::string sql,
                std::string end = "COMMIT") {
  return {.name = std::move(name), .begin = [=](std::string const& dsn) -> Release {
            auto link = std::make_shared<Link>(dsn + " application_name='" + application + "'");
            link->run(sql);
            return [link, end] { link->run(end); };
          }};
}

void until(Link& link, std::string const& query) {
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (link.run(query) != "t") {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("never true: " + query);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// So slow that it would last for hours. It goes by itself when nobody else wants the table: when it
// is cancelled and no other one begins.
Release slow_autovacuum(std::string const& dsn, std::string const& options) {
  auto link = std::make_shared<Link>(dsn);
  link->run(
      "ALTER TABLE t SET (autovacuum_enabled = true, autovacuum_vacuum_cost_delay = 100, "
      "autovacuum_vacuum_cost_limit = 1, " +
      options + ")");
  link->run("ALTER SYSTEM SET autovacuum_naptime = '1s'");
  link->run("ALTER SYSTEM SET autovacuum = on");
  link->run("SELECT pg_reload_conf()");
  until(*link,
        "SELECT count(*) > 0 FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE "
        "a.backend_type = 'autovacuum worker' AND l.relation = 't'::regclass");
  link->run("ALTER SYSTEM SET autovacuum_naptime = '1d'");
  link->run("SELECT pg_reload_conf()");
  return [link] {
    link->run("ALTER SYSTEM SET autovacuum = off");
    link->run("SELECT pg_reload_conf()");
    link->run(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = "
        "'autovacuum worker'");
  };
}

Release autovacuum(std::string const& dsn) {
  Link(dsn).run("UPDATE t SET a = a WHERE id <= 10000");
  return slow_autovacuum(dsn,
                         "autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0");
}

Release against_wraparound(std::string const& dsn) {
  Link(dsn).run("DO 'BEGIN FOR i IN 1..110000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END'");
  return slow_autovacuum(dsn, "autovacuum_freeze_max_age = 100000");
}

}  // namespace

Blocker idle_in_transaction() {
  return session("idle in transaction", "report", "BEGIN; SELECT a FROM t WHERE id = 1");
}

std::vector<Blocker> all_blockers() {
  return {
      session("dump (repeatable read)", "pg_dump",
              "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE t IN ACCESS SHARE MODE"),
      idle_in_transaction(),
      session("prepared transaction", "two-phase",
              "BEGIN; UPDATE t SET a = a WHERE id = 1; PREPARE TRANSACTION 'bench'",
              "COMMIT PREPARED 'bench'"),
      session("another run of ours", "runbookd/bench/run_of_a_colleague/0.0f1",
              "BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"),
      {.name = "autovacuum", .begin = autovacuum, .yields = true},
      {.name = "autovacuum (wraparound)", .begin = against_wraparound},
  };
}

}  // namespace runbookd::bench
