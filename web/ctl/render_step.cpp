// One step in full: SQL both ways and every attempt.
#include <nlohmann/json.hpp>

#include "web/ctl/render_lists.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Duration;

void add_code(Lines& lines, std::string_view title, std::string const& text) {
  if (text.empty()) {
    return;
  }
  lines.push_back(Line().add(title, Tone::dim));
  for (auto const& each : clean_lines(text)) {
    lines.push_back(Line().add("    " + each));
  }
}

// An action comes as its SQL, or as an object that holds it.
std::string action_text(Json const& step, char const* key) {
  auto const& action = child(step, key);
  if (!action.is_object()) {
    return text_of(step, key);
  }
  for (auto const* name : {"sql", "manual", "text", "reason"}) {
    if (has_text(action, name)) {
      return text_of(action, name);
    }
  }
  return to_pretty(action);
}

std::string first_text(Json const& step, std::initializer_list<char const*> keys) {
  for (auto const* key : keys) {
    if (auto text = action_text(step, key); !text.empty()) {
      return text;
    }
  }
  return "";
}

std::string failure_text(Json const& attempt) {
  auto const& failure = child(attempt, "failure");
  auto const& from = failure.is_object() ? failure : attempt;
  auto const state = text_of(from, "sqlstate");
  return (state.empty() ? "" : state + ": ") + text_of(from, "message");
}

Lines attempt_lines(Json const& attempt, View const& view) {
  auto const result = text_of(attempt, "result");
  Line line;
  line.add("  ").add(icon_for(result, view.look), tone_for(result)).add(" ");
  line.add(text_of(attempt, "number") + "  ").add(pad(text_of(attempt, "direction"), 8), Tone::dim);
  // what was left out on the way back stands; what was skipped on the way there never ran
  auto const left_out = result == "skipped" && text_of(attempt, "direction") == "backward";
  line.add("  ").add(pad(left_out ? "left out" : result, 15), tone_for(result));
  if (auto const started = moment_of(attempt, "started_at"); started != planner::Moment{}) {
    line.add("  " + clock_time(started, view.utc_offset), Tone::dim);
  }
  line.add("  " + short_duration(Duration(number_of(attempt, "duration_ms"))));
  if (auto const wait = number_of(attempt, "lock_wait_ms"); wait > 0) {
    line.add("  lock wait " + short_duration(Duration(wait)));
  }
  Lines lines{line};
  for (auto const& text : {failure_text(attempt), text_of(attempt, "note")}) {
    if (!text.empty()) {
      lines.push_back(Line().add("       " + text, tone_for(result)));
    }
  }
  auto const blockers = render_live({{"blockers", child(attempt, "blockers")}}, 7, view);
  lines.insert(lines.end(), blockers.begin(), blockers.end());
  return lines;
}

}  // namespace

Lines render_step(Json const& step, View const& view) {
  auto const state = text_of(step, "state");
  auto const phase = text_of(step, "phase");
  Line head;
  head.add(icon_for(state, view.look), tone_for(state)).add(" ");
  head.add(phase + (phase.empty() ? "" : "/") + text_of(step, "name"), Tone::strong);
  head.add("  " + text_of(step, "kind") + "  ", Tone::dim).add(state, tone_for(state));
  Lines lines{head};
  for (auto const& text : wrap(clean(text_of(step, "description")), view.width - 4, 10)) {
    lines.push_back(Line().add("    " + text));
  }
  add_code(lines, "forward:", first_text(step, {"sql", "forward", "backfill", "manual"}));
  add_code(lines, "back:",
           first_text(step, {"rollback_sql", "rollback", "backward", "back", "rollback_manual"}));
  add_code(lines, "no way back:", text_of(step, "irreversible_reason"));
  auto const& attempts = child(step, "attempts");
  if (!attempts.is_array() || attempts.empty()) {
    lines.push_back(Line().add("no attempt yet", Tone::dim));
    return lines;
  }
  lines.push_back(Line().add("attempts:", Tone::dim));
  for (auto const& attempt : attempts) {
    auto const each = attempt_lines(attempt, view);
    lines.insert(lines.end(), each.begin(), each.end());
  }
  return lines;
}

}  // namespace runbookd::ctl
