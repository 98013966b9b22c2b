#include <algorithm>

#include <nlohmann/json.hpp>

#include "web/ctl/render.h"
#include "web/ctl/render_target.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"
#include "web/ctl/ways.h"

namespace runbookd::ctl {

namespace {

using planner::Moment;

bool is_known(Moment moment) { return moment != Moment{}; }

Line title(Json const& snapshot, View const& view) {
  auto const state = text_of(snapshot, "state");
  auto const since = moment_of(snapshot, "state_since");
  Line left;
  left.add(text_of(snapshot, "run"), Tone::dim).add("  ");
  left.add(text_of(child(snapshot, "plan"), "name"), Tone::strong).add(" ");
  left.add(view.look.arrow()).add(" ").add(text_of(snapshot, "target"), Tone::strong);
  Line right;
  right.add(icon_for(state, view.look), tone_for(state)).add(" ");
  right.add(state_words(snapshot), tone_for(state));
  if (is_known(since)) {
    right.add("  since " + clock_time(since, view.utc_offset), Tone::dim);
    if (!is_final(state)) {
      right.add(" (" + short_duration(view.now - since) + ")", Tone::dim);
    }
  }
  left.column(std::max(left.width() + 2, view.width - right.width()));
  return left.add(right);
}

std::string remaining(Moment until, View const& view) {
  return until > view.now ? " (in " + short_duration(until - view.now) + ")" : " (now)";
}

Lines message_lines(Json const& snapshot, View const& view) {
  auto lines =
      render_message(text_of(snapshot, "state_message"), 0, view.height == 0 ? 40 : 2, view);
  // commands to be pasted: neither wrapped nor cut
  for (auto const& detail : child(snapshot, "details")) {
    lines.push_back(Line(detail.get<std::string>()).whole());
  }
  return lines;
}

Lines way_lines(Json const& snapshot, View const& view) {
  Lines lines;
  for (auto const& way : other_ways(snapshot)) {
    auto& line = lines.emplace_back(Line().add(way));
    if (view.height == 0) {  // a screen that is drawn again counts its lines
      line.whole();
    }
  }
  return lines;
}

Lines need_lines(Json const& snapshot, View const& view) {
  Lines lines;
  auto const said = text_of(snapshot, "state_message");
  for (auto const& need : child(snapshot, "waiting_on")) {
    auto const message = text_of(need, "message");
    auto const until = moment_of(need, "until");
    auto const is_said = message.empty() || said.find(message) != std::string::npos;
    if (!is_known(until) && (is_said || text_of(need, "kind") == "advance")) {
      continue;
    }
    Line line;
    line.add("waits: ", Tone::dim).add(message.empty() ? text_of(need, "kind") : message);
    if (is_known(until)) {
      line.add("  until " + clock_time(until, view.utc_offset) + remaining(until, view),
               Tone::waiting);
    }
    lines.push_back(line);
  }
  return lines;
}

// As long as it is news: what stood in the way when the phase at hand began.
Lines preflight_lines(Json const& snapshot, View const& view) {
  auto const& preflight = child(snapshot, "preflight");
  auto const phase = text_of(preflight, "phase");
  if (view.expand_all) {
    return preflight.is_object() ? render_preflight(preflight, view) : Lines();
  }
  auto const state = text_of(phase_named(snapshot, phase), "state");
  bool const over = is_final(text_of(snapshot, "state")) || state == "succeeded";
  auto warnings = over ? Lines() : render_warnings(preflight, 2, false);
  if (!warnings.empty()) {
    warnings.insert(warnings.begin(),
                    Line().add("seen before phase " + phase + " at " +
                                   clock_time(moment_of(preflight, "taken_at"), view.utc_offset) +
                                   " (now: runbookctl preflight " + text_of(snapshot, "run") + "):",
                               Tone::waiting));
  }
  return warnings;
}

Lines warning_lines(Json const& snapshot, View const& view) {
  Lines lines;
  if (auto const at = moment_of(snapshot, "escalate_at"); is_known(at)) {
    lines.push_back(Line().add(
        "interrupts what is executing at " + clock_time(at, view.utc_offset) + remaining(at, view),
        Tone::waiting));
  }
  if (flag_of(snapshot, "store_degraded")) {
    lines.push_back(Line().add(
        "the daemon cannot write to its store: nothing goes forward until it can", Tone::bad));
  }
  auto const before = preflight_lines(snapshot, view);
  lines.insert(lines.end(), before.begin(), before.end());
  return lines;
}

std::string progress_text(Json const& snapshot) {
  auto const& progress = child(snapshot, "progress");
  return text_of(progress, "steps_done") + '/' + text_of(progress, "steps_total") + " steps";
}

// What the target made of the plan at its start. On a screen that is drawn again there is no room.
Lines finding_lines(Json const& snapshot, View const& view) {
  Lines lines;
  bool const told_already = !child(snapshot, "details").empty();
  for (auto const& finding : child(snapshot, "target_findings")) {
    if (view.height == 0 && !told_already && text_of(finding, "severity") != "note") {
      lines.push_back(
          Line()
              .add(text_of(finding, "severity") + " of the target: ", Tone::waiting)
              .add(text_of(finding, "message") + " [" + text_of(finding, "rule") + "]"));
    }
  }
  return lines;
}

Line strip(Json const& snapshot, View const& view) {
  Line line;
  auto const between = view.look.unicode ? " ─ " : " - ";
  for (auto const& phase : child(snapshot, "phases")) {
    auto const state = text_of(phase, "state");
    line.add(line.empty() ? "" : between, Tone::dim);
    line.add(icon_for(state, view.look), tone_for(state)).add(" ");
    line.add(text_of(phase, "name"), state == "pending" ? Tone::dim : Tone::plain);
  }
  if (!child(snapshot, "progress").is_null()) {
    line.add("    " + progress_text(snapshot), Tone::dim);
  }
  return line;
}

Line left_out(int count, char const* where) {
  return Line().add("   ... " + plural(count, "line") + ' ' + where, Tone::dim);
}

// The part of the block around its focus that fits into `room` lines.
Lines window(Block const& block, int room) {
  auto const size = static_cast<int>(block.lines.size());
  if (size <= room) {
    return block.lines;
  }
  if (room < 3) {
    auto const at = std::clamp(block.focus, 0, size - 1);
    return {block.lines.begin() + at, block.lines.begin() + std::min(size, at + std::max(0, room))};
  }
  auto const inner = room - 2;
  auto const from = std::clamp(block.focus - inner / 4, 0, size - inner);
  Lines lines;
  if (from > 0) {
    lines.push_back(left_out(from, "above"));
  }
  auto const kept = room - (from > 0 ? 1 : 0) - (from + inner < size ? 1 : 0);
  auto const until = std::min(size, from + kept);
  lines.insert(lines.end(), block.lines.begin() + from, block.lines.begin() + until);
  if (until < size) {
    lines.push_back(left_out(size - until, "below"));
  }
  return lines;
}

void append(Lines& to, Lines const& from) { to.insert(to.end(), from.begin(), from.end()); }

Lines head(Json const& snapshot, View const& view) {
  Lines lines{title(snapshot, view)};
  append(lines, message_lines(snapshot, view));
  append(lines, way_lines(snapshot, view));
  append(lines, need_lines(snapshot, view));
  append(lines, warning_lines(snapshot, view));
  append(lines, finding_lines(snapshot, view));
  auto const roomy = view.height == 0 || view.height >= 16;
  if (roomy) {
    lines.emplace_back();
  }
  lines.push_back(strip(snapshot, view));
  if (roomy) {
    lines.emplace_back();
  }
  return lines;
}

}  // namespace

Lines render_run(Json const& snapshot, View const& view) {
  auto lines = head(snapshot, view);
  Lines foot;
  if (!view.footer.empty()) {
    foot = {Line(), Line().add(view.footer, Tone::dim)};
  }
  auto const block = render_phases(snapshot, view);
  auto const used = static_cast<int>(lines.size() + foot.size());
  append(lines, view.height == 0 ? block.lines : window(block, std::max(0, view.height - used)));
  append(lines, foot);
  if (view.height > 0 && static_cast<int>(lines.size()) > view.height) {
    lines.resize(static_cast<std::size_t>(view.height));
  }
  return lines;
}

}  // namespace runbookd::ctl
