#include "tests/chaos/matrix.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include <unistd.h>

#include "store/crash_point.h"

namespace runbookd::chaos {
namespace {

namespace fs = std::filesystem;

struct Death {
  std::string point;
  int visit = 1;
};

struct Case {
  Scenario const* scenario = nullptr;
  Leg leg{};
  Death first;
  std::string second;  // a point of the life after it, or empty
};

std::string to_text(Case const& one) {
  auto text = one.scenario->name + " " + to_text(one.leg) + ": " + one.first.point + ":" +
              std::to_string(one.first.visit);
  return one.second.empty() ? text : text + ", then " + one.second;
}

// The names of the points that a life passed, in their order; removed when read.
class Trace {
 public:
  Trace() {
    static std::atomic<int> made{0};
    path_ = (fs::temp_directory_path() /
             ("runbookd-trace-" + std::to_string(::getpid()) + "-" + std::to_string(++made)))
                .string();
  }
  ~Trace() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Trace(Trace const&) = delete;
  Trace& operator=(Trace const&) = delete;

  std::string variable() const { return "RUNBOOKD_CRASH_TRACE=" + path_; }
  std::vector<std::string> points() const {
    std::istringstream lines(testing::file_text(path_));
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) {
      all.push_back(line);
    }
    return all;
  }

 private:
  std::string path_;
};

struct Passed {
  Undisturbed facts;
  std::map<Leg, std::vector<std::string>> points;
};

Passed pass(Scenario const& scenario, Site& site) {
  Passed passed{.facts = by_hand(scenario, site)};
  Trial trial(scenario, site);
  for (auto const leg : {Leg::forward, Leg::backward}) {
    Trace const trace;
    // an interrupted scenario stops the daemon in order; what is passed after that counts as well
    while (trial.live(leg, {trace.variable()}) != Ending::reached) {
    }
    trial.verify(leg, leg == Leg::forward ? passed.facts.forward : passed.facts.backward);
    trial.kill();
    passed.points[leg] = trace.points();
  }
  trial.verify_end();
  return passed;
}

class Matrix {
 public:
  Matrix(Crew& crew, MatrixOptions options)
      : crew_(crew), options_(std::move(options)), chance_(options_.seed) {
    for (auto const& scenario : scenarios()) {
      if (options_.only.empty() || options_.only == scenario.name) {
        names_.push_back(&scenario);
      }
    }
  }

  void run() {
    undisturbed_runs();
    first_deaths();
    carry_out("deaths");
    second_deaths();
    carry_out("deaths in a recovery");
    drawn_pairs();
    carry_out("pairs of deaths");
    report();
  }

 private:
  void undisturbed_runs() {
    std::size_t next = 0;
    crew_.each([&](Site& site, int) {
      auto const* scenario = take(names_, next);
      if (scenario == nullptr) {
        return false;
      }
      guarded((*scenario)->name + ", undisturbed", site, [&] {
        auto passed = pass(**scenario, site);
        std::lock_guard const lock(crew_.mutex());
        passed_[*scenario] = std::move(passed);
      });
      return true;
    });
  }

  void first_deaths() {
    for (auto const& [scenario, passed] : passed_) {
      for (auto const& [leg, points] : passed.points) {
        std::map<std::string, int> visits;
        for (auto const& point : points) {
          if (++visits[point] <= options_.visits) {
            cases_.push_back({.scenario = scenario,
                              .leg = leg,
                              .first = {.point = point, .visit = visits[point]},
                              .second = ""});
          }
        }
      }
    }
  }
  // Points that no first life passes, each by the first death that leads to it.
  void second_deaths() {
    std::set<std::string> wanted;
    for (auto const& [first, points] : recoveries_) {
      for (auto const& point : points) {
        if (!died_at_.contains(point) && wanted.insert(point).second) {
          add_pair(first, point);
        }
      }
    }
  }
  void drawn_pairs() {
    if (options_.pairs == 0) {
      return;
    }
    for (auto const& [first, points] : recoveries_) {
      for (auto const& point : std::set<std::string>(points.begin(), points.end())) {
        add_pair(first, point);
      }
    }
    std::ranges::shuffle(cases_, chance_);
    if (options_.distinct) {
      std::set<std::pair<std::string, std::string>> seen;
      std::erase_if(cases_, [&](Case const& one) {
        return !seen.emplace(one.first.point, one.second).second;
      });
    }
    if (options_.pairs > 0 && std::ssize(cases_) > options_.pairs) {
      cases_.resize(static_cast<std::size_t>(options_.pairs));
    }
  }
  void add_pair(Case one, std::string const& second) {
    one.second = second;
    cases_.push_back(std::move(one));
  }

