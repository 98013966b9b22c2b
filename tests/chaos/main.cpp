// Lets real daemons die, at named points and at random moments, in the middle of real plans against
// a real server, and judges what is left: no step lost, none done twice, nothing broken left over.
// Exit: 0 all promises kept, 1 not, 77 no server programs of PostgreSQL RUNBOOKD_TEST_MAJOR (15
// where it is not said).
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>

#include <CLI/CLI.hpp>

#include "tests/chaos/failovers.h"
#include "tests/chaos/faults.h"
#include "tests/chaos/kills.h"
#include "tests/chaos/matrix.h"
#include "tests/chaos/sequences.h"

namespace {

using namespace runbookd;

constexpr int skipped = 77;

struct Options {
  bool matrix = false, first = false;
  std::string only;
  int minutes = 0;
  chaos::MatrixOptions matrix_options;
  chaos::KillOptions kills;
  chaos::FaultOptions faults;
  chaos::FailoverOptions failovers;
  chaos::SequenceOptions sequences;
  unsigned seed = std::random_device{}() % 1'000'000;
  int jobs = 4;
};

void describe(CLI::App& app, Options& options) {
  app.add_flag("--matrix", options.matrix, "a death at every crash point");
  app.add_option("--visits", options.matrix_options.visits, "of one point in one leg, at most");
  app.add_option("--pairs", options.matrix_options.pairs,
                 "deaths in the recovery from another death; -1: all");
  app.add_flag("--distinct", options.matrix_options.distinct,
               "of those pairs each ordered pair of points once");
  app.add_option("--kills", options.kills.kills, "SIGKILL at random moments, so many");
  app.add_option("--within", options.kills.within_ms, "so many milliseconds of a life, at most");
  app.add_option("--minutes", options.minutes, "the same, for so long");
  app.add_option("--faults", options.faults.faults,
                 "of server, network and daemon, under an application that moves money");
  app.add_option("--failovers", options.failovers.count,
                 "to a standby that lacks commits, until so many have lost a finished step");
  app.add_option("--sequences", options.sequences.count,
                 "random plans, operators and deaths, judged by the pure core");
  app.add_option("--from", options.sequences.from, "the number of the first sequence");
  app.add_option("--only", options.only,
                 "one scenario of the matrix, one kind of fault, or 'fills' for kills");
  app.add_option("--seed", options.seed, "drawn where it is not given, and told");
  app.add_option("--jobs", options.jobs, "daemons at once")->check(CLI::PositiveNumber);
  app.add_flag("--first", options.first, "end with the first violation");
}

void settle(Options& options) {
  options.matrix_options.only = options.faults.only = options.kills.only = options.only;
  options.matrix_options.seed = options.kills.seed = options.seed;
  options.faults.seed = options.sequences.seed = options.failovers.seed = options.seed;
  if (options.minutes > 0) {
    options.kills.minutes = std::chrono::minutes(options.minutes);
  }
}

// A process that is killed loses nothing that it has written, so memory serves as well as a disk.
void use_memory_for_stores() {
  std::error_code ignored;
  if (std::getenv("TMPDIR") == nullptr && std::filesystem::is_directory("/dev/shm", ignored)) {
    setenv("TMPDIR", "/dev/shm", 0);
  }
}

void attack(testing::PostgresCluster& cluster, chaos::Crew& crew, Options const& options) {
  if (options.matrix) {
    chaos::run_matrix(crew, options.matrix_options);
  }
  if (options.kills.kills > 0 || options.kills.minutes) {
    chaos::run_kills(crew, options.kills);
  }
  if (options.sequences.count > 0) {
    chaos::run_sequences(crew, options.sequences);
  }
  if (options.faults.faults > 0) {
    chaos::run_faults(cluster, crew, options.faults);
  }
  if (options.failovers.count > 0) {
    chaos::run_failovers(crew, options.failovers);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Attacks what runbookd promises.");
  Options options;
  describe(app, options);
  CLI11_PARSE(app, argc, argv);
  settle(options);
  char const* asked = std::getenv("RUNBOOKD_TEST_MAJOR");
  int const major = asked == nullptr ? 15 : std::stoi(asked);
  if (!testing::PostgresCluster::programs(major)) {
    std::cerr << "SKIPPED: no server programs of PostgreSQL " << major
              << "; deploy/fetch-postgres.sh gets them\n";
    return skipped;
  }
  options.failovers.major = major;
  use_memory_for_stores();
  testing::PostgresCluster cluster(
      {.major = major, .settings = {{"max_connections", "200"}, {"autovacuum", "off"}}});
  chaos::Crew crew(cluster, options.jobs, options.first);
  crew.say("seed " + std::to_string(options.seed) + ", PostgreSQL " + std::to_string(major));
  attack(cluster, crew, options);
  crew.say(crew.failures() == 0 ? "all promises kept"
                                : std::to_string(crew.failures()) + " promises not kept");
  return crew.failures() == 0 ? 0 : 1;
}
