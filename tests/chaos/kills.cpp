#include "tests/chaos/kills.h"

#include <atomic>
#include <random>
#include <stdexcept>

#include "tests/chaos/matrix.h"

namespace runbookd::chaos {
namespace {

using Clock = std::chrono::steady_clock;

// A backfill was begun and has not come to its end.
constexpr auto is_filling = R"sql(
  SELECT CASE WHEN to_regclass('runbookd.backfill') IS NULL THEN 0 ELSE
    (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM runbookd.backfill WHERE NOT done', false, true, '')))[1]::text::int
  END
)sql";

class Kills {
 public:
  Kills(Crew& crew, KillOptions const& options)
      : crew_(crew), options_(options), scenario_(options.only.empty() ? mixed() : fills()) {
    if (!options.only.empty() && options.only != scenario_.name) {
      throw std::invalid_argument("kills know no scenario \"" + options.only + "\" but " +
                                  scenario_.name);
    }
  }

  void run() {
    auto const begin = Clock::now();
    crew_.each([this](Site& site, int worker) {
      work(site, worker);
      return false;
    });
    auto const seconds =
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count();
    crew_.say("random kills: " + std::to_string(kills_) + " kills (" + std::to_string(filling_) +
              " of them within a backfill) over " + std::to_string(runs_) + " runs in " +
              std::to_string(seconds) + " s, seed " + std::to_string(options_.seed));
  }

 private:
  void work(Site& site, int worker) {
    std::mt19937 chance(options_.seed * 1000 + static_cast<unsigned>(worker));
    auto const expected = undisturbed(scenario_, site);
    while (wanted()) {
      try {
        one_run(site, expected, chance);
        ++runs_;
      } catch (std::exception const& problem) {
        crew_.failed("random kills, seed " + std::to_string(options_.seed) + ", worker " +
                     std::to_string(worker) + "\n" + problem.what());
        site.make_another();
      }
    }
  }
  void one_run(Site& site, Undisturbed const& expected, std::mt19937& chance) {
    Trial trial(scenario_, site);
    for (auto const leg : {Leg::forward, Leg::backward}) {
      while (trial.live(leg, {}, moment(chance)) != Ending::reached) {
        ++kills_;
        filling_ += site.sql(is_filling) != "0" ? 1 : 0;
      }
      trial.verify(leg, leg == Leg::forward ? expected.forward : expected.backward);
    }
    trial.verify_end();
  }
  // Nothing once there were enough: the run is then brought to its end in peace.
  std::optional<std::chrono::milliseconds> moment(std::mt19937& chance) {
    if (!wanted()) {
      return std::nullopt;
    }
    return std::chrono::milliseconds(
        std::uniform_int_distribution<int>(1, options_.within_ms)(chance));
  }
  bool wanted() const {
    if (crew_.ended()) {
      return false;
    }
    return options_.minutes ? Clock::now() < begin_ + *options_.minutes : kills_ < options_.kills;
  }

  Crew& crew_;
  KillOptions options_;
  Scenario const& scenario_;
  Clock::time_point begin_ = Clock::now();
  std::atomic<int> kills_{0}, runs_{0}, filling_{0};
};

}  // namespace

void run_kills(Crew& crew, KillOptions const& options) { Kills(crew, options).run(); }

}  // namespace runbookd::chaos
