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
  // `patience`: with the answers that nobody else looks after.
  Hands(StepRunner::Access access, std::string name, planner::Duration patience)
      : access_(std::move(access)), name_(std::move(name)), patience_(patience) {}

  // What every session opened from now on is held against.
  void expect(Expected expected) { expected_ = std::move(expected); }
  // The open session. A new one is looked at before anything is sent over it.
  SqlResult<Session*> session();
  // One more, for the caller alone, held against the same expectations. On any thread while a job
  // is under way.
  SqlResult<std::unique_ptr<Session>> another() const;
  // The right to write: the fence claimed, the run in the target's list. Once per session it costs
  // a question, afterwards nothing.
  SqlResult<FenceClaim> check_in(Session& session, AttemptTag tag);
  void overtaken() { access_.fences->overtaken(target_name_); }
  void check_out(Session& session);
  // Where the last session met another timeline than expected, and what of the run is there.
  std::optional<planner::FailoverSeen> failover();
  planner::TargetIdentity const& found() const { return found_; }
  void discard() { session_.reset(); }
  // A plan's SQL ran on it: clean() takes back what that may have set, off the way of the answer.
  void used_by_plan() { to_clean_ = true; }
  void clean();

 private:
  StepRunner::Access access_;
  std::string name_;  // of our sessions
  planner::Duration patience_;
  std::string target_name_;
  Expected expected_;
  planner::TargetIdentity found_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Session> moved_;  // on the other timeline
  bool listed_ = false;
  bool to_clean_ = false;
};

struct JobContext {
  Hands& hands;
  std::stop_token stop;
  std::function<void(Session const&)> working;       // our session, once there is one
  std::function<void(Session const&)> also_working;  // one more beside it; on any thread
  std::function<void(planner::Progress const&)> progress;
  // Before each batch of a backfill; empty: the plan's own pause is all.
  std::function<planner::Pace(planner::LastBatch const&)> pace;
  // A session that an earlier attempt left behind still works: its pid, and what it does.
  std::function<void(int pid, std::string const& doing)> orphan;
  // The target cannot be reached, for this reason; empty: it is.
  std::function<void(std::string const& why)> unreachable;
  std::function<bool()> waits_end;  // whatever only waits is not to wait on
  std::function<bool()> ending;     // what is found at work is being ended, not only waited for
  double jitter = 0.5;
};

Answer do_job(JobContext const& context, BaselineJob const& job);
Answer do_job(JobContext const& context, CheckJob const& job);
Answer do_job(JobContext const& context, FingerprintJob const& job);
Answer do_job(JobContext const& context, AttemptJob const& job);
Answer do_job(JobContext const& context, DoubtJob const& job);
Answer do_job(JobContext const& context, FarewellJob const& job);

}  // namespace runbookd::daemon
