// The state of a run: a value, made only by folding events.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "planner/event.h"
#include "planner/ids.h"
#include "planner/plan.h"
#include "planner/shared_text.h"
#include "planner/time.h"

namespace runbookd::planner {

enum class RunMode {
  pending,
  running,
  waiting,
  pausing,
  paused,
  failed,
  attention,
  cancelling,
  succeeded,
  rolled_back,
  cancelled,
};
std::string_view to_text(RunMode mode);
bool is_final(RunMode mode);

// What forward work is about to do in the current phase. Rollback leaves it alone until it has
// finished.
enum class Stage { baselines, gate, requirements, steps, validation, soak, final_checks, done };
std::string_view to_text(Stage stage);

enum class StepStatus {
  pending,
  running,
  succeeded,
  failed,
  interrupted,
  skipped,
  unknown,
  reverting,
  reverted,
  revert_failed,
};
std::string_view to_text(StepStatus status);

struct StepState {
  StepStatus status = StepStatus::pending;
  int attempts = 0;       // tries so far, both directions; numbers are never used twice
  bool started = false;   // a forward attempt that is not one transaction may have left something
  bool kept = false;      // its reversal was skipped: it stands, and forward work leaves it alone
  SharedText before;      // fingerprint before the first forward attempt
  bool way_back = false;  // `rollback: auto` was written, from the catalog of that moment
  Moment first_try{};  // of the tries since a person last decided: give_up_after counts from here
  int losses = 0;      // attempts in a row whose end nobody heard and that got nowhere
  std::int64_t filled = 0;  // rows that a backfill had looked at when such a loss was settled
  int series = 0;           // first attempt of this direction's tries: the backfill cursor's name
  Direction series_direction = Direction::forward;
  auto operator<=>(StepState const&) const = default;

  void forget_before() {
    before.clear();
    way_back = false;
  }
};

struct OverrideWish {
  std::string by, why;
  Moment until{};
  auto operator<=>(OverrideWish const&) const = default;
};

struct RunState {
  RunMode mode = RunMode::pending;
  Direction direction = Direction::forward;
  Stage stage = Stage::baselines;
  int phase = 0;  // the forward cursor
  std::vector<std::vector<StepState>> steps;
  bool trying = false;                 // an attempt has begun and nobody has heard its end
  std::optional<StepRef> current;      // the step in work, in doubt or failed
  bool in_doubt = false;               // current's last attempt has an unknown end
  bool mismatch = false;               // current was reversed but the schema differs
  bool checks_failed = false;          // failed because of checks or a rejection, not of a step
  StepRef rollback_to{};               // meaningful while direction is backward
  bool interrupt = false;              // pausing or cancelling: stop now instead of at a safe point
  std::optional<Moment> escalate_at;   // pausing: when interrupt becomes true
  std::optional<Moment> not_until;     // back-off, wait step, soak or doubt: nothing before this
  std::optional<Duration> time_left;   // of not_until, while paused
  std::optional<Moment> ask_doubt_at;  // doubt could not be settled; ask again then
  std::vector<Moment> watch_due;       // by index of the phase's watch list, during soak
  std::vector<Moment> completed_at;    // by phase; epoch = not completed
  // of the gate of `phase`, each with the end of its word
  std::map<std::string, std::optional<Moment>> approvers;
  int gate = 0;  // how often a gate was reached: a signature is for one of these times
  std::set<CheckPlace> failed_checks;  // while a failure is theirs
  std::set<CheckPlace> overridden;     // their failing closes no gate
  std::optional<OverrideWish> override_asked;
  std::optional<Moment> gate_overridden;  // until then nothing but `advance` is missing
  SharedText fingerprint;                 // of the schema now, as far as we know; empty = not known
  std::string difference;                 // of a mismatch: what differs
  std::set<std::string> accepted;         // differences that a person took as they are
  std::string creator;
  std::string uploader;                // of the plan; empty = not recorded then
  std::set<std::string> acknowledged;  // rules, or "rule@phase/step", by the start under way
  std::set<std::string> found;         // "rule@phase/step" that the last look at the target found
  TargetIdentity target;               // as the last session found it; empty = not known yet
  std::vector<StepRef> lost;  // finished steps that a failover seems to have undone, in plan order
  std::optional<ClaimHolder> held_by;  // another daemon has claimed the target
  bool store_behind = false;  // the target knows more of this run: it cannot go on from this store
  std::string taken_from;     // id of the claim that a person let us take over
  HandThrottles throttle;     // of the backfill at hand
  bool restarted = false;     // the daemon died under this run; it does not go on by itself
  auto operator<=>(RunState const&) const = default;

  StepState const& at(StepRef ref) const { return steps[ref.phase][ref.step]; }
  StepState& at(StepRef ref) { return steps[ref.phase][ref.step]; }
};

}  // namespace runbookd::planner
