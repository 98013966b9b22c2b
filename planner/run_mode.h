// The states of a run as a list: their names, and whose turn it is in each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/state.h"

namespace runbookd::planner {

std::vector<RunMode> all_modes();
std::optional<RunMode> mode_named(std::string_view name);

// Who moves a run on in this state: the daemon, or a person. Nobody has begun one that is pending,
// and nobody moves one that has ended.
enum class Turn { machine, human, nobody };
Turn turn_of(RunMode mode);

// "2 runs at work, 1 waits for a person"
std::string standing_words(std::vector<RunMode> const& runs);

}  // namespace runbookd::planner
