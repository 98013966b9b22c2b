// One run: the loop around the pure machine. Facts and commands become events, events are made
// durable, and only then is the machine's intent acted upon. Lives on the I/O thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/chance.h"
#include "daemon/clock.h"
#include "daemon/recorder.h"
#include "daemon/step_runner.h"
#include "planner/machine.h"
#include "planner/view.h"

namespace runbookd::daemon {

// What every conductor needs from the house.
struct House {
  boost::asio::io_context& io;
  Clock& clock;
  Chance& chance;
  Recorder& recorder;
  store::Journal& journal;
  std::string store_id;
  std::shared_ptr<Fences> fences;
  std::function<planner::Result<TargetSettings>(std::string const& target)> target;
  // Why the run may not work in that database; empty where it may.
  std::function<std::string(planner::RunId const&, planner::TargetIdentity const&)> taken;
  std::function<void(planner::RunId const&)> grown;  // new events, or a new live line
  std::function<void(planner::RunId const&, planner::Event const&, std::string const& label)> log;
};

class Conductor : public std::enable_shared_from_this<Conductor> {
 public:
  // A run as the journal tells it; `events` from the first on.
  Conductor(House& house, planner::RunId id, std::shared_ptr<planner::Plan const> plan,
            planner::Events const& events);

  // Durable when it returns well. Stopping is acted on first, and recorded late (and marked so) if
  // the store takes no events.
  planner::Result<void> submit(planner::Command const& command);
  // The state that it would lead to; nothing is done.
  planner::Result<planner::RunMode> tried(planner::Command const& command) const;
  // A remark; durable when it returns well.
  planner::Result<void> note(std::string const& actor, std::string const& text);
  // After a start of the daemon: what was under way is settled.
  void recover();
  // Nothing of ours is under way and nothing waits to be written.
  bool quiet() const { return pending_ == 0 && (!runner_ || !runner_->busy()); }
  bool fresh(std::chrono::steady_clock::time_point now) const {
    return !runner_ || runner_->fresh(now);
  }
  // Gives up whatever is under way. For the end of the program.
  void let_go() { runner_.reset(); }

  planner::RunId const& id() const { return id_; }
  // With the ways back that were written meanwhile.
  planner::Plan const& plan() const { return *written_; }
  planner::RunState const& state() const { return state_; }
  planner::History const& history() const { return history_; }
  planner::RunFacts facts() const;
  store::RunSummary summary() const;
  // What a look at the target before a phase has found: shown, and no more.
  void seen_before_phase(planner::PreflightSeen seen);
  planner::EventSeq live_changes() const { return live_changes_; }

 private:
  void learn(planner::Outcome const& outcome, Answer answer);
  void record(planner::Events events, Answer const& answer);
  planner::Events absorb(planner::Events events);
  void write_ways_back();
  store::Append append_of(planner::EventSeq before, planner::Events events,
                          Answer const& answer) const;
  planner::Result<void> record_asked(planner::Events events);
  planner::Result<void> stop_first(planner::Ask const& ask, planner::Events events);
  void record_soon(store::Append append);
  void stop_meanwhile();
  void act();
  void go_on();
  void act(planner::DoNothing const& wanted);
  void act(planner::WaitUntil const& wanted);
  void act(planner::RecordBaselines const& wanted);
  void act(planner::RunChecks const& wanted);
  void act(planner::TakeFingerprint const& wanted);
  void act(planner::RunStep const& wanted);
  void act(planner::ResolveDoubt const& wanted);
  void act(planner::Quiesce const& wanted);
  void start(Job job);
  void wake_at(planner::Moment moment);
  void answered(Answer answer);
  void look_who_is_there(planner::BaselinesRead& read);
  AttemptTag tag(planner::StepRef ref, planner::Direction direction, int attempt) const;
  bool fingerprint_after(planner::StepRef ref, planner::Direction direction) const;
  Expected expected() const;
  void add_difference(planner::Outcome& outcome, Answer const& answer) const;
  // Empty until both bodies are durable.
  std::string const& mismatch_diff() const;

  House& house_;
  planner::RunId id_;
  std::shared_ptr<planner::Plan const> plan_;     // as it was stored: what the machine decides by
  std::shared_ptr<planner::Plan const> written_;  // what is carried out and shown
  planner::RunState state_;
  planner::History history_;
  std::unique_ptr<StepRunner> runner_;
  std::unique_ptr<Alarm> alarm_;
  int pending_ = 0;  // appends that are not durable yet: nothing is acted on before they are
  bool checks_announced_ = false;
  // the run has ended, or its start came to nothing, and the target does not know yet
  bool farewell_due_ = false;
  planner::EventSeq live_changes_ = 0;
  std::optional<planner::PreflightSeen> preflight_;
  struct ShownMismatch {
    std::string expected, actual, diff;
  };
  mutable ShownMismatch shown_mismatch_;  // so that readers do not compare large schemas each time
};

}  // namespace runbookd::daemon
