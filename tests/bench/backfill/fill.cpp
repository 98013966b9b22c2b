#include "tests/bench/backfill/fill.h"

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <libpq-fe.h>
#include <unistd.h>

#include "tests/support/running_daemon.h"

namespace runbookd::bench {
namespace {

using namespace runbookd::testing;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point moment) {
  return std::chrono::duration<double>(Clock::now() - moment).count();
}

std::string plan(std::string const& batch) {
  return "runbook: 1\nname: bench\nphases:\n  - name: fill\n    kind: backfill\n    steps:\n"
         "      - name: fill\n        irreversible: measured\n"
         "        backfill:\n          table: users\n          set: {org_id: "
         "accounts.organisation_id}\n          from: accounts\n          where: users.account_id = "
         "accounts.id AND users.org_id IS NULL\n          batch: {" +
         batch + "}\n";
}

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

// Looks at a run until it has come to an end, or to a pause.
class Followed {
 public:
  explicit Followed(PostgresCluster const& cluster, std::string const& batch)
      : daemon_({.targets = {{"main", cluster.dsn("copy")}}}), id_(daemon_.create(plan(batch))) {
    daemon_.verb(id_, "start");
  }

  std::string until(std::function<bool(std::string const& state, long scanned)> const& enough) {
    constexpr auto between = std::chrono::milliseconds(25);
    for (;; std::this_thread::sleep_for(between)) {
      auto const run = daemon_.run(id_);
      auto const live = run.value("live", json::object());
      if (live.is_object() && live.contains("backfill")) {
        see(live["backfill"]);
      }
      std::string const state = run.at("state");
      if (enough(state, scanned_) || state == "succeeded") {
        return state;
      }
      if (state == "failed" || state == "attention") {
        throw std::runtime_error(run.dump(2));
      }
    }
  }
  void verb(std::string const& name) { daemon_.verb(id_, name); }
  // The step's only one.
  json attempt() const {
    return daemon_.get("/api/v1/runs/" + id_ + "/steps/fill/fill").body.at("attempts").at(0);
  }
  std::vector<double> const& batches() const { return batches_; }

 private:
  void see(json const& backfill) {
    auto const scanned = backfill.value("rows_scanned", 0L);
    if (scanned != scanned_) {
      scanned_ = scanned;
      batches_.push_back(backfill.value("batch_ms", 0.0));
    }
  }

  RunningDaemon daemon_;
  std::string id_;
  long scanned_ = 0;
  std::vector<double> batches_;
};

constexpr auto ours_at_work = R"sql(
  SELECT coalesce(string_agg(application_name || ' ', ''), '') FROM pg_stat_activity
  WHERE starts_with(application_name, 'runbookd/') AND application_name NOT LIKE '%/eyes' AND state <> 'idle'
    AND datname = current_database()
)sql";

// A fresh copy of the original, gone with this object.
class Copy {
 public:
  explicit Copy(PostgresCluster& cluster) : cluster_(cluster) {
    cluster_.sql("postgres", "DROP DATABASE IF EXISTS copy WITH (FORCE)");
    cluster_.sql("postgres", "CREATE DATABASE copy TEMPLATE original");
    // every way writes each page's first image anew, and none an image that another one owed
    cluster_.sql("copy", "CHECKPOINT");
  }
  ~Copy() { cluster_.sql("postgres", "DROP DATABASE copy WITH (FORCE)"); }
  Copy(Copy const&) = delete;
  Copy& operator=(Copy const&) = delete;
  std::string ask(std::string const& sql) const { return cluster_.sql("copy", sql); }
  double size() const { return std::stod(ask("SELECT pg_relation_size('users')")); }
  double wal() const { return std::stod(ask("SELECT pg_current_wal_insert_lsn() - '0/0'")); }

 private:
  PostgresCluster& cluster_;
};

// Sessions in the copy that the server has not yet seen end. Its children are named by what they
// do.
bool has_sessions(pid_t server) {
  auto const id = std::to_string(server);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  for (long child = 0; children >> child;) {
    std::ifstream name("/proc/" + std::to_string(child) + "/cmdline");
    std::string const text{std::istreambuf_iterator<char>(name), {}};
    if (text.empty() || text.find(" copy [local]") != std::string::npos) {
      return true;  // one without a name has ended already
    }
  }
  return false;
}

