// Where a run stands, in words. Private to planner/view*.cpp.
#pragma once

#include <optional>
#include <string>

#include "planner/view.h"

namespace runbookd::planner::view {

// The step in work, in doubt, failed or interrupted: a step that was skipped or has ended is left
// alone.
std::optional<StepRef> step_at_hand(RunFacts const& facts);
// probing_lock (not queued), acquiring_lock, executing, backfilling, verifying, backing_off,
// waiting, by_hand, connecting, resolving_doubt; empty = nothing is going on.
std::string activity_of(RunFacts const& facts);

bool waits_for_lock(Live const& live);
std::string step_subject(RunFacts const& facts, StepRef ref);  // "the reversal of step expand/add"
std::string lock_words(std::string const& subject, Live const& live);
std::string fill_words(std::string const& subject, Live const& live, Moment now);

// "runbookctl advance run_… --to backfill"
std::string command(RunFacts const& facts, std::string const& verb, std::string const& rest = "");

// What goes on in a run that moves by itself.
std::string running_words(RunFacts const& facts, Moment now);

}  // namespace runbookd::planner::view
