// What the hands thread does for each kind of job: straight-line, blocking, no shared state.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "daemon/hands.h"
#include "daemon/step_runner.h"

namespace runbookd::daemon {

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
  std::stop_token waits_end;  // whatever only waits is not to wait on
  std::function<void(LockStanding const&)> standing;
  std::function<bool()> ending;  // what is found at work is being ended, not only waited for
  double jitter = 0.5;
};

Answer do_job(JobContext const& context, BaselineJob const& job);
Answer do_job(JobContext const& context, CheckJob const& job);
Answer do_job(JobContext const& context, FingerprintJob const& job);
Answer do_job(JobContext const& context, AttemptJob const& job);
Answer do_job(JobContext const& context, DoubtJob const& job);
Answer do_job(JobContext const& context, FarewellJob const& job);
Answer do_job(JobContext const& context, ClaimJob const& job);

}  // namespace runbookd::daemon
