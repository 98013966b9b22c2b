// The step that is being carried out: who stands in its way, how far it is, when it may be done.
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "web/ctl/render.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Duration;

Duration ms_of(Json const& object, char const* key) { return Duration(number_of(object, key)); }

std::string holder(Json const& blocker) {
  auto const pid = number_of(blocker, "pid");
  auto text = pid == 0 ? std::string("a prepared transaction") : "pid " + std::to_string(pid);
  if (has_text(blocker, "user")) {
    text += " " + text_of(blocker, "user");
  }
  if (has_text(blocker, "application")) {
    text += " (" + text_of(blocker, "application") + ")";
  }
  return text;
}

// "idle in transaction 12 s", "AccessShareLock on users"
std::vector<std::string> facts_of(Json const& blocker) {
  std::vector<std::string> facts;
  auto const state = text_of(blocker, "state");
  auto const age = ms_of(blocker, "transaction_age_ms");
  if (age.count() > 0) {
    facts.push_back((state.empty() ? "in its transaction" : state) + " " + short_duration(age));
  } else if (!state.empty()) {
    facts.push_back(state);
  }
  auto const relation = text_of(blocker, "relation");
  auto const mode = text_of(blocker, "lock_mode");
  if (!mode.empty() || !relation.empty()) {
    facts.push_back((mode.empty() ? std::string("a lock") : mode) +
                    (relation.empty() ? "" : " on " + relation));
  }
  return facts;
}

Line blocker_line(Json const& blocker, int indent) {
  Line line;
  auto const deeper = static_cast<int>(std::max<std::int64_t>(number_of(blocker, "depth") - 1, 0));
  auto const depth = std::min(deeper, 8);
  line.column(indent + 2 * depth);
  line.add(depth > 0 ? "which waits for " : "blocked by ", Tone::waiting);
  line.add(holder(blocker), Tone::waiting);
  for (auto const& fact : facts_of(blocker)) {
    line.add(", " + fact);
  }
  if (has_text(blocker, "query")) {
    line.add(": " + text_of(blocker, "query"), Tone::dim);
  }
  return line;
}

