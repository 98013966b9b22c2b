#include "web/ctl/ways.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

// The step that a person is asked about, or the current one.
std::string step_in_question(Json const& snapshot, char const* kind) {
  for (auto const& need : child(snapshot, "waiting_on")) {
    if (text_of(need, "kind") == kind && has_text(need, "step")) {
      auto const step = text_of(need, "step");
      return step.find('/') == std::string::npos ? text_of(need, "phase") + '/' + step : step;
    }
  }
  auto const& current = child(snapshot, "current");
  auto const phase = text_of(current, "phase");
  return phase.empty() ? "STEP" : phase + '/' + text_of(current, "step");
}

std::string command(Json const& snapshot, std::string const& verb, std::string const& rest = "") {
  return "runbookctl " + verb + ' ' + text_of(snapshot, "run") + (rest.empty() ? "" : ' ' + rest);
}

bool waits_for(Json const& snapshot, std::string_view kind) {
  auto const& needs = child(snapshot, "waiting_on");
  return std::any_of(needs.begin(), needs.end(),
                     [kind](Json const& need) { return text_of(need, "kind") == kind; });
}

std::string next_when_waiting(Json const& snapshot) {
  if (waits_for(snapshot, "manual")) {
    return command(snapshot, "confirm",
                   shell_quote(step_in_question(snapshot, "manual")) + " --reason TEXT");
  }
  if (waits_for(snapshot, "approval")) {
    return command(snapshot, "approve", "--phase " + shell_quote(gate_phase(snapshot, "approval")));
  }
  if (auto const phase = gate_phase(snapshot, "advance"); !phase.empty()) {
    return command(snapshot, "advance", "--to " + shell_quote(phase));
  }
  return command(snapshot, "watch");
}

std::string next_when_failed(Json const& snapshot) {
  for (auto const* verb : {"retry", "evaluate"}) {
    if (is_allowed(snapshot, verb)) {
      return command(snapshot, verb);
    }
  }
  return is_allowed(snapshot, "rollback") ? command(snapshot, "rollback", "--last --preview")
                                          : "runbookctl run show " + text_of(snapshot, "run");
}

std::string what_skip_means(Json const& snapshot, bool backward) {
  if (!backward) {
    return "to leave the step out";
  }
  return child(snapshot, "mismatch").is_object() ? "to take the schema as it is"
                                                 : "to leave the step as it stands";
}

}  // namespace

std::string next_command(Json const& snapshot) {
  auto const state = text_of(snapshot, "state");
  if (waits_for(snapshot, "cancel")) {
    return command(snapshot, "cancel",
                   "--confirm " + shell_quote(text_of(child(snapshot, "plan"), "name")));
  }
  if (state == "pending") {
    return command(snapshot, "start");
  }
  if (state == "waiting") {
    return next_when_waiting(snapshot);
  }
  if (state == "paused") {
    return command(snapshot, "resume");
  }
  if (state == "failed") {
    return next_when_failed(snapshot);
  }
  if (state == "attention") {
    return command(
        snapshot, "resolve",
        shell_quote(step_in_question(snapshot, "resolve")) + " --as OUTCOME --evidence TEXT");
  }
  return is_final(state) ? "runbookctl run show " + text_of(snapshot, "run")
                         : command(snapshot, "watch");
}

std::vector<std::string> other_ways(Json const& snapshot) {
  std::vector<std::string> ways;
  if (text_of(snapshot, "state") != "failed") {
    return ways;
  }
  auto const said = text_of(snapshot, "state_message");
  auto const add = [&](char const* verb, std::string const& when, std::string const& rest) {
    if (is_allowed(snapshot, verb) &&
        said.find("runbookctl " + std::string(verb)) == std::string::npos) {
      ways.push_back(when + ": " + command(snapshot, verb, rest));
    }
  };
  auto const backward = text_of(snapshot, "direction") == "backward";
  auto const step = shell_quote(step_in_question(snapshot, "retry"));
  add("retry", "to try again", step);
  add("evaluate", "to check again", "");
  add("skip", what_skip_means(snapshot, backward), step + " --reason TEXT");
  if (!backward) {
    add("rollback", "to see the way back", "--last --preview");
  }
  add("cancel", "to give up, the database staying as it is", "");
  return ways;
}

}  // namespace runbookd::ctl
