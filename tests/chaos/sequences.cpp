#include "tests/chaos/sequences.h"

#include <cstdlib>
#include <optional>

#include "tests/chaos/sequence.h"

namespace runbookd::chaos {
namespace {

using Clock = std::chrono::steady_clock;

// The daemon may be a mutant; the core that judges it must not.
Environment take_mutant() {
  Environment environment;
  if (char const* name = std::getenv("RUNBOOKD_MUTANT")) {
    environment.push_back(std::string("RUNBOOKD_MUTANT=") + name);
    ::unsetenv("RUNBOOKD_MUTANT");
  }
  return environment;
}

class Sequences {
 public:
  Sequences(Crew& crew, SequenceOptions options)
      : crew_(crew), options_(options), environment_(take_mutant()), next_(options.from) {}

  void run() {
    auto const begin = Clock::now();
    crew_.each([this](Site& site, int) {
      int const number = next_++;
      if (number >= options_.from + options_.count) {
        return false;
      }
      one(site, number);
      return true;
    });
    auto const seconds =
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count();
    crew_.say("against the core: " + std::to_string(figures_.sequences) + " sequences, " +
              std::to_string(figures_.commands) + " commands (" + std::to_string(figures_.refused) +
              " refused, " + std::to_string(figures_.unheard) + " without an answer), " +
              std::to_string(figures_.deaths) + " deaths, " + std::to_string(figures_.events) +
              " events, " + std::to_string(figures_.pauses) + " times at rest when paused, " +
              std::to_string(figures_.gates_shut) + " gates kept shut by what broke there, in " +
              std::to_string(seconds) + " s, seed " + std::to_string(options_.seed));
  }

 private:
  void one(Site& site, int number) {
    auto const seed = options_.seed * 100'000 + static_cast<unsigned>(number);
    auto failed = attempt(site, seed, std::nullopt);
    if (failed.what.empty()) {
      return;
    }
    // fewer rounds, while it fails: what is left is easier to read
    for (auto rounds = failed.rounds / 2; rounds > 0 && !crew_.ended(); rounds /= 2) {
      auto shorter = attempt(site, seed, rounds);
      if (shorter.what.empty()) {
        break;
      }
      failed = std::move(shorter);
    }
    crew_.failed("sequence " + std::to_string(number) + " of seed " +
                 std::to_string(options_.seed) + ", in " + std::to_string(failed.rounds) +
                 " rounds; again: runbookd_chaos --sequences 1 --from " + std::to_string(number) +
                 " --seed " + std::to_string(options_.seed) + "\n" + failed.plan + "\n" +
                 failed.what);
  }

  struct Failure {
    int rounds = 0;
    std::string plan, what;
  };
  Failure attempt(Site& site, unsigned seed, std::optional<int> rounds) {
    Sequence sequence(site, environment_, seed, figures_);
    Failure failure{.rounds = rounds.value_or(sequence.rounds())};
    try {
      sequence.run(failure.rounds);
    } catch (std::exception const& problem) {
      failure.plan = sequence.plan_text();
      failure.what = problem.what();
      crew_.say("a sequence fails in " + std::to_string(failure.rounds) +
                " rounds: " + failure.what.substr(0, failure.what.find('\n')));
      site.make_another();
    }
    return failure;
  }

  Crew& crew_;
  SequenceOptions options_;
  Environment environment_;
  Figures figures_;
  std::atomic<int> next_;
};

}  // namespace

void run_sequences(Crew& crew, SequenceOptions const& options) { Sequences(crew, options).run(); }

}  // namespace runbookd::chaos