Lines lock_lines(Json const& live, int indent) {
  Lines lines;
  auto const waiting = ms_of(live, "waiting_ms");
  if (waiting.count() > 0) {
    Line line;
    line.column(indent).add("waits for a lock since " + short_duration(waiting), Tone::waiting);
    if (text_of(live, "activity") == "probing_lock") {
      line.add("  not queued: nobody waits behind us", Tone::dim);
    } else if (number_of(live, "pid") > 0) {
      line.add("  our session has pid " + text_of(live, "pid"), Tone::dim);
    }
    lines.push_back(line);
  }
  for (auto const& blocker : child(live, "blockers")) {
    lines.push_back(blocker_line(blocker, indent));
  }
  if (auto const& behind = child(live, "behind"); behind.is_object()) {
    auto const longest = ms_of(behind, "longest_ms");
    lines.push_back(Line().column(indent).add(
        "blocking " + plural(number_of(behind, "sessions"), "session") +
            (longest.count() > 0 ? ", the longest for " + short_duration(longest) : ""),
        Tone::waiting));
  }
  return lines;
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

Line bar(double percent, View const& view) {
  auto const cells = std::clamp(view.width / 5, 8, 24);
  auto const full = static_cast<int>(std::floor(std::clamp(percent, 0.0, 100.0) / 100 * cells));
  Line line;
  line.add(view.look.unicode ? "" : "[");
  line.add(repeated(view.look.unicode ? "█" : "#", full), Tone::active);
  line.add(repeated(view.look.unicode ? "░" : ".", cells - full), Tone::dim);
  return line.add(view.look.unicode ? "" : "]");
}

// The server's own long work: how far its present phase is, in its words.
Lines server_lines(Json const& server, int indent, View const& view) {
  if (!server.is_object()) {
    return {};
  }
  Line line;
  line.column(indent);
  if (child(server, "percent").is_number()) {
    line.add(bar(real_of(server, "percent"), view)).add("  ");
  }
  return {line.add(text_of(server, "message"))};
}

std::string rows_text(Json const& backfill) {
  auto const total = number_of(backfill, "rows_total");
  auto text = short_count(number_of(backfill, "rows_scanned"));
  if (total > 0) {
    text +=
        std::string(" of ") + (flag_of(backfill, "total_exact") ? "" : "~") + short_count(total);
  }
  return text + " rows, " + short_count(number_of(backfill, "rows_changed")) + " changed";
}

// "16 to 17 s", "26 min": as exact as anybody can know it.
std::string left_text(Duration soonest, Duration latest) {
  using namespace std::chrono;
  auto const between = [](std::int64_t low, std::int64_t high, char const* unit) {
    return (low == high ? "" : std::to_string(low) + " to ") + std::to_string(high) + unit;
  };
  if (latest < minutes(2)) {
    return between(round<seconds>(soonest).count(), round<seconds>(latest).count(), " s");
  }
  if (latest < hours(2)) {
    return between(round<minutes>(soonest).count(), round<minutes>(latest).count(), " min");
  }
  return short_duration(soonest) + " to " + short_duration(latest);
}

std::string eta_text(Json const& live, View const& view) {
  auto const& throttle = child(live, "throttle");
  if (auto const since = moment_of(throttle, "stopped_since"); since != planner::Moment{}) {
    return "stopped since " + clock_time(since, view.utc_offset);
  }
  auto const& backfill = child(live, "backfill");
  auto const& eta = child(backfill, "eta_ms");
  if (!eta.is_object()) {
    return "ETA not known yet";
  }
  auto const soonest = ms_of(eta, "soonest");
  auto const latest = ms_of(eta, "latest");
  auto const from = short_clock(view.now + soonest, view.utc_offset);
  auto const until = short_clock(view.now + latest, view.utc_offset);
  return "ETA " + from + (from == until ? "" : std::string(view.look.dash()) + until) + " (" +
         left_text(soonest, latest) + " left)";
}

std::string rate_text(Json const& backfill) {
  return short_rate(real_of(backfill, "rows_per_second")) + " rows/s (mean " +
         short_rate(real_of(backfill, "mean_rows_per_second")) + ")";
}

std::string batch_text(Json const& backfill) {
  auto const workers = number_of(backfill, "workers");
  return "batch " + short_count(number_of(backfill, "batch_rows")) + " rows in " +
         short_duration(ms_of(backfill, "batch_ms")) +
         (workers > 1 ? ", " + std::to_string(workers) + " workers" : "");
}

std::string sweep_text(Json const& sweep) {
  auto const pass = number_of(sweep, "pass");
  return "looks through the table again for rows that still need it" +
         (pass > 1 ? ", time " + std::to_string(pass) : std::string()) + ": " +
         std::to_string(number_of(sweep, "found")) + " found and filled";
}

Line progress_line(Json const& backfill, int indent, View const& view) {
  Line line;
  line.column(indent);
  // a table that was never analyzed has no total
  if (child(backfill, "percent").is_number()) {
    auto const percent = real_of(backfill, "percent");
    line.add(bar(percent, view)).add("  " + fixed(percent, 1) + " %  ", Tone::strong);
  }
  return line.add(rows_text(backfill));
}

// Who slows it and why, for how much of the time, and what nobody can see.
Lines throttle_lines(Json const& throttle, int indent, View const& view) {
  Lines lines;
  auto const say = [&](std::string const& text, Tone tone) {
    for (auto const& each : wrap(clean(text), view.width - indent, 3, view.look.cut())) {
      lines.push_back(Line().column(indent).add(each, tone));
    }
  };
  auto const& hand = child(throttle, "hand");
  auto const message = text_of(throttle, "message");
  auto const share = number_of(throttle, "throttled_percent");
  if (!message.empty()) {
    say(message + (share > 0 ? " (" + std::to_string(share) + " % of the time so far)" : ""),
        Tone::waiting);
  } else if (share > 0) {
    say("slowed or stopped " + std::to_string(share) + " % of the time so far", Tone::dim);
  }
  // a signal may be stricter than the person, whose word still stands
  if (hand.is_object() && text_of(hand, "message") != message) {
    say("by hand: " + text_of(hand, "message"), Tone::dim);
  }
  say(text_of(throttle, "unseen_message"), Tone::dim);
  return lines;
}

Lines backfill_lines(Json const& live, int indent, View const& view) {
  auto const& backfill = child(live, "backfill");
  auto const first = progress_line(backfill, indent, view);
  Line second;
  second.column(indent).add(rate_text(backfill) + "   " + eta_text(live, view) + "   " +
                            batch_text(backfill));
  Lines lines{first, second};
  if (auto const& sweep = child(backfill, "sweep"); sweep.is_object()) {
    lines.push_back(Line().column(indent).add(sweep_text(sweep), Tone::dim));
  }
  return lines;
}

}  // namespace

Lines render_live(Json const& live, int indent, View const& view) {
  Lines lines;
  if (auto const& backfill = child(live, "backfill"); backfill.is_object()) {
    lines = backfill_lines(live, indent, view);
  }
  auto const throttled = throttle_lines(child(live, "throttle"), indent, view);
  lines.insert(lines.end(), throttled.begin(), throttled.end());
  auto const server = server_lines(child(live, "server"), indent, view);
  lines.insert(lines.end(), server.begin(), server.end());
  auto const locks = lock_lines(live, indent);
  lines.insert(lines.end(), locks.begin(), locks.end());
  return lines;
}

Lines render_progress(Json const& step, int indent, View const& view) {
  auto const& backfill = child(step, "backfill");
  if (!backfill.is_object() || flag_of(backfill, "total_exact")) {
    return {};
  }
  return {progress_line(backfill, indent, view)};
}

Lines render_mismatch(Json const& mismatch, int indent, View const& view) {
  Lines lines;
  if (!mismatch.is_object()) {
    return lines;
  }
  lines.push_back(Line().column(indent).add(
      "after going back the schema is not what it was before this step:", Tone::bad));
  auto const difference = clean_lines(text_of(mismatch, "diff"));
  if (!difference.empty()) {
    lines.push_back(Line()
                        .column(indent + 2)
                        .add("- as it was before the step, + as it is now; one of the two alone: "
                             "gone, or come anew",
                             Tone::dim));
  }
  for (auto const& text : difference) {
    lines.push_back(Line().column(indent + 2).add(fit(text, view.width - indent - 2)));
  }
  if (difference.empty()) {
    lines.push_back(Line().column(indent + 2).add("expected " + text_of(mismatch, "expected")));
    lines.push_back(Line().column(indent + 2).add("actual   " + text_of(mismatch, "actual")));
  }
  return lines;
}

}  // namespace runbookd::ctl