// What the server's children have taken that are gone: every session, no writer of the background.
// A session counts once it has ended and the server has noticed.
double cpu_of_sessions(PostgresCluster const& cluster) {
  constexpr auto patience = std::chrono::seconds(3);
  for (auto const begin = Clock::now();
       has_sessions(cluster.pid()) && Clock::now() < begin + patience;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::ifstream file("/proc/" + std::to_string(cluster.pid()) + "/stat");
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  std::vector<double> fields;
  std::size_t at = text.rfind(')');
  constexpr std::size_t first = 3, of_children = 16;
  for (std::size_t field = first; field <= of_children + 1 && at < text.size(); ++field) {
    at = text.find(' ', at + 1);
    if (field >= of_children) {
      fields.push_back(std::stod(text.substr(at + 1)));
    }
    at = at + 1;
  }
  return (fields.at(0) + fields.at(1)) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

void make_original(PostgresCluster& cluster, long rows) {
  auto const n = std::to_string(rows);
  cluster.sql("postgres", "DROP DATABASE IF EXISTS original");
  cluster.create_database("original");
  cluster.sql(
      "original",
      "CREATE TABLE organisations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT "
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
          ") g; CREATE INDEX ON users (account_id); CREATE INDEX ON users (org_id)");
  cluster.sql("original", "VACUUM ANALYZE");
}

Measured measure(PostgresCluster& cluster, Way const& way, long rows, double load) {
  Copy const copy(cluster);
  Measured measured;
  auto const size_before = copy.size();
  auto const wal_before = copy.wal();
  auto const cpu_before = cpu_of_sessions(cluster);
  Application application(cluster.dsn("copy"), rows, load);
  auto const begin = Clock::now();
  if (way.idle_seconds > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(way.idle_seconds));
  } else if (!way.sql.empty()) {
    by_hand(cluster, "copy", way.sql);
    measured.seconds = since(begin);
  } else {
    Followed run(cluster, way.batch);
    run.until([](std::string const&, long) { return false; });
    auto const attempt = run.attempt();
    measured.seconds = attempt.at("duration_ms").get<double>() / 1'000;
    measured.note = attempt.value("note", "");
    measured.batches = run.batches();
  }
  measured.latencies = application.latencies();
  measured.wal_mb = (copy.wal() - wal_before) / 1e6;
  measured.heap = copy.size() / size_before;
  measured.cpu_seconds = cpu_of_sessions(cluster) - cpu_before;
  if (way.idle_seconds == 0 && copy.ask("SELECT count(*) FROM users WHERE org_id IS NULL") != "0") {
    throw std::runtime_error(way.name + " left rows out");
  }
  return measured;
}

Pauses measure_pauses(PostgresCluster& cluster, long rows, int times) {
  Copy const copy(cluster);
  Followed run(cluster, "workers: 4");
  Pauses pauses;
  for (int i = 1; i <= times; ++i) {
    auto const from = rows * i / (times + 2);
    run.until([from](std::string const&, long scanned) { return scanned >= from; });
    auto const asked = Clock::now();
    run.verb("pause");
    if (run.until([](std::string const& state, long) { return state == "paused"; }) != "paused") {
      break;
    }
    pauses.quiet_after_ms.push_back(since(asked) * 1'000);
    pauses.still_active += copy.ask(ours_at_work);
    run.verb("resume");
  }
  run.until([](std::string const&, long) { return false; });
  pauses.longest_batch_ms = share_of(run.batches(), 1);
  return pauses;
}

Way one_update() {
  return {.name = "one UPDATE",
          .sql =
              "UPDATE users SET org_id = accounts.organisation_id FROM accounts WHERE "
              "users.account_id = accounts.id AND users.org_id IS NULL"};
}

Way usual_loop() {
  return {.name = "loop, 1,000 a COMMIT",
          .sql =
              "DO $$ DECLARE n bigint; BEGIN LOOP UPDATE users SET org_id = a.organisation_id "
              "FROM accounts a WHERE a.id = users.account_id AND users.id IN (SELECT id FROM "
              "users WHERE org_id IS NULL LIMIT 1000); GET DIAGNOSTICS n = ROW_COUNT; COMMIT; "
              "EXIT WHEN n = 0; END LOOP; END $$"};
}

Way by_daemon(int workers) {
  auto const count = std::to_string(workers);
  return {.name = "runbookd, " + count + (workers == 1 ? " worker" : " workers"),
          .batch = "workers: " + count};
}

}  // namespace runbookd::bench
