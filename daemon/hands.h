// The session of a thread that works for a run, and the right to write there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

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
  void overtaken() { access_.fences->forget(target_name_); }
  // Another daemon that holds the target and may still live.
  SqlResult<std::optional<planner::ClaimHolder>> held_by(Session& session) {
    return access_.fences->holder(session, target_name_);
  }
  void check_out(Session& session);
  // Where the last session met another timeline than expected, and what of the run is there.
  std::optional<planner::FailoverSeen> failover();
  planner::TargetIdentity const& found() const { return found_; }
  // What is known of those who hold the locks of this series of attempts.
  std::shared_ptr<LockMemory> lock_memory(AttemptTag const& tag, int since_attempt,
                                          planner::LockPolicy const& policy);
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
  struct Remembered {
    planner::StepRef ref;
    int since_attempt = 0;
    std::shared_ptr<LockMemory> memory;
  } remembered_;
  bool listed_ = false;
  bool to_clean_ = false;
};

}  // namespace runbookd::daemon
