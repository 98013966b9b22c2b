#include "tests/chaos/failovers.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "tests/support/proxy.h"

namespace runbookd::chaos {
namespace {

using testing::PostgresCluster;
using testing::Proxy;
using testing::RunningDaemon;

constexpr int steps_of_one_transaction = 10;
constexpr int rows = 120;

std::string numbered(int i) { return "s" + std::to_string(10 + i); }

// Nothing in it can be done twice without leaving a trace of that.
std::string plan_text() {
  std::string text =
      "runbook: 1\nname: failover\ntitle: Every step leaves its name\nphases:\n"
      "  - name: work\n    kind: expand\n    steps:\n";
  for (int i = 0; i < steps_of_one_transaction; ++i) {
    auto const name = numbered(i);
    text += "      - name: " + name + "\n        sql: |\n          INSERT INTO effect VALUES ('" +
            name + "');\n          CREATE TABLE of_" + name +
            " (id int)\n        rollback: |\n          DELETE FROM effect WHERE step = '" + name +
            "';\n          DROP TABLE of_" + name + "\n";
    if (i == 3) {
      text +=
          "      - name: fill\n        backfill:\n          table: t\n          set: {a: t.a + 1}\n"
          "          where: 'true'\n          batch: {max_rows: 10, pause: 5ms}\n"
          "        rollback: UPDATE t SET a = a - 1\n";
    }
    if (i == 6) {
      text +=
          "      - name: build\n        sql: CREATE INDEX CONCURRENTLY t_a ON t (a)\n"
          "        rollback: DROP INDEX CONCURRENTLY t_a\n";
    }
  }
  return text +
         "  - name: later\n    kind: expand\n    steps:\n      - name: end\n        sql: "
         "INSERT INTO effect VALUES ('last')\n        rollback: DELETE FROM effect WHERE step "
         "= 'last'\n";
}
constexpr int steps_of_work = steps_of_one_transaction + 2;

std::unique_ptr<PostgresCluster> standby_of(PostgresCluster* primary, int major) {
  return std::make_unique<PostgresCluster>(
      testing::ClusterOptions{.major = major, .standby_of = primary});
}
std::string socket_of(PostgresCluster const& cluster) {
  return cluster.folder() + "/.s.PGSQL." + std::to_string(cluster.port());
}

class Failovers {
 public:
  Failovers(Crew& crew, FailoverOptions options)
      : crew_(crew), options_(options), chance_(options.seed) {}

  void run() {
    auto const begin = std::chrono::steady_clock::now();
    primary_ = std::make_unique<PostgresCluster>(
        testing::ClusterOptions{.major = options_.major, .settings = {{"autovacuum", "off"}}});
    while (losing_ < options_.count && !crew_.ended()) {
      ++made_;
      try {
        one();
      } catch (std::exception const& problem) {
        crew_.failed("failover " + std::to_string(made_) + ", seed " +
                     std::to_string(options_.seed) + ", " + moment_ + "\n" + problem.what());
        return;
      }
      if (made_ % 10 == 0) {
        crew_.say(std::to_string(made_) + " failovers, " + std::to_string(losing_) +
                  " of them lost " + std::to_string(lost_steps_) + " finished steps, all named");
      }
    }
    auto const seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin)
            .count();
    crew_.say("failovers: " + std::to_string(made_) + ", " + std::to_string(losing_) +
              " of them lost " + std::to_string(lost_steps_) +
              " finished steps, each of which was named, and nothing else was; in " +
              std::to_string(seconds) + " s, seed " + std::to_string(options_.seed));
  }

 private:
  struct Scene {
    RunningDaemon& daemon;
    Proxy& proxy;
    std::string run;
    Leg leg;
  };

  void one() {
    moment_ = "before its plan";
    prepare();
    auto standby = standby_of(primary_.get(), options_.major);
    Proxy proxy(socket_of(*primary_));
    RunningDaemon daemon(
        {.targets = {{"main", "host=127.0.0.1 port=" + std::to_string(proxy.port()) +
                                  " dbname=app user=postgres"}}});
    Scene scene{daemon, proxy, daemon.create(plan_text()),
                one_in(3) ? Leg::backward : Leg::forward};
    begin(scene, *standby);
    lose_some(scene);
    fail_over(scene, *standby);
    primary_ = std::move(standby);
    if (judge(scene)) {
      finish(scene);
    }
  }

