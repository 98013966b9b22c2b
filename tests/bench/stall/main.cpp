// What an application feels while a column is added to its table and somebody holds that table:
// runbookd beside psql and beside the schedules of other tools, on one server, one after the other,
// round by round; medians. Prints tables, writes drawings of the first round.
//
//   runbookd_bench_stall [--rounds N] [--only busy|keys|blockers] [--svg FOLDER]
//
// busy: 1,500 transactions a second of two statements, twelve readers that hold the table for 20 to
// 400 ms and rest as long, one session idle in its transaction for 12 s. keys: eight clients by
// primary key, 1,000 a second, another session reads for 10 s. blockers: the load of keys, and each
// kind of blocker for 10 s (runbookd and plain psql).
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/stall/blocker.h"
#include "tests/bench/stall/load.h"
#include "tests/bench/stall/migration.h"
#include "tests/bench/stall/report.h"

namespace runbookd::bench {
namespace {

using namespace std::chrono_literals;

struct Options {
  int rounds = 5;
  std::string only, folder;
};
struct Scene {
  std::string title;
  LoadPlan load;
  Blocker blocker;
  std::chrono::seconds blocked;
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {
    for (auto const* name : {"busy", "keys", "blockers"}) {
      cluster_.create_database(name);
      cluster_.sql(name,
                   "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL) WITH (fillfactor = 70, "
                   "autovacuum_enabled = false); INSERT INTO t SELECT i, 0 FROM "
                   "generate_series(1, 1000000) i; ANALYZE t");
    }
  }

  void busy() {
    Scene const scene{
        "1,500 tx/s of two statements, 12 readers of 20-400 ms, idle in transaction 12 s",
        {.clients = 16, .rate = 1'500, .two_statements = true, .readers = 12},
        idle_in_transaction(),
        12s};
    compare("busy", scene, all_migrations("busy"));
  }
  void keys() {
    Scene const scene{"8 clients by primary key, 1,000 tx/s, another session reads for 10 s",
                      {.clients = 8, .rate = 1'000, .two_statements = false},
                      idle_in_transaction(),
                      10s};
    compare("keys", scene, all_migrations("keys"));
  }
  void blockers() {
    for (auto const& blocker : all_blockers()) {
      Scene const scene{"blocker: " + blocker.name,
                        {.clients = 8, .rate = 1'000, .two_statements = false},
                        blocker,
                        10s};
      compare("blockers", scene, {ours(daemon("blockers")), plain(cluster_.dsn("blockers"))});
    }
  }

 private:
  std::vector<Migration> all_migrations(std::string const& database) {
    auto all = schedules(cluster_.dsn(database));
    all.insert(all.begin(), plain(cluster_.dsn(database)));
    all.insert(all.begin(), ours(daemon(database)));
    // what the machine does by itself, without any migration or blocker in it
    all.push_back(
        {.name = "no migration", .run = [](auto const&) { std::this_thread::sleep_for(15s); }});
    return all;
  }
  testing::RunningDaemon& daemon(std::string const& database) {
    auto& known = daemons_[database];
    if (!known) {
      known = std::make_unique<testing::RunningDaemon>(
          testing::DaemonOptions{.targets = {{"main", cluster_.dsn(database)}}});
    }
    return *known;
  }

  void compare(std::string const& database, Scene const& scene,
               std::vector<Migration> const& migrations) {
    std::vector<Course> first;
    std::map<std::string, std::vector<Felt>> rounds;
    for (int round = 0; round < options_.rounds; ++round) {
      for (auto const& migration : migrations) {
        auto course = run(database, scene, migration);
        rounds[migration.name].push_back(felt(course));
        std::fprintf(stderr, "%s",
                     table_row(migration.name, rounds[migration.name].back()).c_str());
        if (round == 0) {
          first.push_back(std::move(course));
        }
      }
    }
    double load[1] = {0};
    (void)getloadavg(load, 1);
    std::printf("\n%s\nmedian of %d rounds; load of the machine %.1f on %u processors\n%s",
                scene.title.c_str(), options_.rounds, load[0], std::thread::hardware_concurrency(),
                table_head().c_str());
    for (auto const& migration : migrations) {
      std::printf("%s", table_row(migration.name, median(rounds[migration.name])).c_str());
    }
    std::fflush(stdout);
    if (!options_.folder.empty()) {
      auto name = "stall-" + database + "-" + scene.blocker.name;
      std::ranges::replace_if(name, [](char c) { return c == ' ' || c == '(' || c == ')'; }, '-');
      std::ofstream(options_.folder + "/" + name + ".svg") << drawing(scene.title, first);
    }
  }

  Course run(std::string const& database, Scene const& scene, Migration const& migration) {
    auto const dsn = cluster_.dsn(database);
    bool const blocked = migration.name != "no migration";
    Load load(dsn, scene.load);
    std::this_thread::sleep_for(2s);
    auto const release = blocked ? scene.blocker.begin(dsn) : [] {};
    Course course{.name = migration.name, .begun = Clock::now()};
    std::thread migrating([&] {
      try {
        migration.run("c");
      } catch (std::exception const& e) {
        std::fprintf(stderr, "%s: %s\n", migration.name.c_str(), e.what());
      }
      course.done = Clock::now();
    });
    if (scene.blocker.yields) {
      course.blocker_gone = course.begun;
      migrating.join();
      release();
    } else {
      std::this_thread::sleep_until(course.begun + scene.blocked);
      release();
      course.blocker_gone = Clock::now();
      migrating.join();
    }
    std::this_thread::sleep_for(1500ms);
    course.transactions = load.stop();
    cluster_.sql(database, "ALTER TABLE t DROP COLUMN IF EXISTS c");
    return course;
  }

  Options options_;
  testing::PostgresCluster cluster_{
      {.major = 15, .settings = {{"max_prepared_transactions", "5"}, {"shared_buffers", "512MB"}}}};
  std::map<std::string, std::unique_ptr<testing::RunningDaemon>> daemons_;
};

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string const name = argv[i], value = argv[i + 1];
    if (name == "--rounds") {
      options.rounds = std::stoi(value);
    } else if (name == "--only") {
      options.only = value;
    } else if (name == "--svg") {
      options.folder = value;
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }
  return options;
}

}  // namespace
}  // namespace runbookd::bench

int main(int argc, char** argv) {
  using namespace runbookd::bench;
  auto const options = read(argc, argv);
  Bench bench(options);
  std::vector<std::pair<std::string, void (Bench::*)()>> const parts{
      {"busy", &Bench::busy}, {"keys", &Bench::keys}, {"blockers", &Bench::blockers}};
  for (auto const& [name, part] : parts) {
    if (options.only.empty() || options.only == name) {
      (bench.*part)();
    }
  }
  return 0;
}
