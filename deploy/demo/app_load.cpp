// A small application on the example database, so that a migration has somebody to get in the way
// of.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <deque>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>

#include "deploy/demo/load_application.h"
#include "deploy/demo/load_options.h"
#include "deploy/demo/load_statistics.h"

namespace runbookd::demo {
namespace {

using SteadyClock = std::chrono::steady_clock;

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

AppVersion deployed_version(std::string const& path, AppVersion otherwise) {
  std::string word;
  std::ifstream(path) >> word;
  for (auto const version : {AppVersion::v1, AppVersion::v2, AppVersion::v3}) {
    if (word == name_of(version)) {
      return version;
    }
  }
  return otherwise;
}

// One connection and the thread that uses it.
struct Lane {
  Lane(std::string const& dsn, unsigned seed) : application(dsn, seed) {}

  LoadApplication application;
  std::atomic<AppVersion> version = AppVersion::v1;  // of the last transaction that ended
  std::thread thread;
};

class Load {
 public:
  explicit Load(LoadOptions options) : options_(std::move(options)) {
    deployed_ = deployed_version(options_.app_file, AppVersion::v1);
    for (int n = 0; n < options_.connections; ++n) {
      lanes_.emplace_back(options_.dsn, static_cast<unsigned>(n) + 1);
    }
  }

  // Empty: all connections stand.
  std::string connect() {
    for (auto& lane : lanes_) {
      if (auto problem = lane.application.connect(); !problem.empty()) {
        return problem;
      }
    }
    known_ = lanes_.front().application.look_around();
    if (known_.last_user == 0 || known_.last_account == 0) {
      return "the tables users and accounts are missing or empty\n";
    }
    return {};
  }

  void start() {
    auto const begin = SteadyClock::now();
    auto const apart = std::chrono::duration_cast<SteadyClock::duration>(
        std::chrono::duration<double>(1 / options_.rate));
    auto const period = apart * options_.connections;
    for (auto due = begin; auto& lane : lanes_) {
      lane.version = deployed_.load();
      lane.thread = std::thread([this, &lane, due, period] { work(lane, due, period); });
      due += apart;
    }
  }

  void read_app_file() { deployed_ = deployed_version(options_.app_file, deployed_); }

  void stop() {
    stopping_ = true;
    for (auto& lane : lanes_) {
      lane.application.cancel();
    }
    for (auto& lane : lanes_) {
      lane.thread.join();
    }
  }

  std::string summary() const { return statistics_.summary(name_of(oldest_version())); }

  // Written beside and renamed, so that a reader never sees half of it.
  void write_status() const {
    if (options_.status_file.empty()) {
      return;
    }
    auto const beside = options_.status_file + ".new";
    std::ofstream(beside) << summary();
    if (std::rename(beside.c_str(), options_.status_file.c_str()) != 0) {
      std::cerr << "runbookd-demo-load: cannot write " << options_.status_file << '\n';
    }
  }

 private:
  // Each transaction has its moment. After a wait the missed ones follow at once, and each counts
  // the time since it was due: what a user of the application would have waited.
  void work(Lane& lane, SteadyClock::time_point due, SteadyClock::duration period) {
    for (; !stopping_; due += period) {
      std::this_thread::sleep_until(due);
      auto const version = deployed_.load();
      auto transaction = lane.application.transact(version, known_);
      if (stopping_) {
        return;  // it may have been cancelled by our own stop()
      }
      lane.version = version;
      auto const took = SteadyClock::now() - due;
      transaction.took = std::chrono::duration_cast<std::chrono::microseconds>(took);
      transaction.due = std::chrono::system_clock::now() - transaction.took;
      statistics_.record(transaction);
    }
  }

  // A deployment is complete when no connection works in the old manner any more.
  AppVersion oldest_version() const {
    auto const deployed = deployed_.load();
    for (auto const& lane : lanes_) {
      if (auto const version = lane.version.load(); version != deployed) {
        return version;
      }
    }
    return deployed;
  }

  LoadOptions options_;
  KnownRows known_;
  LoadStatistics statistics_;
  std::deque<Lane> lanes_;
  std::atomic<AppVersion> deployed_ = AppVersion::v1;
  std::atomic<bool> stopping_ = false;
};

int run(LoadOptions const& options) {
  auto const signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Load load(options);
  if (auto const problem = load.connect(); !problem.empty()) {
    std::cerr << "runbookd-demo-load: cannot start: " << problem;
    return 1;
  }
  load.start();
  timespec const tick{.tv_sec = 0, .tv_nsec = 100'000'000};
  for (int ticks = 0; sigtimedwait(&signals, nullptr, &tick) == -1; ++ticks) {
    load.read_app_file();
    if (ticks % 10 == 0) {
      load.write_status();
    }
  }
  load.stop();
  load.write_status();
  std::cout << load.summary();
  return 0;
}

}  // namespace
}  // namespace runbookd::demo

int main(int count, char** words) {
  auto const line = runbookd::demo::read_command_line(count, words);
  return line.exit_status ? *line.exit_status : runbookd::demo::run(line.options);
}