  void carry_out(std::string const& what) {
    constexpr std::size_t told_beforehand = 1'000;
    std::size_t next = 0;
    int const before = deaths_;
    auto const all = cases_.size();
    if (all > told_beforehand) {
      crew_.say(what + ": " + std::to_string(all) + " cases to go");
    }
    crew_.each([&](Site& site, int) {
      auto const* one = take(cases_, next);
      if (one != nullptr) {
        guarded(to_text(*one), site, [&] { carry_out(*one, site); });
      }
      return one != nullptr;
    });
    cases_.clear();
    crew_.say(what + ": " + std::to_string(all) + " cases, " + std::to_string(deaths_ - before) +
              " deaths");
  }

  void carry_out(Case const& one, Site& site) {
    Trial trial(*one.scenario, site);
    if (one.leg == Leg::backward) {
      trial.carry_through(Leg::forward);
      trial.kill();
    }
    auto const visit = one.first.point + ":" + std::to_string(one.first.visit);
    bool const died = dies(trial, one.leg, {"RUNBOOKD_CRASH=" + visit}, one.first.point);
    if (died && one.second.empty()) {
      Trace const trace;
      while (trial.live(one.leg, {trace.variable()}) != Ending::reached) {
      }
      std::lock_guard const lock(crew_.mutex());
      recoveries_.emplace_back(one, trace.points());
    } else if (died) {
      if (dies(trial, one.leg, {"RUNBOOKD_CRASH=" + one.second}, one.second)) {
        std::lock_guard const lock(crew_.mutex());
        pairs_.emplace(one.first.point, one.second);
      }
    }
    trial.carry_through(one.leg);
    auto const& facts = passed_.at(one.scenario).facts;
    trial.verify(one.leg, one.leg == Leg::forward ? facts.forward : facts.backward);
    trial.verify_end();
  }
  // An orderly stop on the way is followed by another life with the same wish.
  bool dies(Trial& trial, Leg leg, Environment const& environment, std::string const& point) {
    auto end = trial.live(leg, environment);
    while (end == Ending::stopped) {
      end = trial.live(leg, environment);
    }
    // some points lie after the end that a person sees
    if (end == Ending::reached && trial.dies_after_all()) {
      end = Ending::killed;
    } else if (end == Ending::reached) {
      trial.kill();  // on a slow machine it may be about to die, and the verdict wants to ask it
    }
    std::lock_guard const lock(crew_.mutex());
    if (end == Ending::killed) {
      ++deaths_;
      died_at_.insert(point);
    } else {
      ++survived_;
    }
    return end == Ending::killed;
  }

  void report() {
    int missed = 0;
    for (auto const& point : store::crash_points) {
      if (options_.only.empty() && !died_at_.contains(std::string(point.name))) {
        ++missed;
        crew_.failed("no daemon died at " + std::string(point.name) + ": " +
                     std::string(point.meaning));
      }
    }
    crew_.say("matrix: " + std::to_string(died_at_.size()) + " of " +
              std::to_string(store::crash_points.size()) + " points, " + std::to_string(deaths_) +
              " deaths, " + std::to_string(pairs_.size()) + " ordered pairs of points, " +
              std::to_string(survived_) + " lives that did not pass their point again, " +
              std::to_string(missed) + " points missed");
  }

  template <typename Item>
  Item const* take(std::vector<Item> const& items, std::size_t& next) {
    std::lock_guard const lock(crew_.mutex());
    return next < items.size() ? &items[next++] : nullptr;
  }
  template <typename Work>
  void guarded(std::string const& what, Site& site, Work const& work) {
    try {
      work();
    } catch (std::exception const& problem) {
      crew_.failed(what + "\n" + problem.what());
      site.make_another();
    }
  }

  Crew& crew_;
  MatrixOptions options_;
  std::mt19937 chance_;
  std::vector<Scenario const*> names_;
  std::map<Scenario const*, Passed> passed_;
  std::vector<Case> cases_;
  std::vector<std::pair<Case, std::vector<std::string>>> recoveries_;
  std::set<std::string> died_at_;
  std::set<std::pair<std::string, std::string>> pairs_;
  int deaths_ = 0, survived_ = 0;
};

}  // namespace

Undisturbed undisturbed(Scenario const& scenario, Site& site) { return pass(scenario, site).facts; }

void run_matrix(Crew& crew, MatrixOptions const& options) { Matrix(crew, options).run(); }

}  // namespace runbookd::chaos
