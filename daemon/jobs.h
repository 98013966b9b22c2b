// What the hands thread does for each kind of job: straight-line, blocking, no shared state.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "daemon/step_runner.h"

namespace runbookd::daemon {

// The hands' session, opened when it is needed and thrown away when anything about it is in doubt.
class Hands {
 public:
  Hands(TargetLookup target, std::string name)
      : target_(std::move(target)), name_(std::move(name)) {}

  // The open session; `connected` is told its backend's pid.
  SqlResult<Session*> session();
  void discard() { session_.reset(); }
  // A plan's SQL ran on it: clean() takes back what that may have set, off the way of the answer.
  void used_by_plan() { to_clean_ = true; }
  void clean();

 private:
  TargetLookup target_;
  std::string name_;  // what the session is called in the server
  std::unique_ptr<Session> session_;
  bool to_clean_ = false;
};

struct JobContext {
  Hands& hands;
  std::stop_token stop;
  std::function<void(int pid)> working;  // our backend's pid, once there is one
  std::function<void(planner::Progress const&)> progress;
  // A session that an earlier attempt left behind still works: its pid, and what it does.
  std::function<void(int pid, std::string const& doing)> orphan;
  std::function<bool()> ending;  // what is found at work is being ended, not only waited for
  double jitter = 0.5;
};

Answer do_job(JobContext const& context, BaselineJob const& job);
Answer do_job(JobContext const& context, CheckJob const& job);
Answer do_job(JobContext const& context, FingerprintJob const& job);
Answer do_job(JobContext const& context, AttemptJob const& job);
Answer do_job(JobContext const& context, DoubtJob const& job);

}  // namespace runbookd::daemon
