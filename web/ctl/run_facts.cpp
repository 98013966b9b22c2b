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

// In the order of the document, which is the plan's.
std::vector<Json> all_checks(Json const& snapshot) {
  std::vector<Json> all;
  auto const add = [&all](Json const& checks) {
    all.insert(all.end(), checks.begin(), checks.end());
  };
  for (auto const& phase : child(snapshot, "phases")) {
    add(child(phase, "checks"));
  }
  add(child(snapshot, "final_checks"));
  return all;
}

}  // namespace

std::vector<std::string> run_states() {
  return {"pending",   "running",    "waiting",   "pausing",     "paused",   "failed",
          "attention", "cancelling", "succeeded", "rolled_back", "cancelled"};
}

bool is_final(std::string_view state) {
  return one_of(state, {"succeeded", "rolled_back", "cancelled"});
}

bool is_settled(std::string_view state) {
  return is_final(state) || one_of(state, {"pending", "waiting", "paused", "failed", "attention"});
}

bool is_allowed(Json const& snapshot, char const* verb) {
  return flag_of(child(child(snapshot, "actions"), verb), "allowed");
}

bool has_no_way_back(Json const& step) {
  return child(step, "reversible").is_boolean() && !flag_of(step, "reversible");
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

std::vector<std::string> after_final_steps(Json const& snapshot) {
  std::vector<std::string> labels;
  bool was_final = false;
  for (auto const& phase : child(snapshot, "phases")) {
    for (auto const& step : child(phase, "steps")) {
      if (was_final) {
        labels.insert(labels.begin(), text_of(phase, "name") + '/' + text_of(step, "name"));
      }
      was_final = has_no_way_back(step);
    }
  }
  return labels;
}

std::string gate_phase(Json const& snapshot, char const* kind) {
  for (auto const& need : child(snapshot, "waiting_on")) {
    if (has_text(need, "phase") && (kind == nullptr || text_of(need, "kind") == kind)) {
      return text_of(need, "phase");
    }
  }
  return "";
}

Json judged_since(Json const& before, Json const& snapshot) {
  auto const old = all_checks(before);
  auto const now = all_checks(snapshot);
  auto judged = Json::array();
  for (std::size_t i = 0; i < now.size(); ++i) {
    auto const& was = i < old.size() ? old[i] : nothing;
    if (has_text(now[i], "at") && text_of(now[i], "at") != text_of(was, "at")) {
      judged.push_back(now[i]);
    }
  }
  return judged;
}

bool all_passed(Json const& checks) {
  return std::all_of(checks.begin(), checks.end(),
                     [](Json const& check) { return text_of(check, "result") == "passed"; });
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
