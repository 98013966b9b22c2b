// Pieces of the JSON that several documents share. Private to planner/view*.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "planner/view.h"

namespace runbookd::planner::view {

using Json = nlohmann::json;

// A query is shown so that one can see whose it is, not in all its length.
inline constexpr std::size_t longest_query = 500;

std::string dumped(Json const& document);  // never throws because of bytes that are not UTF-8

Json time_json(Moment moment);  // null for the epoch: not known
Json failure_json(SqlFailure const& failure);
Json blocker_json(Blocker const& blocker);
Json preflight_part(PreflightSeen const& seen);
Json behind_json(std::optional<Behind> const& behind);  // null for nobody
Json action_json(Action const& action);
Json live_json(Live const& live, Moment now);
Json hand_json(HandThrottle const& hand, Moment now);
Json attempt_json(Attempt const& attempt);
Json finding_json(Finding const& finding);
Json findings_list(Findings const& findings);
std::string_view word(Direction direction);

// One step as in the snapshot, without its SQL.
Json step_summary(RunFacts const& facts, StepRef ref);
// What happened last to a step that is not well, in a line; may be empty.
std::string step_message(RunFacts const& facts, StepRef ref);
std::vector<Attempt> const& attempts_of(RunFacts const& facts, StepRef ref);

Json phases_json(RunFacts const& facts);
Json final_checks_json(RunFacts const& facts);

// What the run waits for: a person, a lock, a moment. Empty while it works or has ended.
struct WaitsFor {
  std::string kind;  // advance, approval, timer, manual, resolve, retry, evaluate, start, resume,
                     // cancel, lock, throttle
  std::string phase, step;  // names; may be empty
  std::string message;
  std::optional<Moment> until;
};
std::vector<WaitsFor> waits_of(RunFacts const& facts, Moment now);

std::string update_words(BackfillAction const& backfill);  // the UPDATE that a batch makes, as text

}  // namespace runbookd::planner::view
