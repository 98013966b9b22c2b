// Lets real daemons die, at named points and at random moments, in the middle of real plans against
// a real server, and judges what is left: no step lost, none done twice, nothing broken left over.
//
//   runbookd_chaos --matrix [--visits N] [--pairs N|all] [--only SCENARIO]
//   runbookd_chaos --kills N | --minutes N
//   runbookd_chaos --sequences N [--from N]
//   … [--seed N] [--jobs N] [--first]
//
// --sequences: random plans, operators and deaths, judged by the pure core; --from: the number of
// the first one. --first: ends with the first violation.
//
// A random seed is drawn where none is given, and told. Exit: 0 all promises kept, 1 not, 77 no
// server programs of PostgreSQL RUNBOOKD_TEST_MAJOR (15 where it is not said).
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "tests/chaos/kills.h"
#include "tests/chaos/matrix.h"
#include "tests/chaos/sequences.h"

namespace {

using namespace runbookd;

constexpr int usage = 2, skipped = 77;

struct Options {
  bool matrix = false, first = false;
  chaos::MatrixOptions matrix_options;
  chaos::KillOptions kills;
  chaos::SequenceOptions sequences;
  unsigned seed = std::random_device{}() % 1'000'000;
  int jobs = 4;
};

std::optional<Options> read(int argc, char** argv) {
  Options options;
  try {
    for (int i = 1; i < argc; ++i) {
      std::string const name = argv[i];
      if (name == "--matrix") {
        options.matrix = true;
        continue;
      }
      if (name == "--first") {
        options.first = true;
        continue;
      }
      if (++i == argc) {
        return std::nullopt;
      }
      std::string const value = argv[i];
      if (name == "--seed") {
        options.seed = static_cast<unsigned>(std::stoul(value));
      } else if (name == "--jobs") {
        options.jobs = std::stoi(value);
      } else if (name == "--visits") {
        options.matrix_options.visits = std::stoi(value);
      } else if (name == "--pairs") {
        options.matrix_options.pairs = value == "all" ? -1 : std::stoi(value);
      } else if (name == "--only") {
        options.matrix_options.only = value;
      } else if (name == "--kills") {
        options.kills.kills = std::stoi(value);
      } else if (name == "--minutes") {
        options.kills.minutes = std::chrono::minutes(std::stoi(value));
      } else if (name == "--sequences") {
        options.sequences.count = std::stoi(value);
      } else if (name == "--from") {
        options.sequences.from = std::stoi(value);
      } else {
        return std::nullopt;
      }
    }
  } catch (std::logic_error const&) {
    return std::nullopt;  // a number that is none
  }
  options.matrix_options.seed = options.kills.seed = options.sequences.seed = options.seed;
  bool const something = options.matrix || options.kills.kills > 0 || options.kills.minutes ||
                         options.sequences.count > 0;
  return something && options.jobs > 0 ? std::optional(options) : std::nullopt;
}

// A process that is killed loses nothing that it has written, so memory serves as well as a disk.
void use_memory_for_stores() {
  std::error_code ignored;
  if (std::getenv("TMPDIR") == nullptr && std::filesystem::is_directory("/dev/shm", ignored)) {
    setenv("TMPDIR", "/dev/shm", 0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto const options = read(argc, argv);
  if (!options) {
    std::cerr
        << "usage: runbookd_chaos [--matrix [--visits N] [--pairs N|all] [--only SCENARIO]] "
           "[--kills N | --minutes N] [--sequences N [--from N]] [--seed N] [--jobs N] [--first]\n";
    return usage;
  }
  char const* asked = std::getenv("RUNBOOKD_TEST_MAJOR");
  int const major = asked == nullptr ? 15 : std::stoi(asked);
  if (!testing::PostgresCluster::programs(major)) {
    std::cerr << "SKIPPED: no server programs of PostgreSQL " << major
              << "; deploy/fetch-postgres.sh gets them\n";
    return skipped;
  }
  use_memory_for_stores();
  testing::PostgresCluster cluster(
      {.major = major, .settings = {{"max_connections", "200"}, {"autovacuum", "off"}}});
  chaos::Crew crew(cluster, options->jobs, options->first);
  crew.say("seed " + std::to_string(options->seed) + ", PostgreSQL " + std::to_string(major));
  if (options->matrix) {
    chaos::run_matrix(crew, options->matrix_options);
  }
  if (options->kills.kills > 0 || options->kills.minutes) {
    chaos::run_kills(crew, options->kills);
  }
  if (options->sequences.count > 0) {
    chaos::run_sequences(crew, options->sequences);
  }
  crew.say(crew.failures() == 0 ? "all promises kept"
                                : std::to_string(crew.failures()) + " promises not kept");
  return crew.failures() == 0 ? 0 : 1;
}
