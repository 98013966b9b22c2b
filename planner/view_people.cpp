#include "planner/view_people.h"

#include <algorithm>
#include <ranges>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_parts.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {
namespace {

std::string name_of(Plan const& plan, CheckPlace const& place) {
  auto const all = checks_of(plan, place.stage, place.phase);
  bool const there = place.index >= 0 && place.index < std::ssize(all);
  auto const& name = there ? all[static_cast<std::size_t>(place.index)].name : std::string{"?"};
  bool const of_phase = place.stage != CheckStage::final_checks;
  return (of_phase ? phase_label(plan, place.phase) + "/" : "") + name;
}

Json names_json(Plan const& plan, std::vector<CheckPlace> const& checks) {
  auto names = Json::array();
  for (auto const& place : checks) {
    names.push_back(name_of(plan, place));
  }
  return names;
}

}  // namespace

Json notes_json(History const& history) {
  auto list = Json::array();
  for (auto const& note : history.notes) {
    list.push_back({{"at", time_json(note.at)}, {"actor", note.actor}, {"text", note.text}});
  }
  return list;
}

Json overrides_json(Plan const& plan, History const& history) {
  auto list = Json::array();
  for (auto const& made : history.overrides) {
    list.push_back({{"phase", phase_label(plan, made.what.phase)},
                    {"checks", names_json(plan, made.what.checks)},
                    {"asked_by", made.what.asked_by},
                    {"reason", made.what.why},
                    {"confirmed_by", made.by},
                    {"comment", made.comment},
                    {"at", time_json(made.at)}});
  }
  return list;
}

Json asked_override_json(RunFacts const& facts, Moment now) {
  auto const& asked = facts.state->override_asked;
  if (!asked || asked->until <= now) {
    return nullptr;
  }
  std::vector<CheckPlace> const checks(facts.state->failed_checks.begin(),
                                       facts.state->failed_checks.end());
  return {{"phase", facts.plan->phases[facts.state->phase].name},
          {"checks", names_json(*facts.plan, checks)},
          {"asked_by", asked->by},
          {"reason", asked->why},
          {"until", time_json(asked->until)}};
}

Json hold_json(Hold const& hold) {
  return {{"reason", hold.reason},
          {"by", hold.by},
          {"since", time_json(hold.since)},
          {"until", hold.until ? time_json(*hold.until) : Json()}};
}

OverrideMade const* override_of(RunFacts const& facts, CheckPlace const& place) {
  if (!facts.state->overridden.contains(place)) {
    return nullptr;
  }
  for (auto const& made : facts.history->overrides | std::views::reverse) {
    if (std::ranges::find(made.what.checks, place) != made.what.checks.end()) {
      return &made;
    }
  }
  return nullptr;
}

std::string passed_over_words(Plan const& plan, std::vector<CheckPlace> const& checks) {
  std::string text;
  for (auto const& place : checks) {
    text += (text.empty() ? "check " : ", check ") + in_a_line(name_of(plan, place));
  }
  return text.empty() ? "what keeps the gate shut" : text;
}

}  // namespace runbookd::planner::view
