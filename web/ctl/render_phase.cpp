// Phases, steps and checks: one line each, the phase at hand unfolded.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "web/ctl/render.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

constexpr int step_indent = 5;

std::string spoken(std::string word) {
  std::replace(word.begin(), word.end(), '_', ' ');
  return word;
}

// A step that was left out never ran; one whose reversal was left out stands: two words.
std::string phase_words(Json const& phase) {
  auto const& steps = child(phase, "steps");
  bool const kept = std::any_of(steps.begin(), steps.end(),
                                [](Json const& step) { return flag_of(step, "kept"); });
  auto const state = text_of(phase, "state");
  return state == "partly_skipped" && kept ? "partly kept" : spoken(state);
}

// "3/3 steps"
std::string step_count(Json const& phase) {
  auto const& steps = child(phase, "steps");
  auto const done = std::count_if(steps.begin(), steps.end(), [](Json const& step) {
    auto const state = text_of(step, "state");
    return state == "succeeded" || state == "skipped";
  });
  return std::to_string(done) + '/' + std::to_string(steps.size()) +
         (steps.size() == 1 ? " step" : " steps");
}

std::string approval_text(Json const& approvals) {
  auto const needed = number_of(approvals, "needed");
  if (needed == 0) {
    return "";
  }
  std::vector<std::string> names;
  for (auto const& name : child(approvals, "by")) {
    names.push_back(name.is_string() ? name.get<std::string>() : to_line(name));
  }
  if (static_cast<std::int64_t>(names.size()) >= needed) {
    return "approved by " + joined(names, ", ");
  }
  auto const from = text_of(approvals, "from");
  return "needs " + plural(needed - static_cast<std::int64_t>(names.size()), "approval") +
         (from.empty() ? "" : " from " + from) +
         (names.empty() ? "" : " (has " + joined(names, ", ") + ")");
}

Line phase_line(Json const& phase, int name_width, View const& view) {
  auto const state = text_of(phase, "state");
  Line line;
  line.add(" ").add(icon_for(state, view.look), tone_for(state)).add(" ");
  line.add(pad(fit(clean(text_of(phase, "name")), name_width, view.look.cut()), name_width),
           state == "pending" ? Tone::plain : Tone::strong);
  line.add("  ").add(pad(phase_words(phase), 10), tone_for(state)).add("  ");
  line.add(step_count(phase));
  if (auto const until = moment_of(phase, "soak_until"); state == "soaking" && until > view.now) {
    line.add("  until " + clock_time(until, view.utc_offset) + " (" +
                 short_duration(until - view.now) + " left)",
             Tone::active);
  }
  if (auto const approval = approval_text(child(phase, "approvals")); !approval.empty()) {
    line.add("  " + approval, Tone::dim);
  }
  return line;
}

std::string lock_text(Json const& step) {
  auto const wait = number_of(step, "lock_wait_ms");
  auto const tries = number_of(step, "tries_for_lock");
  if (wait <= 0 && tries <= 1) {
    return "";
  }
  return "lock wait " + short_duration(planner::Duration(wait)) +
         (tries > 1 ? " (" + plural(tries, "try") + ")" : "");
}

std::string step_facts(Json const& step) {
  std::vector<std::string> facts;
  if (auto const took = number_of(step, "duration_ms"); took > 0) {
    facts.push_back(short_duration(planner::Duration(took)));
  }
  if (auto lock = lock_text(step); !lock.empty()) {
    facts.push_back(lock);
  }
  if (auto const rows = number_of(step, "rows"); rows > 0) {
    facts.push_back(short_count(rows) + (rows == 1 ? " row" : " rows"));
  }
  // told where this way took several; the numbers go on from the way there, as in the events
  auto const tries = number_of(step, child(step, "tries").is_null() ? "attempts" : "tries");
  if (tries > 1) {
    facts.push_back("attempt " + text_of(step, "attempts"));
  }
  return joined(facts, "   ");
}

Line step_line(Json const& step, std::string const& activity, int name_width, View const& view) {
  auto const state = text_of(step, "state");
  Line line;
  line.column(step_indent).add(icon_for(state, view.look), tone_for(state)).add(" ");
  line.add(pad(fit(clean(text_of(step, "name")), name_width, view.look.cut()), name_width));
  line.add("  ").add(pad(text_of(step, "kind"), 8), Tone::dim).add("  ");
  auto const word = flag_of(step, "kept") && state == "skipped" ? "kept" : state;
  line.add(pad(spoken(activity.empty() ? word : activity), 11), tone_for(state));
  if (auto const facts = step_facts(step); !facts.empty()) {
    line.add("  " + facts);
  }
  if (has_no_way_back(step)) {
    line.add("  no way back", Tone::waiting);
  }
  return line;
}

// What a person has to read to act: why it failed, what to do by hand.
Lines step_notes(Json const& step, View const& view) {
  auto const state = text_of(step, "state");
  auto const at_work = state == "running" || state == "reverting";
  Lines lines;
  auto const note = [&](std::string const& text, Tone tone) {
    auto const width = view.width - step_indent - 4;
    for (auto const& each : wrap(clean(text), width, 3, view.look.cut())) {
      lines.push_back(Line().column(step_indent + 4).add(each, tone));
    }
  };
  if (at_work && text_of(step, "kind") == "manual") {
    note("to do by hand: " + text_of(step, "manual"), Tone::waiting);
  }
  auto const message = text_of(step, "message");
  if (at_work && !message.empty()) {  // it tells of the last attempt that has ended
    note("the last try ended: " + message, Tone::dim);
  } else if (state != "succeeded" && state != "reverted" && state != "pending") {
    note(message, tone_for(state) == Tone::bad ? Tone::bad : Tone::plain);
  }
  if (view.expand_all) {
    note(text_of(step, "irreversible_reason"), Tone::dim);
  }
  return lines;
}

