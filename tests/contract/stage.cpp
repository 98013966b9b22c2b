// Sets the stage for the contract's tests, which are JavaScript, since that is where the validators
// of OpenAPI and JSON Schema are kept well: real daemons on a real PostgreSQL, told of in
// CONTRACT_STAGE.
//
//   runbookd_contract_tests [ARGUMENT OF node --test...]
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>

#include "tests/support/free_port.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/running_daemon.h"

extern char** environ;

namespace {

using namespace runbookd::testing;

constexpr int left_out_code = 77;

std::string first_line(std::string const& text) { return text.substr(0, text.find('\n')); }

// Empty where the tests can run.
std::string missing() {
  if (run_program({"/usr/bin/env", "node", "--version"}).exit_code != 0) {
    return "node is missing; deploy/install-packages.sh test installs it";
  }
  return PostgresCluster::programs(15) ? "" : "PostgreSQL 15 is missing";
}

int run_node(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, argv.front(), nullptr, nullptr, argv.data(), environ) != 0) {
    return 1;
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

struct Served {
  int port = free_port();
  RunningDaemon daemon;

  explicit Served(DaemonOptions options)
      : daemon([&] {
          options.also_listen = "127.0.0.1:" + std::to_string(port);
          return options;
        }()) {}
  json told() const {
    return {{"url", "http://127.0.0.1:" + std::to_string(port)},
            {"settings", daemon.folder() + "/runbookd.yaml"},
            {"store", daemon.store_path()}};
  }
};

int play(std::vector<std::string> const& arguments) {
  auto const folder = source_folder() + "/tests/contract";
  auto const packages = run_program({source_folder() + "/deploy/fetch-packages.sh", folder});
  if (packages.exit_code != 0) {
    std::cerr << packages.err;
    return 1;
  }
  PostgresCluster cluster;
  json stage{{"packages", first_line(packages.out)},
             {"runbookd", runbookd_program()},
             {"dsn", json::object()}};
  DaemonOptions options;
  for (auto const* target : {"main", "north", "south"}) {  // each carries one run at a time
    cluster.create_database(target);
    options.targets[target] = cluster.dsn(target);
    stage["dsn"][target] = cluster.dsn(target);
  }
  options.targets["dead"] = "host=127.0.0.1 port=1 dbname=x";
  cluster.create_database("closed");
  cluster.sql("closed", "CREATE ROLE poor LOGIN; REVOKE SELECT ON pg_policy FROM PUBLIC");
  options.targets["refusing"] = cluster.dsn("closed", "poor");
  Served const main_one(options);
  Served const full(
      {.targets = {{"main", cluster.dsn("main")}}, .store_settings = "  max_size: 1MiB\n"});
  Served const broken({.targets = {{"main", cluster.dsn("main")}}});
  stage["main"] = main_one.told();
  stage["full"] = full.told();
  stage["broken"] = broken.told();
  setenv("CONTRACT_STAGE", stage.dump().c_str(), 1);
  std::vector<std::string> command{"/usr/bin/env", "node", "--test", "--test-concurrency=1"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.push_back(folder + "/api_test.mjs");
  auto const result = run_node(command);
  if (result != 0) {
    auto const log = main_one.daemon.log();
    std::cerr << "the daemon's last words:\n"
              << log.substr(log.size() > 3000 ? log.size() - 3000 : 0);
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) try {
  if (auto const what = missing(); !what.empty()) {
    left_out(what);
    return left_out_code;
  }
  return play({argv + 1, argv + argc});
} catch (std::exception const& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
