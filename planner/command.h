// What a person may ask of a run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "planner/house_rules.h"
#include "planner/ids.h"
#include "planner/plan.h"
#include "planner/time.h"

namespace runbookd::planner {

enum class StopMode { safe_point, now };

struct Start {
  std::vector<Acknowledgement> acknowledged;
};
struct Advance {
  std::string to_phase;
  std::string confirm;  // the phase's name again; asked for before a contract phase
};
struct Approve {
  std::string phase;
  std::optional<int> gate;  // which opening of it was seen; nothing: the present one
};
struct Reject {
  std::string phase;
};
struct Withdraw {  // one's own signature, or the override that one has asked for
  std::string phase;
};
// To go past what keeps a gate shut, or past checks that did not pass. It takes a second person.
struct Override {
  std::string phase;
  std::string confirm;  // its name again; asked for where there is no way back
};
struct Countersign {  // the second person's word
  std::string phase;
};
struct Evaluate {};  // run the current checks again
struct Confirm {     // a manual step was done by hand
  std::string step;
};
struct Pause {
  StopMode mode = StopMode::safe_point;
  std::optional<Duration> escalate_after;  // safe_point turns into now after this long
};
// How fast the backfill at hand may go, by a person's word.
struct Throttle {
  enum class To { ratio, stop, exempt, off } to = To::off;
  int percent = 100;              // of full speed: 1 to 99; of `ratio` only
  std::optional<Duration> lasts;  // nothing: until it is lifted or the backfill has ended
};
struct Resume {};
struct Retry {
  std::string step;  // empty = the current one
};
struct Skip {
  std::string step;
};
struct Resolve {
  std::string step;
  bool succeeded = false;
  std::string evidence;
};
struct RollBack {
  enum class Extent { last_step, to_step, to_phase, all } extent = Extent::last_step;
  std::string to;  // "phase/step" or a phase's name; it is undone too
};
struct Cancel {
  std::string confirm;  // the plan's name; asked for once a step has succeeded
};

using Ask =
    std::variant<Start, Advance, Approve, Reject, Evaluate, Confirm, Pause, Resume, Retry, Skip,
                 Resolve, RollBack, Cancel, Throttle, Withdraw, Override, Countersign>;

struct Command {
  Ask ask;
  std::string actor;   // who: proven, but where nobody is asked for a proof
  std::string reason;  // why; demanded by skip, resolve and reject
  // Go on although another daemon holds the target: that one then writes there no more. Asked of
  // start, resume, retry and rollback; demands a reason.
  bool take_over = false;
  HouseRules house = {};  // filled in by whoever passes the command on
};

std::string_view verb_of(Ask const& ask);  // "start", "advance", "rollback" …

}  // namespace runbookd::planner
