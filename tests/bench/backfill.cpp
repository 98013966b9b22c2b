// What a backfill costs: the real daemon with 1, 2 and 4 workers beside one UPDATE of the whole
// table and beside the usual loop with COMMIT per 1,000 rows. Each way fills its own copy of one
// database; rounds are interleaved, the table shows medians and ratios against the one UPDATE.
//
//   runbookd_bench_backfill [--rows N] [--rounds N] [--load TRANSACTIONS_PER_SECOND]
//                           [--svg FILE] [--no-loop] [--pause 0ms] [--max-rows N]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <libpq-fe.h>

#include "tests/bench/application.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/running_daemon.h"

namespace {

using namespace runbookd::testing;
using runbookd::bench::Application;
using runbookd::bench::Curve;
using runbookd::bench::share_of;
using Clock = std::chrono::steady_clock;

struct Options {
  long rows = 1'000'000;
  int rounds = 3;
  double load = 0;
  std::string svg, pause = "0ms";
  long max_rows = 50'000;
  bool loop = true;
};

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string const word = argv[i];
    auto const value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (word == "--rows") {
      options.rows = std::stol(value());
    } else if (word == "--rounds") {
      options.rounds = std::stoi(value());
    } else if (word == "--load") {
      options.load = std::stod(value());
    } else if (word == "--svg") {
      options.svg = value();
    } else if (word == "--pause") {
      options.pause = value();
    } else if (word == "--max-rows") {
      options.max_rows = std::stol(value());
    } else if (word == "--no-loop") {
      options.loop = false;
    } else {
      throw std::runtime_error("unknown word " + word + "; the head of the source names them all");
    }
  }
  return options;
}

std::string setup(long rows) {
  auto const n = std::to_string(rows);
  return "CREATE TABLE organisations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT "
         "NULL); INSERT INTO organisations (name) SELECT 'org ' || g FROM generate_series(1, 2000) "
         "g; CREATE TABLE accounts (id bigint PRIMARY KEY, organisation_id uuid NOT NULL "
         "REFERENCES organisations (id), name text NOT NULL); INSERT INTO accounts SELECT g, "
         "o.ids[1 + g % 2000], 'account ' || g FROM (SELECT array_agg(id) AS ids FROM "
         "organisations) o, generate_series(1, greatest(100, " +
         n +
         " / 20)) g; CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, account_id "
         "bigint NOT NULL, about text, created_at timestamptz NOT NULL DEFAULT now(), last_seen "
         "timestamptz, org_id uuid REFERENCES organisations (id)); INSERT INTO users (id, email, "
         "account_id, about) SELECT g, 'user' || g || '@example.org', 1 + g % greatest(100, " +
         n + " / 20), repeat(md5(g::text), 4) FROM generate_series(1, " + n +
         ") g; CREATE INDEX ON users (account_id); CREATE INDEX ON users (org_id)";
}

constexpr auto one_update =
    "UPDATE users SET org_id = accounts.organisation_id FROM accounts WHERE users.account_id = "
    "accounts.id AND users.org_id IS NULL";
constexpr auto usual_loop =
    "DO $$ DECLARE n bigint; BEGIN LOOP UPDATE users SET org_id = a.organisation_id FROM accounts "
    "a WHERE a.id = users.account_id AND users.id IN (SELECT id FROM users WHERE org_id IS NULL "
    "LIMIT 1000); GET DIAGNOSTICS n = ROW_COUNT; COMMIT; EXIT WHEN n = 0; END LOOP; END $$";

std::string plan(Options const& options, int workers) {
  return "runbook: 1\nname: bench\nphases:\n  - name: fill\n    kind: backfill\n    steps:\n"
         "      - name: fill\n        statement_timeout: 10m\n        irreversible: measured\n"
         "        backfill:\n          table: users\n          set: {org_id: "
         "accounts.organisation_id}\n          from: accounts\n          where: users.account_id = "
         "accounts.id AND users.org_id IS NULL\n          batch: {target: 500ms, max_rows: " +
         std::to_string(options.max_rows) + ", pause: " + options.pause +
         ", workers: " + std::to_string(workers) + "}\n";
}

struct Measured {
  double seconds = 0, wal_mb = 0, heap = 0;
  std::vector<double> batches;
  std::vector<runbookd::bench::Latency> latencies;
};

// What somebody types into psql; loops with COMMIT do not stand in a transaction.
void by_hand(PostgresCluster const& cluster, std::string const& database, std::string const& sql) {
  auto* connection = PQconnectdb(cluster.dsn(database).c_str());
  auto* result = PQexec(connection, sql.c_str());
  bool const ok = PQresultStatus(result) == PGRES_COMMAND_OK;
  std::string const why = PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  if (!ok) {
    throw std::runtime_error(why);
  }
}

