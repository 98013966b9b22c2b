// What people said beside the verbs: remarks, and what they agreed to go past. Private to
// planner/view*.cpp.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "planner/view.h"

namespace runbookd::planner::view {

nlohmann::json notes_json(History const& history);
nlohmann::json overrides_json(Plan const& plan, History const& history);
// What is asked for and not confirmed; null for nothing.
nlohmann::json asked_override_json(RunFacts const& facts, Moment now);
nlohmann::json hold_json(Hold const& hold);
// The agreement that covers this check, if one does.
OverrideMade const* override_of(RunFacts const& facts, CheckPlace const& place);

// "expand/nothing-left, expand/rows"; "what keeps the gate shut" for none.
std::string passed_over_words(Plan const& plan, std::vector<CheckPlace> const& checks);

}  // namespace runbookd::planner::view
