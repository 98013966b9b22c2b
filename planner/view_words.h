// Phrases that several views of a run share. Private to planner/view*.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/outcome.h"
#include "planner/plan.h"

namespace runbookd::planner::view {

// At most so many characters (not bytes), with an ellipsis where something was cut off.
std::string clipped(std::string_view text, std::size_t most);
// Without line breaks and control characters, so that it fits into a sentence.
std::string in_a_line(std::string_view text, std::size_t most = 300);
// Bytes that are not UTF-8 become U+FFFD.
std::string valid_utf8(std::string const& text);

std::string failure_words(
    SqlFailure const& failure);  // "ERROR 23502: column … contains null values"
// What a failure's message says after its first line: what remains, or commands, one in a line.
std::string further_lines(SqlFailure const& failure);
std::string blocker_words(Blocker const& blocker);  // "pid 17 (psql), 3s in transaction"
std::string count_words(std::int64_t count, std::string_view noun);  // "1 step", "2 steps"
// " by ana: p99 up", or nothing for what the daemon did by itself
std::string person_words(std::string const& actor, std::string const& reason);

// A word of a shell command: quoted where a shell would read more into it.
std::string shell_word(std::string const& word);

// "phase/step"; for a place that the plan does not have, words that say so.
std::string step_label(Plan const& plan, StepRef ref);
std::string phase_label(Plan const& plan, int phase);
// "database app of server 7300…, timeline 00000002"
std::string identity_words(TargetIdentity const& target);
// What a failover has taken away; nothing for no steps.
std::string lost_words(Plan const& plan, std::vector<StepRef> const& lost);

}  // namespace runbookd::planner::view