// Gives the duration of the step's own attempt; the batches' times as the API shows them.
double by_daemon(PostgresCluster const& cluster, std::string const& database,
                 std::string const& plan_text, std::vector<double>& batches) {
  RunningDaemon daemon({.targets = {{"main", cluster.dsn(database)}}});
  auto const id = daemon.create(plan_text);
  daemon.verb(id, "start");
  long scanned = 0;
  daemon.until(
      id,
      [&](json const& run) {
        auto const live = run.value("live", json::object());
        if (live.is_object() && live.contains("backfill") &&
            live["backfill"].value("rows_scanned", 0L) != scanned) {
          scanned = live["backfill"].value("rows_scanned", 0L);
          batches.push_back(live["backfill"].value("batch_ms", 0.0));
        }
        return run.at("state") == "succeeded" || run.at("state") == "failed" ||
               run.at("state") == "attention";
      },
      "an end");
  auto const step = daemon.get("/api/v1/runs/" + id + "/steps/fill/fill").body;
  auto const& attempt = step.at("attempts").at(0);
  if (attempt.at("result") != "succeeded") {
    throw std::runtime_error(step.dump(2));
  }
  return attempt.at("duration_ms").get<double>() / 1'000;
}

struct Way {
  std::string name, sql;
  int workers = 0;  // 0: by hand
};

Measured measure(PostgresCluster& cluster, Options const& options, Way const& way) {
  std::string const database = "copy";
  cluster.sql("postgres", "CREATE DATABASE copy TEMPLATE original");
  cluster.sql(database, "CHECKPOINT");
  auto const size = [&] {
    return std::stod(cluster.sql(database, "SELECT pg_relation_size('users')"));
  };
  auto const wal = [&] {
    return std::stod(cluster.sql(database, "SELECT pg_current_wal_insert_lsn() - '0/0'"));
  };
  Measured measured;
  auto const size_before = size();
  auto const wal_before = wal();
  Application application(cluster.dsn(database), options.rows, options.load);
  auto const begin = Clock::now();
  if (way.workers == 0) {
    by_hand(cluster, database, way.sql);
    measured.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  } else {
    measured.seconds = by_daemon(cluster, database, plan(options, way.workers), measured.batches);
  }
  measured.latencies = application.latencies();
  measured.wal_mb = (wal() - wal_before) / 1e6;
  measured.heap = size() / size_before;
  if (cluster.sql(database, "SELECT count(*) FROM users WHERE org_id IS NULL") != "0") {
    throw std::runtime_error(way.name + " left rows out");
  }
  cluster.sql("postgres", "DROP DATABASE copy WITH (FORCE)");
  return measured;
}

template <typename Get>
double median(std::vector<Measured> const& all, Get get) {
  std::vector<double> values;
  std::ranges::transform(all, std::back_inserter(values), get);
  return share_of(values, 0.5);
}

void print(Options const& options, std::vector<Way> const& ways,
           std::map<std::string, std::vector<Measured>> const& all) {
  auto const& base = all.at(ways.front().name);
  auto const rate = [&](Measured const& m) {
    return static_cast<double>(options.rows) / m.seconds;
  };
  std::printf("%ld rows, %d rounds, load %.0f/s, pause %s, max_rows %ld\n", options.rows,
              options.rounds, options.load, options.pause.c_str(), options.max_rows);
  std::printf("%-22s %9s %7s %7s %7s %9s %9s %9s %9s\n", "", "rows/s", "ratio", "wal", "heap",
              "batch p50", "batch p99", "app p50", "app p99.9");
  for (auto const& way : ways) {
    auto const& rounds = all.at(way.name);
    std::vector<double> batches, latencies;
    for (auto const& one : rounds) {
      batches.insert(batches.end(), one.batches.begin(), one.batches.end());
      std::ranges::transform(one.latencies, std::back_inserter(latencies),
                             &runbookd::bench::Latency::ms);
    }
    auto const wal = [](Measured const& m) { return m.wal_mb; };
    std::printf("%-22s %9.0f %7.2f %7.2f %7.2f %9.0f %9.0f %9.2f %9.2f\n", way.name.c_str(),
                median(rounds, rate), median(rounds, rate) / median(base, rate),
                median(rounds, wal) / median(base, wal),
                median(rounds, [](Measured const& m) { return m.heap; }), share_of(batches, 0.5),
                share_of(batches, 0.99), share_of(latencies, 0.5), share_of(latencies, 0.999));
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto const options = read(argc, argv);
  PostgresCluster cluster(
      {.major = 15,
       .durable = true,
       .settings = {
           {"shared_buffers", "1GB"}, {"max_wal_size", "8GB"}, {"checkpoint_timeout", "15min"}}});
  cluster.create_database("original");
  cluster.sql("original", setup(options.rows));
  cluster.sql("original", "VACUUM ANALYZE");
  std::vector<Way> ways{{.name = "one UPDATE", .sql = one_update},
                        {.name = "runbookd, 1 worker", .workers = 1},
                        {.name = "runbookd, 2 workers", .workers = 2},
                        {.name = "runbookd, 4 workers", .workers = 4}};
  if (options.loop) {
    ways.push_back({.name = "loop, 1,000 a COMMIT", .sql = usual_loop});
  }
  std::map<std::string, std::vector<Measured>> all;
  for (int round = 0; round < options.rounds; ++round) {
    for (auto const& way : ways) {
      all[way.name].push_back(measure(cluster, options, way));
    }
  }
  print(options, ways, all);
  if (!options.svg.empty()) {
    std::vector<Curve> curves;
    for (auto const& way : ways) {
      curves.push_back({.name = way.name, .points = all[way.name].front().latencies});
    }
    std::ofstream(options.svg) << runbookd::bench::svg_of(curves);
  }
  return 0;
}
