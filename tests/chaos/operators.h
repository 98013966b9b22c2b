// People who all work on one run at once, each over a connection of their own: they look, ask for
// something that may or may not fit, look again, and everything is written down.
#pragma once

#include <atomic>
#include <random>
#include <string>

#include "tests/chaos/history.h"
#include "tests/chaos/random_plan.h"
#include "tests/support/running_daemon.h"

namespace runbookd::chaos {

struct Wish {
  std::string verb;
  nlohmann::json body = nlohmann::json::object();
};

class Operators {
 public:
  Operators(testing::RunningDaemon const& daemon, RandomPlan const& plan, std::string run);

  // The run as it is shown; nothing where the daemon does not answer.
  std::optional<nlohmann::json> look();
  // Something that mostly leads on, sometimes fits and sometimes is nonsense.
  void ask_anything(std::mt19937& chance);
  // The status of the answer; 0 = none was heard.
  int ask(Wish const& wish, std::mt19937& chance);

  Heard const& heard() const { return history_.heard(); }

 private:
  Wish leading_on(nlohmann::json const& run, std::mt19937& chance) const;
  Wish any(std::mt19937& chance) const;
  std::string any_label(std::mt19937& chance) const;
  std::string any_phase(std::mt19937& chance) const;

  testing::RunningDaemon const& daemon_;
  RandomPlan const& plan_;
  std::string run_;
  History history_;
  std::atomic<int> asked_{0};
};

// What a person answers to a run that waits, is paused or has failed; an empty verb where it goes
// on by itself.
Wish next_wish(nlohmann::json const& run);

}  // namespace runbookd::chaos
