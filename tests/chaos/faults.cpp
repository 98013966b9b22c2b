#include "tests/chaos/faults.h"

#include <algorithm>
#include <csignal>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/chaos/bank.h"
#include "tests/chaos/matrix.h"
#include "tests/support/proxy.h"

namespace runbookd::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::PostgresCluster;
using testing::Proxy;
using testing::RunningDaemon;

constexpr auto effective_within = 3s;

// What the faults of one run work on.
struct Scene {
  PostgresCluster& cluster;
  Site const& site;
  Proxy& proxy;
  RunningDaemon const& daemon;
  std::mt19937& chance;

  std::chrono::milliseconds some(int least, int most) {
    return std::chrono::milliseconds(std::uniform_int_distribution<int>(least, most)(chance));
  }
  void hold(int least, int most) { std::this_thread::sleep_for(some(least, most)); }
};

template <typename Happened>
bool within_reason(Happened const& happened) {
  for (auto const end = Clock::now() + effective_within; Clock::now() < end;) {
    if (happened()) {
      return true;
    }
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

// Each gives whether anything felt it.

bool end_sessions(Scene& scene) {
  return scene.site.sql(
             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
             "WHERE application_name LIKE 'runbookd/%'") != "0";
}

bool restart_server(Scene& scene, PostgresCluster::Stop how) {
  scene.cluster.stop(how);
  scene.hold(0, 300);
  scene.cluster.start();
  return true;
}
bool restart(Scene& scene) { return restart_server(scene, PostgresCluster::Stop::fast); }
bool crash_server(Scene& scene) { return restart_server(scene, PostgresCluster::Stop::immediate); }

bool reset(Scene& scene) { return scene.proxy.reset() > 0; }

bool stall(Scene& scene) {
  auto const before = scene.proxy.held();
  scene.proxy.stall(true);
  bool const felt = within_reason([&] { return scene.proxy.held() > before; });
  scene.hold(10, 1500);
  scene.proxy.stall(false);
  return felt;
}

bool half_open(Scene& scene) { return scene.proxy.half_open() > 0; }

bool delay(Scene& scene) {
  auto const before = scene.proxy.moved();
  scene.proxy.delay(scene.some(5, 80));
  bool const felt = within_reason([&] { return scene.proxy.moved() > before; });
  scene.hold(100, 400);
  scene.proxy.delay(0ms);
  return felt;
}

bool freeze(Scene& scene) {
  ::kill(scene.daemon.pid(), SIGSTOP);
  scene.hold(10, 600);
  ::kill(scene.daemon.pid(), SIGCONT);
  return true;
}

bool kill_daemon(Scene& scene) {
  ::kill(scene.daemon.pid(), SIGKILL);
  return true;
}

struct Kind {
  char const* name;
  bool (*happen)(Scene&);
  int felt = 0;
};

class Faults {
 public:
  Faults(PostgresCluster& cluster, Crew& crew, FaultOptions options)
      : cluster_(cluster),
        crew_(crew),
        options_(options),
        chance_(options.seed),
        site_(cluster, "chaos_bank") {
    if (!options_.only.empty()) {
      std::erase_if(kinds_, [&](Kind const& kind) { return kind.name != options_.only; });
    }
    if (kinds_.empty()) {
      throw std::invalid_argument("there is no fault \"" + options_.only + "\"");
    }
  }

  void run() {
    auto const begin = Clock::now();
    auto const expected = undisturbed(banking(), site_);
    while (felt() < options_.faults && !crew_.ended()) {
      try {
        one_run(expected);
        ++runs_;
      } catch (std::exception const& problem) {
        crew_.failed("faults, seed " + std::to_string(options_.seed) + ", run " +
                     std::to_string(runs_ + 1) + ", after" + happened_ + "\n" + problem.what());
        return;
      }
    }
    tell(Clock::now() - begin);
  }

 private:
  void one_run(Undisturbed const& expected) {
    happened_.clear();
    Proxy proxy(cluster_.folder() + "/.s.PGSQL." + std::to_string(cluster_.port()));
    Trial trial(banking(), site_,
                site_.dsn() + " host=127.0.0.1 port=" + std::to_string(proxy.port()));
    Bank bank(site_.dsn(), 3);
    trial.disturb([&](RunningDaemon const& daemon) {
      Scene scene{cluster_, site_, proxy, daemon, chance_};
      disturb(scene);
    });
    for (auto const leg : {Leg::forward, Leg::backward}) {
      trial.carry_through(leg);
      if (leg == Leg::backward) {
        bank.stop();
      }
      trial.verify(leg, leg == Leg::forward ? expected.forward : expected.backward);
    }
    expect_moves(bank);
    trial.verify_end();
    moves_ += bank.moved();
    retries_ += trial.retries();
  }

  // One look in some gets a fault, so that work goes on between them.
  void disturb(Scene& scene) {
    constexpr double share = 0.02;
    if (felt() >= options_.faults || !std::bernoulli_distribution(share)(chance_)) {
      return;
    }
    auto& kind = kinds_[std::uniform_int_distribution<std::size_t>(0, kinds_.size() - 1)(chance_)];
    if (kind.happen(scene)) {
      ++kind.felt;
      happened_ += std::string(" ") + kind.name + ",";
    }
  }

  void expect_moves(Bank const& bank) const {
    auto const made = std::stoll(site_.sql("SELECT sum(moves) / 2 FROM bank"));
    if (made < bank.moved() || made > bank.moved() + bank.unsure()) {
      throw Violation("the application made " + std::to_string(bank.moved()) + " moves, and " +
                      std::to_string(bank.unsure()) + " it is not sure of; the table holds " +
                      std::to_string(made));
    }
  }

  int felt() const {
    int sum = 0;
    for (auto const& kind : kinds_) {
      sum += kind.felt;
    }
    return sum;
  }

  void tell(Clock::duration took) {
    std::string by_kind;
    std::string never;
    for (auto const& kind : kinds_) {
      by_kind +=
          std::string(by_kind.empty() ? "" : ", ") + kind.name + " " + std::to_string(kind.felt);
      never += kind.felt == 0 ? std::string(" ") + kind.name : "";
    }
    crew_.say("faults: " + std::to_string(felt()) + " over " + std::to_string(runs_) + " runs in " +
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(took).count()) +
              " s (" + by_kind + "), " + std::to_string(moves_) + " moves of the application, " +
              std::to_string(retries_) + " times told to go on, seed " +
              std::to_string(options_.seed));
    // by chance none of a kind: less than one in a thousand
    if (!never.empty() && options_.faults >= 8 * std::ssize(kinds_)) {
      crew_.failed("these faults were never felt:" + never);
    }
  }

  PostgresCluster& cluster_;
  Crew& crew_;
  FaultOptions options_;
  std::mt19937 chance_;
  Site site_;
  std::vector<Kind> kinds_{{"session ended", end_sessions},  {"server restarted", restart},
                           {"server crashed", crash_server}, {"connection reset", reset},
                           {"network stalled", stall},       {"connection half open", half_open},
                           {"network slow", delay},          {"daemon stopped", freeze},
                           {"daemon killed", kill_daemon}};
  std::string happened_;
  int runs_ = 0, retries_ = 0;
  long long moves_ = 0;
};

}  // namespace

void run_faults(PostgresCluster& cluster, Crew& crew, FaultOptions const& options) {
  Faults(cluster, crew, options).run();
}

}  // namespace runbookd::chaos
