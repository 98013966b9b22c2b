#include "web/ctl/render_target.h"

#include <nlohmann/json.hpp>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Duration;

Duration ms_of(Json const& object, char const* key) { return Duration(number_of(object, key)); }

Line heading(std::string const& text) { return Line().add(text, Tone::strong); }

std::string waited_text(Json const& waits) {
  return child(waits, "waited_ms").is_number() ? " for " + short_duration(ms_of(waits, "waited_ms"))
                                               : "";
}

Line session_line(Json const& session) {
  Line line;
  line.column(2).add("pid " + text_of(session, "pid") + "  " + text_of(session, "state"));
  auto const& waits = child(session, "waits_for");
  if (waits.is_object()) {
    line.add("  waits" + waited_text(waits) + " for " + text_of(waits, "lock_mode") +
                 (has_text(waits, "relation") ? " on " + text_of(waits, "relation") : ""),
             Tone::waiting);
  }
  // of a session at rest it is what it did last
  return text_of(session, "state") == "active"
             ? line.add(": " + text_of(session, "query"), Tone::dim)
             : line;
}

void add_ends(Lines& lines, Json const& blockers) {
  for (auto const& blocker : blockers) {
    if (!flag_of(blocker, "root") || !has_text(blocker, "end_with")) {
      continue;
    }
    lines.push_back(
        Line().column(4).add("ends it: ", Tone::dim).add(text_of(blocker, "end_with")).whole());
    if (has_text(blocker, "advice")) {
      lines.push_back(Line().column(6).add(text_of(blocker, "advice"), Tone::dim));
    }
  }
}

void add_waiters(Lines& lines, Json const& locks) {
  auto const& waiters = child(locks, "waiters");
  if (waiters.empty()) {
    return;
  }
  lines.push_back(
      heading("behind us: " + plural(static_cast<std::int64_t>(waiters.size()), "session")));
  for (auto const& waiter : waiters) {
    Line line;
    line.column(2).add("pid " + text_of(waiter, "pid") + " " + text_of(waiter, "user") + " (" +
                       text_of(waiter, "application") + ")");
    line.add(" waits" + waited_text(waiter) + " for " + text_of(waiter, "lock_mode") + " on " +
                 text_of(waiter, "relation"),
             Tone::waiting);
    lines.push_back(line.add(": " + text_of(waiter, "query"), Tone::dim));
  }
}

void add_last_wait(Lines& lines, Json const& last, View const& view) {
  if (!last.is_object()) {
    return;
  }
  auto const ended = moment_of(last, "ended_at");
  lines.push_back(heading("the last wait: step " + text_of(last, "step") + ", attempt " +
                          text_of(last, "number") + ", " + clock_time(ended, view.utc_offset)));
  // no statements that end them: by now a pid may be somebody else's
  auto const told = render_live({{"blockers", child(last, "blockers")}}, 2, view);
  lines.insert(lines.end(), told.begin(), told.end());
}

Tone tone_of(std::string const& verdict) {
  return verdict == "go" ? Tone::good : verdict == "no_go" ? Tone::bad : Tone::waiting;
}

std::string spoken(std::string verdict) { return verdict == "no_go" ? "NO-GO" : verdict; }

Lines item_lines(Json const& item, int indent, bool with_next = true) {
  auto const verdict = text_of(item, "verdict");
  Line line;
  line.column(indent).add(pad(spoken(verdict), 8), tone_of(verdict));
  line.add(pad(text_of(item, "name"), 18)).add(text_of(item, "message"));
  Lines lines{line.whole()};
  if (with_next && has_text(item, "next")) {
    lines.push_back(
        Line().column(indent + 8).add("next: ", Tone::dim).add(text_of(item, "next")).whole());
  }
  return lines;
}

}  // namespace

Lines render_locks(Json const& locks, View const& view) {
  Lines lines{Line()
                  .add(text_of(locks, "run"), Tone::strong)
                  .add(" on " + text_of(locks, "target") + ": " + text_of(locks, "message"))};
  auto const& sessions = child(locks, "sessions");
  if (!sessions.empty()) {
    lines.push_back(heading("ours"));
  }
  for (auto const& session : sessions) {
    lines.push_back(session_line(session));
  }
  auto const& blockers = child(locks, "blockers");
  if (!blockers.empty()) {
    lines.push_back(heading("in our way"));
    auto const told = render_live({{"blockers", blockers}}, 2, view);
    lines.insert(lines.end(), told.begin(), told.end());
    add_ends(lines, blockers);
  }
  add_waiters(lines, locks);
  if (blockers.empty()) {
    add_last_wait(lines, child(locks, "last_wait"), view);
  }
  return lines;
}

Lines render_preflight(Json const& preflight, View const& view) {
  auto const verdict = text_of(preflight, "verdict");
  auto const target = text_of(preflight, "target");
  Lines lines{
      Line()
          .add("preflight of phase " + text_of(preflight, "phase") +
               (target.empty() ? "" : " on " + target) + ": ")
          .add(spoken(verdict), tone_of(verdict))
          .add("  at " + clock_time(moment_of(preflight, "taken_at"), view.utc_offset), Tone::dim)};
  for (auto const& item : child(preflight, "items")) {
    auto const told = item_lines(item, 2);
    lines.insert(lines.end(), told.begin(), told.end());
  }
  return lines;
}

Lines render_warnings(Json const& preflight, int indent, bool with_next) {
  Lines lines;
  for (auto const& item : child(preflight, "items")) {
    auto const verdict = text_of(item, "verdict");
    if (verdict == "wait" || verdict == "no_go") {
      auto const told = item_lines(item, indent, with_next);
      lines.insert(lines.end(), told.begin(), told.end());
    }
  }
  return lines;
}

}  // namespace runbookd::ctl
