// How far a backfill has come, by what was recorded of all its tries. Private to planner/view*.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "planner/view.h"

namespace runbookd::planner::view {

bool is_backfill(Plan const& plan, StepRef ref, Direction direction);

// The tries since the step last turned round: those on the way there, or those on the way back.
std::span<Attempt const> tries_of_late(std::vector<Attempt> const& attempts);
std::optional<Filled> filled_by(std::span<Attempt const> tries);
std::ptrdiff_t count_of(std::span<Attempt const> tries);  // what was left out is no try

// "40.0 %, 9000 rows changed"
std::string progress_words(Filled const& filled);
// "so far 40.0 %, 9000 rows changed, which stay"
std::string so_far_words(Filled const& filled);
// "; " and that; nothing where nothing is known of it.
std::string and_so_far(std::optional<Filled> const& filled);

double percent_of(Filled const& filled);  // below 0: not known
nlohmann::json filled_json(Filled const& filled, bool total_exact);

}  // namespace runbookd::planner::view
