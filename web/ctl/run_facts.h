// What a snapshot says about a run, for everyone who decides or prints by it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "web/ctl/json.h"

namespace runbookd::ctl {

std::vector<std::string> run_states();
bool is_final(std::string_view state);
// Nothing moves before a person or another run of this program asks for it.
bool is_settled(std::string_view state);
bool is_allowed(Json const& snapshot, char const* verb);
bool is_done(Json const& phase);  // succeeded or partly_skipped
bool has_no_way_back(Json const& step);
bool has_progress(Json const& snapshot);                               // some step was touched
Json const& phase_named(Json const& snapshot, std::string_view name);  // null where there is none
// The full "phase/step" of a step given as that, or by a name that only one phase has; else empty.
std::string step_label(Json const& snapshot, std::string_view text);
// The steps that stand right after one without a way back, as labels; the last ones first.
std::vector<std::string> after_final_steps(Json const& snapshot);
// The phase whose gate is waited at; empty when none is.
std::string gate_phase(Json const& snapshot, char const* kind = nullptr);
// The checks of all phases, and the final ones, that have a result which `before` does not show.
Json judged_since(Json const& before, Json const& snapshot);
bool all_passed(Json const& checks);
// "RUNNING", "PAUSED (rolling back)"
std::string state_words(Json const& snapshot);

}  // namespace runbookd::ctl
