// Sets the stage for the console's tests, which are JavaScript: a real daemon with a TCP address on
// a real PostgreSQL. Then hands over to Node.js, which drives a real browser.
//
//   runbookd_console_tests [ARGUMENT OF node --test...]
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/free_port.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/running_daemon.h"

extern char** environ;

namespace {

using namespace runbookd::testing;

constexpr int left_out_code = 77;

std::string without_end_of_line(std::string text) {
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

// Empty where the tests can run.
std::string missing() {
  constexpr auto advice = " is missing; deploy/install-packages.sh test installs it";
  if (!std::filesystem::exists("/usr/bin/chromium")) {
    return std::string("/usr/bin/chromium") + advice;
  }
  if (run_program({"/usr/bin/env", "node", "--version"}).exit_code != 0) {
    return std::string("node") + advice;
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

int play(std::vector<std::string> const& arguments) {
  auto const folder = source_folder() + "/tests/console";
  auto const packages = run_program({source_folder() + "/deploy/fetch-packages.sh", folder});
  if (packages.exit_code != 0) {
    std::cerr << packages.err;
    return 1;
  }
  PostgresCluster cluster;
  DaemonOptions options;
  for (auto const* target : {"main", "north", "south", "west"}) {  // each carries one run at a time
    cluster.create_database(target);
    options.targets[target] = cluster.dsn(target);
    setenv(("CONSOLE_DSN_" + std::string(target)).c_str(), cluster.dsn(target).c_str(), 1);
  }
  auto const port = std::to_string(free_port());
  options.also_listen = "127.0.0.1:" + port;
  RunningDaemon const daemon(options);
  setenv("CONSOLE_RUNBOOKD", runbookd_program().c_str(), 1);
  setenv("CONSOLE_SETTINGS", (daemon.folder() + "/runbookd.yaml").c_str(), 1);
  setenv("CONSOLE_URL", ("http://127.0.0.1:" + port).c_str(), 1);
  setenv("CONSOLE_PACKAGES", without_end_of_line(packages.out).c_str(), 1);
  std::vector<std::string> command{"/usr/bin/env", "node", "--test", "--test-concurrency=1"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  if (arguments.empty()) {
    command.push_back(folder + "/life_test.mjs");
    command.push_back(folder + "/looks_test.mjs");
    command.push_back(folder + "/trouble_test.mjs");
    command.push_back(folder +
                      "/who_test.mjs");  // the last in the alphabet, too: it ends local mode
  }
  auto const result = run_node(command);
  if (result != 0) {
    std::cerr << "the daemon's last words:\n"
              << daemon.log().substr(daemon.log().size() > 3000 ? daemon.log().size() - 3000 : 0);
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