void append(Lines& to, Lines const& from) { to.insert(to.end(), from.begin(), from.end()); }

// The steps of an unfolded phase; `focus` is set to the line of the step at hand.
Block phase_details(Json const& snapshot, Json const& phase, View const& view) {
  auto const& current = child(snapshot, "current");
  auto const here = text_of(current, "phase") == text_of(phase, "name");
  auto const name_width = name_width_of(child(phase, "steps"));
  Block block;
  if (view.expand_all && has_text(phase, "goal")) {
    block.lines.push_back(Line().column(step_indent).add(text_of(phase, "goal"), Tone::dim));
  }
  for (auto const& step : child(phase, "steps")) {
    auto const at_hand = here && text_of(current, "step") == text_of(step, "name");
    auto const activity = at_hand ? text_of(current, "activity") : std::string();
    if (at_hand) {
      block.focus = static_cast<int>(block.lines.size());
    }
    block.lines.push_back(step_line(step, activity, name_width, view));
    append(block.lines, step_notes(step, view));
    if (at_hand) {
      append(block.lines, render_live(child(snapshot, "live"), step_indent + 4, view));
    }
    if (!at_hand || !child(child(snapshot, "live"), "backfill").is_object()) {
      append(block.lines, render_progress(step, step_indent + 4, view));
    }
    if (at_hand) {
      append(block.lines, render_mismatch(child(snapshot, "mismatch"), step_indent + 4, view));
    }
  }
  if (auto const state = text_of(phase, "state"); state == "validating" || state == "soaking") {
    block.focus = static_cast<int>(block.lines.size());
  }
  // what was found on the way forward says nothing about a phase that is being taken back
  if (!text_of(phase, "state").starts_with("revert") || view.expand_all) {
    auto const past = is_done(phase) && !view.expand_all;
    auto const& checks = child(phase, "checks");
    append(block.lines, past ? render_past_checks(checks, step_indent, view)
                             : render_checks(checks, step_indent, view));
  }
  return block;
}

bool is_at_work(Json const& phase) {
  auto const state = text_of(phase, "state");
  return state != "pending" && state != "succeeded" && state != "partly_skipped" &&
         state != "reverted" && state != "gated";
}

// The one phase that the live view unfolds.
std::string phase_at_hand(Json const& snapshot) {
  if (auto const phase = text_of(child(snapshot, "current"), "phase"); !phase.empty()) {
    return phase;
  }
  std::string gated;
  std::string last_done;
  for (auto const& phase : child(snapshot, "phases")) {
    if (is_at_work(phase)) {
      return text_of(phase, "name");
    }
    if (text_of(phase, "state") == "gated") {
      gated = text_of(phase, "name");
    } else if (is_done(phase)) {
      last_done = text_of(phase, "name");
    }
  }
  // at a gate, people want to see the checks of what was just done
  return is_final(text_of(snapshot, "state")) || last_done.empty() ? gated : last_done;
}

void add_final_checks(Json const& snapshot, View const& view, Block& block) {
  auto const& checks = child(snapshot, "final_checks");
  auto const judged = std::any_of(checks.begin(), checks.end(), [](Json const& check) {
    auto const result = text_of(check, "result");
    return !result.empty() && result != "open";
  });
  auto const stage = text_of(snapshot, "stage");
  auto const forward = text_of(snapshot, "direction") == "forward";
  auto const at_hand = forward && judged && (stage == "final_checks" || stage == "done");
  auto const wanted = view.expand_all && view.only_phase.empty() && !checks.empty();
  if (!at_hand && !wanted) {
    return;
  }
  block.lines.push_back(Line().add(" final checks", Tone::strong));
  auto const past = stage == "done" && !view.expand_all;
  append(block.lines, past ? render_past_checks(checks, step_indent, view)
                           : render_checks(checks, step_indent, view));
  if (stage == "final_checks") {
    block.focus = static_cast<int>(block.lines.size()) - 1;
  }
}

}  // namespace

Block render_phases(Json const& snapshot, View const& view) {
  auto const& phases = child(snapshot, "phases");
  auto const name_width = name_width_of(phases);
  auto const at_hand = phase_at_hand(snapshot);
  Block block;
  for (auto const& phase : phases) {
    auto const name = text_of(phase, "name");
    if (!view.only_phase.empty() && name != view.only_phase) {
      continue;
    }
    auto const first = static_cast<int>(block.lines.size());
    block.lines.push_back(phase_line(phase, name_width, view));
    auto const details = phase_details(snapshot, phase, view);
    if (name == at_hand) {
      block.focus = first + 1 + details.focus;
    }
    if (view.expand_all || name == at_hand) {
      append(block.lines, details.lines);
    }
  }
  add_final_checks(snapshot, view, block);
  return block;
}

}  // namespace runbookd::ctl
