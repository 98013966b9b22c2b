// One plan on one fresh target, carried forward and back over as many lives of the daemon as it
// takes; and the judgement of what is left at each end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/chaos/scenario.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/running_daemon.h"

namespace runbookd::chaos {

using testing::json;
using Environment = std::vector<std::string>;

// A promise that was not kept.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A database that one trial after the other works on.
class Site {
 public:
  Site(testing::PostgresCluster& cluster, std::string name);
  void renew();         // empties it
  void make_another();  // leaves it as it is, to be looked at, and goes on in a new one
  std::string sql(std::string const& text) const { return cluster_.sql(database_, text); }
  std::string dsn() const { return cluster_.dsn(database_); }
  void expect_no_backend() const;  // of ours, in a moment; throws Violation
  // Now, by sessions of ours: no lock on a table of the plan, no transaction that writes.
  void expect_nothing_held() const;

 private:
  testing::PostgresCluster& cluster_;
  std::string name_, database_;
  int made_ = 0;
};

enum class Leg { forward, backward };
char const* to_text(Leg leg);

enum class Ending { reached, killed, stopped };  // stopped: in order, by SIGTERM

class Trial {
 public:
  // `dsn`: another way to the site, through a network that fails.
  Trial(Scenario const& scenario, Site& site, std::string const& dsn = "");

  // One life of the daemon (a new one where it is dead), driven as a person would, until the leg's
  // end or its own. Throws Violation where something happens that no crash excuses.
  Ending live(Leg leg, Environment const& environment = {},
              std::optional<std::chrono::milliseconds> kill_after = {});
  // As many lives as it takes.
  void carry_through(Leg leg);
  void kill();
  // The leg's end was reached; whether the daemon dies within a second.
  bool dies_after_all();
  // Called between looks while the run is at work. The target may then be away for a while: a run
  // that fails for it is told to go on.
  void disturb(std::function<void(testing::RunningDaemon const&)> how) {
    disturb_ = std::move(how);
  }
  int retries() const { return retries_; }  // how often it was told to

  // At the leg's end, with the daemon alive. `expected`: what an undisturbed run left.
  void verify(Leg leg, std::string const& expected);
  // After the last leg; ends the daemon.
  void verify_end();

  std::string facts() const { return site_.sql(target_facts); }
  std::string log_end() const;

 private:
  bool step(Leg leg);
  void find_or_create();
  void answer_wait(json const& run);
  bool interrupt(json const& run);
  void go_on_after_failure(json const& run, Leg leg);
  Ending ending_of(int exit_code, bool killer) const;
  std::string markers_missing(json const& run, Leg leg) const;
  void verify_events() const;

  Scenario const& scenario_;
  Site& site_;
  testing::RunningDaemon daemon_;
  std::string run_, digest_, last_seen_;
  std::string first_facts_;
  std::chrono::steady_clock::time_point last_progress_;
  std::function<void(testing::RunningDaemon const&)> disturb_;
  int retries_ = 0;
  bool running_ = false, paused_ = false, terminated_ = false, repaired_ = false;
};

}  // namespace runbookd::chaos
