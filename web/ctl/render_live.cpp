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

std::string what_it_holds(Json const& blocker) {
  auto const mode = text_of(blocker, "lock_mode");
  auto const relation = text_of(blocker, "relation");
  if (mode.empty() && relation.empty()) {
    return "";
  }
  return " holds " + (mode.empty() ? std::string("a lock") : mode) +
         (relation.empty() ? "" : " on " + relation);
}

Line blocker_line(Json const& blocker, int indent) {
  Line line;
  line.column(indent).add("blocked by ", Tone::waiting).add(holder(blocker), Tone::waiting);
  line.add(what_it_holds(blocker));
  std::vector<std::string> facts;
  if (has_text(blocker, "state")) {
    facts.push_back(text_of(blocker, "state"));
  }
  if (auto const age = ms_of(blocker, "transaction_age_ms"); age.count() > 0) {
    facts.push_back("transaction open for " + short_duration(age));
  }
  if (!facts.empty()) {
    line.add(", " + joined(facts, ", "));
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
    if (number_of(live, "pid") > 0) {
      line.add("  our session has pid " + text_of(live, "pid"), Tone::dim);
    }
    lines.push_back(line);
  }
  for (auto const& blocker : child(live, "blockers")) {
    lines.push_back(blocker_line(blocker, indent));
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

std::string rows_text(Json const& backfill) {
  auto const total = number_of(backfill, "rows_total");
  auto text = short_count(number_of(backfill, "rows_scanned"));
  if (total > 0) {
    text +=
        std::string(" of ") + (flag_of(backfill, "total_exact") ? "" : "~") + short_count(total);
  }
  return text + " rows, " + short_count(number_of(backfill, "rows_changed")) + " changed";
}

std::string eta_text(Json const& backfill, View const& view) {
  auto const& eta = child(backfill, "eta_ms");
  if (!eta.is_object()) {
    return "ETA not known yet";
  }
  auto const soonest = short_clock(view.now + ms_of(eta, "soonest"), view.utc_offset);
  auto const latest = short_clock(view.now + ms_of(eta, "latest"), view.utc_offset);
  auto const left =
      short_duration(ms_of(eta, "soonest")) + " to " + short_duration(ms_of(eta, "latest"));
  return "ETA " + soonest + (soonest == latest ? "" : std::string(view.look.dash()) + latest) +
         " (" + left + " left)";
}

std::string rate_text(Json const& backfill) {
  return short_rate(real_of(backfill, "rows_per_second")) + " rows/s (mean " +
         short_rate(real_of(backfill, "mean_rows_per_second")) + ")";
}

std::string batch_text(Json const& backfill) {
  return "batch " + short_count(number_of(backfill, "batch_rows")) + " rows in " +
         short_duration(ms_of(backfill, "batch_ms"));
}

Lines backfill_lines(Json const& backfill, int indent, View const& view) {
  Line first;
  first.column(indent);
  // a table that was never analyzed has no total
  if (child(backfill, "percent").is_number()) {
    auto const percent = real_of(backfill, "percent");
    first.add(bar(percent, view)).add("  " + fixed(percent, 1) + " %  ", Tone::strong);
  }
  first.add(rows_text(backfill));
  Line second;
  second.column(indent).add(rate_text(backfill) + "   " + eta_text(backfill, view) + "   " +
                            batch_text(backfill));
  return {first, second};
}

}  // namespace

Lines render_live(Json const& live, int indent, View const& view) {
  Lines lines;
  if (auto const& backfill = child(live, "backfill"); backfill.is_object()) {
    lines = backfill_lines(backfill, indent, view);
  }
  auto const locks = lock_lines(live, indent);
  lines.insert(lines.end(), locks.begin(), locks.end());
  return lines;
}

Lines render_mismatch(Json const& mismatch, int indent, View const& view) {
  Lines lines;
  if (!mismatch.is_object()) {
    return lines;
  }
  lines.push_back(Line().column(indent).add(
      "after going back the schema is not what it was before this step:", Tone::bad));
  auto const difference = clean_lines(text_of(mismatch, "diff"));
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
