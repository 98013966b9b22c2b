// One random plan and what people and deaths do to its run: drawn from one number, so that it can
// be had again (as far as real threads, processes and servers let it).
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "tests/chaos/operators.h"
#include "tests/chaos/trial.h"

namespace runbookd::chaos {

// Of all sequences of a session.
struct Figures {
  std::atomic<int> sequences{0}, deaths{0}, commands{0}, refused{0}, unheard{0}, events{0},
      pauses{0}, gates_shut{0};
};

class Sequence {
 public:
  // `environment`: of each life of the daemon.
  Sequence(Site& site, Environment environment, unsigned seed, Figures& figures);

  int rounds() const { return rounds_; }
  std::string plan_text() const { return plan_.document.dump(2) + "\n" + plan_.setup; }
  // The first so many rounds, an end, and the judgement. Throws Violation.
  void run(int rounds);

 private:
  void start(Environment const& more = {});
  void kill(Environment const& next = {});
  void revive();
  void expect_killed();
  void round();
  void break_at_gate(json const& run);
  void race(std::optional<std::chrono::milliseconds> kill_after);
  void ask_some(std::mt19937::result_type seed, int asks);
  void expect_rest_where_paused();
  void come_to_rest();
  bool is_over(json const& run, bool back) const;
  std::vector<nlohmann::json> read_events();
  void judge_all();

  Site& site_;
  Environment environment_;
  std::mt19937 chance_;
  Figures& figures_;
  RandomPlan plan_;
  int rounds_;
  testing::RunningDaemon daemon_;
  std::string id_;
  std::optional<Operators> operators_;
  std::mutex mutex_;
  std::string trouble_;  // of any of several people; guarded by mutex
};

}  // namespace runbookd::chaos
