// What a step costs: a plan of 1,000 one-statement steps, beside psql running the same statements
// autocommit and beside the least that exactly-once can cost (a loop with one marker insert in the
// statement's transaction and one synced SQLite commit per step). All in one run, interleaved, on a
// durable server; the table shows medians.
//
//   runbookd_bench_steps [STEPS] [ROUNDS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <libpq-fe.h>
#include <sqlite3.h>

#include "tests/support/postgres_cluster.h"
#include "tests/support/running_daemon.h"

namespace {

using namespace runbookd::testing;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Kind {
  std::string name;
  std::string setup;
  std::function<std::string(int)> forward, backward;
};

std::vector<Kind> kinds() {
  auto const number = [](int i) { return std::to_string(i); };
  std::string tables;
  for (int i = 0; i < 20; ++i) {
    tables += "CREATE TABLE t" + number(i) + " (id bigint PRIMARY KEY);";
  }
  return {
      {.name = "data (INSERT)",
       .setup = "CREATE TABLE t (id bigint PRIMARY KEY, a text)",
       .forward = [=](int i) { return "INSERT INTO t VALUES (" + number(i) + ", 'row')"; },
       .backward = [=](int i) { return "DELETE FROM t WHERE id = " + number(i); }},
      {.name = "schema (ALTER TABLE … ADD COLUMN)",
       .setup = tables,
       .forward =
           [=](int i) {
             return "ALTER TABLE t" + number(i % 20) + " ADD COLUMN c" + number(i) + " int";
           },
       .backward =
           [=](int i) { return "ALTER TABLE t" + number(i % 20) + " DROP COLUMN c" + number(i); }}};
}

std::string plan_of(Kind const& kind, int steps) {
  std::string text =
      "runbook: 1\nname: bench\nphases:\n  - name: only\n    kind: other\n    steps:\n";
  for (int i = 0; i < steps; ++i) {
    text += "      - {name: s" + std::to_string(i) + ", sql: \"" + kind.forward(i) +
            "\", rollback: \"" + kind.backward(i) + "\"}\n";
  }
  return text;
}

// From the first step's start to the last one's end, by the daemon's own record.
double run_plan(RunningDaemon& daemon, Kind const& kind, std::string const& target, int steps) {
  auto const id = daemon.create(plan_of(kind, steps), target);
  auto const begin = Clock::now();
  daemon.verb(id, "start");
  // a reader that does not disturb: the stream ends when the run does
  daemon.stream("/api/v1/runs/" + id + "/events", "", [](std::string const&) { return false; });
  auto const took = milliseconds_since(begin);
  daemon.until(id, {"succeeded"});
  return took;
}

void must(PGconn* connection, std::string const& sql) {
  auto* result = PQexec(connection, sql.c_str());
  auto const status = PQresultStatus(result);
  std::string const why = PQerrorMessage(connection);
  PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(why);
  }
}

double run_floor(std::string const& dsn, std::string const& store, Kind const& kind, int steps) {
  auto* connection = PQconnectdb(dsn.c_str());
  must(connection,
       "CREATE TABLE marker (run text, step int, attempt int, at timestamptz, PRIMARY KEY (run, "
       "step, attempt))");
  sqlite3* database = nullptr;
  sqlite3_open(store.c_str(), &database);
  sqlite3_exec(database,
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE event (seq "
               "INTEGER PRIMARY KEY, body TEXT)",
               nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT INTO event (body) VALUES ('succeeded')", -1, &insert,
                     nullptr);
  auto const begin = Clock::now();
  for (int i = 0; i < steps; ++i) {
    must(connection, "BEGIN");
    must(connection, kind.forward(i));
    must(connection,
         "INSERT INTO marker VALUES ('run', " + std::to_string(i) + ", 1, now()); COMMIT");
    sqlite3_step(insert);
    sqlite3_reset(insert);
  }
  auto const took = milliseconds_since(begin);
  sqlite3_finalize(insert);
  sqlite3_close(database);
  PQfinish(connection);
  return took;
}

double run_psql(PostgresCluster const& cluster, std::string const& database,
                std::string const& folder, Kind const& kind, int steps) {
  auto const file = folder + "/statements.sql";
  std::ofstream out(file);
  for (int i = 0; i < steps; ++i) {
    out << kind.forward(i) << ";\n";
  }
  out.close();
  auto const begin = Clock::now();
  auto const finished = run_program(
      {"/usr/bin/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, cluster.dsn(database)});
  if (finished.exit_code != 0) {
    throw std::runtime_error("psql: " + finished.err);
  }
  return milliseconds_since(begin);
}

void measure(PostgresCluster& cluster, Kind const& kind, int steps, int rounds) {
  std::vector<double> ours, psql, floor;
  for (int round = 0; round < rounds; ++round) {
    auto const name = "bench_" + std::string{kind.name.substr(0, 4)} + std::to_string(round);
    std::map<std::string, std::string> targets;
    for (auto const* who : {"a", "b", "c"}) {
      cluster.create_database(name + who);
      cluster.sql(name + who, kind.setup);
    }
    RunningDaemon daemon({.targets = {{"main", cluster.dsn(name + "a")}}, .more_settings = ""});
    ours.push_back(run_plan(daemon, kind, "main", steps) / steps);
    psql.push_back(run_psql(cluster, name + "b", daemon.folder(), kind, steps) / steps);
    floor.push_back(run_floor(cluster.dsn(name + "c"), daemon.folder() + "/floor.db", kind, steps) /
                    steps);
  }
  std::printf("%-36s %8.2f %8.2f %8.2f   %6.2f   %6.2f\n", kind.name.c_str(), median(ours),
              median(psql), median(floor), median(ours) / median(floor),
              median(ours) / median(psql));
}

}  // namespace

int main(int argc, char** argv) {
  int const steps = argc > 1 ? std::stoi(argv[1]) : 1'000;
  int const rounds = argc > 2 ? std::stoi(argv[2]) : 3;
  PostgresCluster cluster({.major = 15, .durable = true});
  std::printf("%d steps, median of %d rounds, ms per step\n%-36s %8s %8s %8s   %6s   %6s\n", steps,
              rounds, "statement", "runbookd", "psql", "floor", "/floor", "/psql");
  for (auto const& kind : kinds()) {
    measure(cluster, kind, steps, rounds);
  }
  return 0;
}
