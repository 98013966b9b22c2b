// Plan + what happened -> the JSON that the API shows. Pure; the only place that spells a run for
// people.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "planner/access.h"
#include "planner/event.h"
#include "planner/lock_tree.h"
#include "planner/machine.h"
#include "planner/pacing.h"
#include "planner/plan.h"
#include "planner/preflight.h"
#include "planner/server_work.h"
#include "planner/state.h"
#include "planner/throttle.h"

namespace runbookd::planner {

// One try of a step, as told by events.
struct Attempt {
  int number = 1;
  Direction direction = Direction::forward;
  // running, succeeded, retry_scheduled, failed, interrupted, lost, mismatch; skipped and accepted
  // (the schema that a reversal left) have number 0: nothing was tried
  std::string result = "running";
  Moment started{}, ended{};
  Duration took{}, lock_wait{};
  std::int64_t rows = -1;
  std::optional<Filled> filled;
  std::optional<SqlFailure> failure;
  std::vector<Blocker> blockers;
  std::optional<Behind> behind;
  std::string note, actor, reason;
};
struct SeenCheck {  // by its place in the plan
  CheckStage stage = CheckStage::validation;
  int phase = 0;
  int index = 0;
  CheckResult result;
  Moment at{};
};
struct Note {
  Moment at{};
  std::string actor, text;
};
struct OverrideMade {
  Overridden what;
  std::string by, comment;  // of the second person
  Moment at{};
};
// What the state leaves out because no decision needs it. Folded beside it, from the same events.
struct History {
  EventSeq revision = 0;
  EventSeq acted = 0;  // the last revision that is more than a remark
  Moment created{}, state_since{}, last_change{}, quiesced_at{};
  std::string creator, note, target, last_actor, last_reason;
  PlanDigest digest;
  BaselineValues baselines;
  Findings findings;  // that the target made at the last start
  std::vector<std::vector<std::vector<Attempt>>> attempts;  // by phase, step
  std::vector<SeenCheck> checks;                            // the last result of each
  std::map<int, std::vector<std::string>> approvals;        // by phase
  std::vector<Note> notes;
  std::vector<OverrideMade> overrides;
  std::map<StepRef, std::string> ways_back;  // SQL that the catalog told before the step
  std::string problem;     // why it failed, paused by itself or needs attention; one sentence
  std::string details;     // what belongs to the problem and is no sentence: lines
  std::string because;     // who let it come to rest and why: " by ana: p99 is up", or empty
  std::string going_back;  // who began the last rollback and why; empty: the plan did
  std::string cause;       // the failure that the last rollback was begun after; one sentence
  std::string mismatch_expected, mismatch_actual;
};
void remember(Plan const& plan, History& history, RunState const& before, RunState const& after,
              Event const& event);

// The last look at the target before a phase.
struct PreflightSeen {
  Preflight preflight;
  Moment taken{};
};

// What the daemon sees but does not store.
struct Live {
  std::string activity;           // acquiring_lock, executing, backfilling, backing_off, verifying
  std::vector<Blocker> blockers;  // of our session, now
  int backend_pid = 0;
  Duration waiting{};              // for the lock, now
  std::optional<Behind> behind;    // who waits for us, now
  std::optional<ServerWork> work;  // of a statement that takes its time
  std::optional<PreflightSeen> preflight;
  std::optional<Progress> progress;
  std::optional<Throttling> throttling;  // of a backfill, and who slows it
  bool store_degraded = false;
  std::string mismatch_diff;  // of the two schemas of a mismatch, for people; may be empty
  std::string unreachable;    // why the target cannot be reached, while that is waited for
  std::string orphan;         // a session of an earlier attempt that still works, and what it does
};

struct RunFacts {
  RunId id;
  Plan const* plan = nullptr;
  RunState const* state = nullptr;
  History const* history = nullptr;
  Live live;
  HouseRules house = {};              // of the daemon, and of the run's target
  Principal const* caller = nullptr;  // who looks: for `actions`; nobody: by the state alone
};

std::string run_json(RunFacts const& facts, Moment now);
std::string steps_json(RunFacts const& facts);
std::string step_json(RunFacts const& facts, StepRef ref);  // with SQL, way back and attempts
std::string attempts_json(RunFacts const& facts, StepRef ref);
std::string phases_json(RunFacts const& facts);
// What stands in front of each phase, and what of it is met.
std::string gates_json(RunFacts const& facts, Moment now);
// Refused where there is no way back so far; says so where only the state keeps it from being
// taken.
Result<std::string> rollback_preview_json(RunFacts const& facts, RollBack const& ask, Moment now);
// With lint's findings, or with those that the caller has.
std::string plan_json(Plan const& plan, PlanDigest const& digest, std::string const& canonical);
std::string plan_json(Plan const& plan, PlanDigest const& digest, std::string const& canonical,
                      Findings const& findings);
std::string findings_json(Findings const& findings);  // a list
std::string event_json(Plan const& plan, RunId const& run, EventSeq seq, Event const& event);
std::string progress_json(RunId const& run, std::string const& step, Live const& live, Moment now);

// One sentence: what it is doing or waiting for, and the command that moves it.
std::string state_message(RunFacts const& facts, Moment now);

}  // namespace runbookd::planner
