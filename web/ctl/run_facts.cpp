#include "web/ctl/run_facts.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

Json const nothing;

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

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

}  // namespace

bool is_final(std::string_view state) {
  return one_of(state, {"succeeded", "rolled_back", "cancelled"});
}

bool is_settled(std::string_view state) {
  return is_final(state) || one_of(state, {"pending", "waiting", "paused", "failed", "attention"});
}

bool is_allowed(Json const& snapshot, char const* verb) {
  return flag_of(child(child(snapshot, "actions"), verb), "allowed");
}

std::string why_not(Json const& snapshot, char const* verb) {
  return text_of(child(child(snapshot, "actions"), verb), "why_not");
}

bool is_done(Json const& phase) {
  return one_of(text_of(phase, "state"), {"succeeded", "partly_skipped"});
}

bool has_progress(Json const& snapshot) {
  for (auto const& phase : child(snapshot, "phases")) {
    for (auto const& step : child(phase, "steps")) {
      if (text_of(step, "state") != "pending") {
        return true;
      }
    }
  }
  return number_of(child(snapshot, "progress"), "steps_done") > 0;
}

Json const& phase_named(Json const& snapshot, std::string_view name) {
  for (auto const& phase : child(snapshot, "phases")) {
    if (text_of(phase, "name") == name) {
      return phase;
    }
  }
  return nothing;
}

std::string step_label(Json const& snapshot, std::string_view text) {
  std::vector<std::string> found;
  for (auto const& phase : child(snapshot, "phases")) {
    for (auto const& step : child(phase, "steps")) {
      auto const label = text_of(phase, "name") + '/' + text_of(step, "name");
      if (label == text || text_of(step, "name") == text) {
        found.push_back(label);
      }
    }
  }
  return found.size() == 1 ? found.front() : std::string();
}

std::string gate_phase(Json const& snapshot, char const* kind) {
  for (auto const& need : child(snapshot, "waiting_on")) {
    if (has_text(need, "phase") && (kind == nullptr || text_of(need, "kind") == kind)) {
      return text_of(need, "phase");
    }
  }
  return "";
}

std::string next_command(Json const& snapshot) {
  auto const state = text_of(snapshot, "state");
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
        shell_quote(step_in_question(snapshot, "resolve")) + " --as succeeded --evidence TEXT");
  }
  return is_final(state) ? "runbookctl run show " + text_of(snapshot, "run")
                         : command(snapshot, "watch");
}

std::string state_words(Json const& snapshot) {
  auto words = text_of(snapshot, "state");
  for (auto& c : words) {
    c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  auto const backward = text_of(snapshot, "direction") == "backward";
  return backward && !is_final(text_of(snapshot, "state")) ? words + " (rolling back)" : words;
}

}  // namespace runbookd::ctl
