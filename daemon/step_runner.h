// The asynchronous face of a target for one run. Owns two threads: hands, which make the blocking
// calls that the run asked for, and eyes, which look at locks meanwhile and cancel when told to.
// Used on the I/O thread only; answers come there too. One job at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/target/fence.h"
#include "daemon/target/procedures.h"
#include "planner/command.h"
#include "planner/outcome.h"
#include "planner/plan.h"
#include "planner/view.h"

namespace boost::asio {
class io_context;
}

namespace runbookd::daemon {

struct BaselineJob {
  AttemptTag tag;  // of no attempt: store and run
  planner::Plan const* plan = nullptr;
};
struct CheckJob {
  planner::CheckStage stage = planner::CheckStage::validation;
  int phase = 0;
  std::vector<int> which;
  std::vector<planner::Check> checks;
  planner::BaselineValues baselines;
};
// With a step: together with what takes it back, where only the target's catalog tells.
struct FingerprintJob {
  std::optional<planner::StepRef> way_back_of = {};
  std::vector<planner::Statement> statements = {};
};
// The run has ended: its row in the target's list of runs at work ends too.
struct FarewellJob {};
// Who holds the target? Asked after a start of the daemon for runs that are at rest, too.
struct ClaimJob {};
struct AttemptJob {
  AttemptTag tag;
  int since_attempt = 1;
  planner::Action const* action = nullptr;
  bool fingerprint_after = false;
  planner::Duration waited{};  // for its locks, since a person last decided
  planner::HandThrottles throttle = {};
};
struct DoubtJob {
  AttemptTag tag;
  int since_attempt = 1;
  planner::Action const* action = nullptr;
  bool fingerprint_after = false;
};
using Job = std::variant<BaselineJob, CheckJob, FingerprintJob, AttemptJob, DoubtJob, FarewellJob,
                         ClaimJob>;

struct Answer {
  std::optional<planner::Outcome> outcome;  // empty: the job was given up before it said anything
  std::vector<std::pair<std::string, std::string>> fingerprints;  // digest, body
  planner::TargetIdentity found = {};  // where the last session led; empty: nowhere
};

// What the journal says of the target: every new session is held against it before it is used.
struct Expected {
  planner::TargetIdentity target;  // empty: the run has not worked there yet
  std::vector<FinishedStep> finished;
  std::vector<KnownStep> known;
  std::string taken_from;  // id of the claim that a person lets us take over
};
// Reads the settings anew at each connect, so that a changed password or server needs no restart.
using TargetLookup = std::function<planner::Result<TargetSettings>()>;

class StepRunner {
 public:
  struct Callbacks {
    std::function<void(Answer)> answered;
    std::function<void()> seen;  // live() has changed
  };
  struct Access {
    TargetLookup target;
    std::shared_ptr<Fences> fences;
    std::string run, plan;
    std::string name;  // of our sessions in the server
  };
  StepRunner(boost::asio::io_context& io, Access access, Callbacks callbacks);
  ~StepRunner();

  bool busy() const;
  // Whoever watches over the job goes round. How long the job itself takes is no matter.
  bool fresh(std::chrono::steady_clock::time_point now) const;
  void start(Job job, Expected expected, double jitter);
  // Safe point: attempts end where it does no harm, checks are given up at once; a session that an
  // earlier attempt left behind goes to its end. Now: the statement is cancelled, and after a while
  // its backend is ended, be it ours or one left behind. May be called again; never weakens an
  // earlier call.
  void stop(planner::StopMode mode);
  // A person's word, also to what is under way; whoever runs no backfill does not heed it.
  void throttle(planner::HandThrottles hand);
  planner::Live const& live() const;

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;
};

}  // namespace runbookd::daemon