  void prepare() const {
    primary_->sql("postgres", "DROP DATABASE IF EXISTS app");
    primary_->create_database("app");
    primary_->sql("app",
                  "CREATE TABLE effect (step text); CREATE TABLE t (id bigint PRIMARY KEY, a int); "
                  "INSERT INTO t SELECT g, 0 FROM generate_series(1, " +
                      std::to_string(rows) + ") g");
  }

  void begin(Scene const& scene, PostgresCluster const& standby) {
    cut_at_ = number(0, steps_of_work - 2);
    scene.daemon.verb(scene.run, "start");
    if (scene.leg == Leg::backward) {
      scene.daemon.until(scene.run, {"waiting"});
      until(
          "SELECT count(*) = 1 AND bool_and(replay_lsn >= pg_current_wal_lsn()) FROM "
          "pg_stat_replication");
      cut_at_ += steps_of_work;
      scene.daemon.verb(scene.run, "rollback", {{"to", "all"}});
    }
    until_marked(cut_at_);
    cut_off(standby);
  }
  // From here on the standby hears nothing more.
  void cut_off(PostgresCluster const& standby) const {
    standby.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
    standby.sql("postgres", "SELECT pg_reload_conf()");
    until("SELECT count(*) = 0 FROM pg_stat_replication");
  }
  void lose_some(Scene const& scene) {
    bool const back = scene.leg == Leg::backward;
    auto const end = steps_of_work * (back ? 2 : 1) - (back ? 1 : 0);
    auto const now = marked();
    auto const die_at = std::min(end, now + number(0, 4));
    moment_ = std::string(to_text(scene.leg)) + ", cut off at marker " + std::to_string(cut_at_) +
              ", dead at marker " + std::to_string(die_at);
    until_marked(die_at);
    std::this_thread::sleep_for(std::chrono::milliseconds(number(0, 15)));
  }
  void fail_over(Scene const& scene, PostgresCluster& standby) const {
    scene.proxy.away();
    primary_->stop(PostgresCluster::Stop::immediate);
    standby.sql("postgres", "SELECT pg_promote()");
    scene.proxy.lead_to(socket_of(standby));
  }

  // At rest, before anything is done on the new primary. False: the run had ended before.
  bool judge(Scene const& scene) {
    auto run = scene.daemon.until(scene.run, {"pending", "waiting", "paused", "attention", "failed",
                                              "succeeded", "rolled_back"});
    if (run.at("state") == "pending") {  // it had not begun to work: a person starts it again
      scene.daemon.verb(scene.run, "start");
      return true;
    }
    if (run.at("state") == "waiting") {  // all was done before the failover: nobody was there since
      scene.daemon.verb(scene.run, "advance", {{"to_phase", "later"}});
      run = scene.daemon.until(scene.run, {"paused", "attention", "failed", "succeeded"});
    }
    if (run.at("state") == "rolled_back") {
      return false;
    }
    auto const lost = really_lost(run, scene.leg);
    auto asked_about = lost;
    if (ended_without_proof(run, scene.leg)) {
      asked_about.insert("build");
    }
    auto const expected = asked_about.empty() ? "paused" : "attention";
    auto const message = run.at("state_message").get<std::string>();
    if (run.at("state") != expected) {
      throw Violation("the run should be " + std::string(expected) + ", and is " +
                      run.at("state").get<std::string>() + ": " + message +
                      "\nlost: " + in_words(lost));
    }
    if (!asked_about.empty() && named(message) != asked_about) {
      throw Violation("not proven: " + in_words(asked_about) +
                      "; named: " + in_words(named(message)) + "\n" + message);
    }
    if (asked_about.empty() && message.find("failed over") == std::string::npos) {
      throw Violation("nothing is said of the failover: " + message);
    }
    losing_ += lost.empty() ? 0 : 1;
    lost_steps_ += static_cast<int>(lost.size());
    for (auto const& step : asked_about) {
      scene.daemon.verb(scene.run, "resolve",
                        {{"step", "work/" + step},
                         {"as", lost.contains(step) ? "failed" : "succeeded"},
                         {"evidence", "looked"}});
    }
    scene.daemon.verb(scene.run, "resume");
    return true;
  }

