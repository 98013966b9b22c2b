// The real runbookd, started on a folder of its own, and short ways to ask it things over its real
// API.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

namespace runbookd::testing {

using nlohmann::json;

struct Reply {
  int status = 0;
  json body;
  std::map<std::string, std::string> headers;
};

struct DaemonOptions {
  std::map<std::string, std::string> targets;  // name -> DSN
  std::string more_settings;                   // further YAML at the top level
  std::string store_settings;                  // further YAML under store:, indented by two
  std::string also_listen;                     // "127.0.0.1:PORT", beside its socket
  bool start = true;                           // false: only the folder is made
};

class RunningDaemon {
 public:
  explicit RunningDaemon(DaemonOptions options);
  ~RunningDaemon();  // ends it by SIGKILL if it still runs, and removes the folder
  RunningDaemon(RunningDaemon const&) = delete;
  RunningDaemon& operator=(RunningDaemon const&) = delete;

  void start();  // and waits until it answers
  // With more environment ("NAME=value"); false if it died by a signal before it answered.
  bool try_start(std::vector<std::string> const& environment);
  // The process alone, without waiting for an answer.
  void launch(std::vector<std::string> const& environment);
  bool alive() const;  // a dead one stays to be waited for
  void kill();         // SIGKILL, and waits until it is gone
  int terminate();     // SIGTERM; the exit code
  int wait_for_end();  // the exit code, or 128 + signal
  void restart() {
    kill();
    start();
  }
  pid_t pid() const { return pid_; }
  std::string const& folder() const { return folder_; }
  std::string store_path() const { return folder_ + "/runbookd.db"; }
  std::string socket() const { return "unix:" + folder_ + "/runbookd.sock"; }
  std::string log() const;

  Reply get(std::string const& path) const;
  Reply post(std::string const& path, json const& body = json::object(),
             std::string const& actor = "ana", std::string const& more_headers = "") const;
  Reply post_text(std::string const& path, std::string const& text, std::string const& type) const;
  // The bytes of an event stream until `enough` says so or the stream ends.
  std::string stream(std::string const& path, std::string const& more_headers,
                     std::function<bool(std::string const&)> const& enough) const;

  // --- a run's life; each throws with the daemon's answer and log when it is not as expected
  std::string upload(std::string const& plan_text);
  std::string create(std::string const& plan_text, std::string const& target = "main",
                     std::string const& actor = "ana");
  json run(std::string const& id) const;
  json verb(std::string const& id, std::string const& verb, json const& body = json::object(),
            std::string const& actor = "ana");
  // Polls until the run is in one of the states; throws after two minutes.
  json until(std::string const& id, std::vector<std::string> const& states) const;
  json until(std::string const& id, std::function<bool(json const&)> const& condition,
             std::string const& what) const;
  std::vector<json> events(std::string const& id) const;

 private:
  DaemonOptions options_;
  std::string folder_;
  pid_t pid_ = 0;
};

// Runs a program to its end, without a terminal.
struct Finished {
  int exit_code = 0;
  std::string out, err;
};
Finished run_program(std::vector<std::string> const& command, std::string const& input = "");
// The built programs.
std::string runbookd_program();
std::string runbookctl_program();
std::string source_folder();
std::string file_text(std::string const& path);

}  // namespace runbookd::testing
