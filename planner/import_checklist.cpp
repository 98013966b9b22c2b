// What people tick off on the day, as manual steps around the SQL of a phase: what the daemon does
// itself is left out, a time to watch becomes the soak, a deployment gets its way back.
#include <algorithm>
#include <array>

#include "planner/import_parts.h"
#include "planner/variables.h"

namespace runbookd::planner::import {
namespace {

constexpr std::array<std::string_view, 12> verbs_of_ours{
    "run ",  "start ",  "execute ",  "apply ",  "add ",    "alter ",
    "drop ", "create ", "validate ", "re-run ", "launch ", "monitor progress"};

bool starts_with_any(std::string const& text, auto const& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.starts_with(word); });
}

std::string without_brackets(std::string text) {
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return text;
}

// "Deploy previous app version" of the phase's own way back.
std::string previous_version(PhaseText const& phase) {
  for (auto const& item : phase.rollback_items) {
    if (lower(item.text).find("deploy") != std::string::npos) {
      return item.text;
    }
  }
  return "";
}

std::string short_name(std::string const& text) {
  auto end = text.size();
  for (std::string_view stop : {" (", " — ", " - ", "; ", ". ", ": ", " / "}) {
    end = std::min(end, text.find(stop));
  }
  return slug(text.substr(0, end));
}

Draft manual(std::string const& text, Names& names) {
  return {{"name", names.free(short_name(text))}, {"manual", escape(text)}};
}

struct HandWorkMaker {
  PhaseText const& phase;
  Names& names;
  HandWork work{};
  bool sql_is_behind = false;

  void put(Draft step) { (sql_is_behind ? work.after : work.before).push_back(std::move(step)); }

  void take(ListItem const& item) {
    auto const text = without_brackets(item.text);
    auto const low = lower(text);
    auto const lasts = duration_in(item.text);
    bool const stable = mentions(low, "stable for", "rollback window", "has been stable");
    if (low.starts_with("deploy")) {
      return put(by_hand(text, phase, names));
    }
    if (starts_with_any(low, verbs_of_ours)) {
      sql_is_behind = true;
      work.left_out.push_back(text);
      return;
    }
    if (low.starts_with("monitor") && lasts && low.find(" every ") == std::string::npos) {
      work.soak = std::max(work.soak.value_or(Duration{0}), *lasts);
      work.notes.push_back(item);
      return;
    }
    if (stable && lasts) {
      work.not_before = std::max(work.not_before.value_or(Duration{0}), *lasts);
      return;
    }
    if (low.starts_with("monitor")) {
      work.notes.push_back(item);
      return;
    }
    auto step = manual(text, names);
    step["rollback"] = {{"nothing", "it changed nothing"}};
    put(std::move(step));
  }
};

}  // namespace

Draft by_hand(std::string const& text, PhaseText const& phase, Names& names) {
  auto step = manual(text, names);
  constexpr std::size_t opening = 12;  // "And then deploy …"
  if (lower(text).find("deploy") > opening) {
    step["#rollback_manual"] = "Guessed: the document does not say how to go back.";
    step["rollback_manual"] = escape("Undo by hand, where it has to be undone: " + text);
    return step;
  }
  auto const back = previous_version(phase);
  if (back.empty()) {
    step["#rollback_manual"] = "Guessed: the document does not say how to go back.";
  }
  step["rollback_manual"] = back.empty() ? "Deploy the version that ran before." : escape(back);
  return step;
}

HandWork hand_work(PhaseText const& phase, Names& names) {
  HandWorkMaker maker{phase, names};
  for (auto const& item : phase.checklist) {
    maker.take(item);
  }
  return std::move(maker.work);
}

}  // namespace runbookd::planner::import