  // The database says what is there, the journal what should be.
  std::set<std::string> really_lost(json const& run, Leg leg) const {
    std::set<std::string> lost;
    auto const done = leg == Leg::forward ? "succeeded" : "reverted";
    for (auto const& step : run.at("phases").at(0).at("steps")) {
      auto const name = step.at("name").get<std::string>();
      if (step.at("state") == done && is_there(name) != (leg == Leg::forward)) {
        lost.insert(name);
      }
    }
    return lost;
  }
  // A statement outside a transaction leaves its marker after it: the standby may have the one and
  // not the other.
  bool ended_without_proof(json const& run, Leg leg) const {
    bool const forward = leg == Leg::forward;
    for (auto const& step : run.at("phases").at(0).at("steps")) {
      if (step.at("name") == "build" && step.at("state") == (forward ? "succeeded" : "reverted")) {
        return primary_->sql("app", "SELECT to_regclass('runbookd.marker') IS NULL") == "t" ||
               primary_->sql("app",
                             std::string("SELECT count(*) = 0 FROM runbookd.marker WHERE label = "
                                         "'work/build' AND direction = '") +
                                 (forward ? "f'" : "b'")) == "t";
      }
    }
    return false;
  }
  bool is_there(std::string const& step) const {
    auto const question = step == "fill" ? "SELECT sum(a) = " + std::to_string(rows) + " FROM t"
                          : step == "build"
                              ? "SELECT count(*) = 1 FROM pg_index WHERE indexrelid = "
                                "to_regclass('t_a') AND indisvalid"
                              : "SELECT count(*) > 0 FROM effect WHERE step = '" + step + "'";
    return primary_->sql("app", question) == "t";
  }
  static std::set<std::string> named(std::string const& message) {
    std::set<std::string> names;
    auto const look = [&](std::string const& step) {
      if (message.find("work/" + step) != std::string::npos) {
        names.insert(step);
      }
    };
    for (int i = 0; i < steps_of_one_transaction; ++i) {
      look(numbered(i));
    }
    look("fill");
    look("build");
    return names;
  }

  void finish(Scene const& scene) const {
    bool const back = scene.leg == Leg::backward;
    auto run = scene.daemon.until(
        scene.run, {"waiting", "succeeded", "rolled_back", "failed", "attention", "paused"});
    if (run.at("state") == "waiting" && !back) {
      scene.daemon.verb(scene.run, "advance", {{"to_phase", "later"}});
      run = scene.daemon.until(scene.run, {"succeeded", "failed", "attention", "paused"});
    }
    if (run.at("state") != (back ? "rolled_back" : "succeeded")) {
      throw Violation("after it was told to go on the run is " +
                      run.at("state").get<std::string>() + ": " +
                      run.at("state_message").get<std::string>());
    }
    auto const wanted = back ? 0 : steps_of_one_transaction + 1;
    auto const left = primary_->sql(
        "app",
        "SELECT count(*) || ' names of ' || count(DISTINCT step) || ' steps, rows from ' || "
        "(SELECT min(a) || ' to ' || max(a) FROM t) FROM effect");
    auto const count = std::to_string(wanted);
    auto const filled = back ? "0" : "1";
    auto const expected =
        count + " names of " + count + " steps, rows from " + filled + " to " + filled;
    if (left != expected) {
      throw Violation("there should be " + expected + ", and there are " + left);
    }
    if (is_there("build") == back) {
      throw Violation(back ? "the index is still there" : "the index is not there");
    }
  }

  int number(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(chance_);
  }
  bool one_in(int count) { return number(1, count) == 1; }
  static std::string in_words(std::set<std::string> const& steps) {
    std::string text;
    for (auto const& step : steps) {
      text += (text.empty() ? "" : ", ") + step;
    }
    return text.empty() ? "nothing" : text;
  }
  int marked() const {
    if (primary_->sql("app", "SELECT to_regclass('runbookd.marker') IS NULL") == "t") {
      return 0;
    }
    return std::stoi(primary_->sql("app", "SELECT count(*) FROM runbookd.marker"));
  }
  void until_marked(int count) const {
    while_not([&] { return marked() >= count; }, std::to_string(count) + " markers");
  }
  void until(std::string const& question) const {
    while_not([&] { return primary_->sql("postgres", question) == "t"; }, question);
  }
  template <typename Happened>
  static void while_not(Happened const& happened, std::string const& what) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!happened()) {
      if (std::chrono::steady_clock::now() > end) {
        throw Violation("waited two minutes in vain for: " + what);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  Crew& crew_;
  FailoverOptions options_;
  std::mt19937 chance_;
  std::unique_ptr<PostgresCluster> primary_;
  std::string moment_;
  int made_ = 0, losing_ = 0, lost_steps_ = 0, cut_at_ = 0;
};

}  // namespace

void run_failovers(Crew& crew, FailoverOptions const& options) { Failovers(crew, options).run(); }

}  // namespace runbookd::chaos
