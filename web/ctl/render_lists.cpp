#include "web/ctl/render_lists.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

Line cell(std::string_view text, Tone tone = Tone::plain) { return Line().add(text, tone); }

Line state_cell(Json const& row, View const& view) {
  auto const state = text_of(row, "state");
  return cell(std::string(icon_for(state, view.look)) + ' ' + state_words(row), tone_for(state));
}

Line time_cell(Json const& row, char const* key, View const& view) {
  auto const moment = moment_of(row, key);
  return cell(moment == planner::Moment{} ? "" : date_and_time(moment, view.utc_offset), Tone::dim);
}

std::string where_of(Json const& row) {
  auto const phase = text_of(row, "phase");
  auto const step = text_of(row, "step");
  return step.empty() ? phase : phase + '/' + step;
}

}  // namespace

Lines table(std::vector<std::string> const& head, std::vector<Lines> const& rows) {
  std::vector<int> widths;
  for (std::size_t column = 0; column < head.size(); ++column) {
    auto width = display_width(head[column]);
    for (auto const& row : rows) {
      width = std::max(width, row[column].width());
    }
    widths.push_back(width);
  }
  auto const laid_out = [&widths](Lines const& cells) {
    Line line;
    int start = 0;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column > 0) {
        line.column(start);
      }
      line.add(cells[column]);
      start += widths[column] + 2;
    }
    return line;
  };
  Lines titles;
  for (auto const& title : head) {
    titles.push_back(cell(title, Tone::dim));
  }
  Lines lines{laid_out(titles)};
  std::transform(rows.begin(), rows.end(), std::back_inserter(lines), laid_out);
  return lines;
}

Lines render_runs(Json const& rows, View const& view) {
  std::vector<Lines> cells;
  for (auto const& row : rows) {
    cells.push_back({cell(text_of(row, "run")),
                     cell(text_of(child(row, "plan"), "name"), Tone::strong),
                     cell(text_of(row, "target")), state_cell(row, view), cell(where_of(row)),
                     time_cell(row, "created_at", view), cell(text_of(row, "created_by"))});
  }
  return table({"RUN", "PLAN", "TARGET", "STATE", "AT", "CREATED", "BY"}, cells);
}

Lines render_plans(Json const& rows, View const& view) {
  std::vector<Lines> cells;
  for (auto const& row : rows) {
    cells.push_back({cell(text_of(row, "digest").substr(0, 19)),
                     cell(text_of(row, "name"), Tone::strong), cell(text_of(row, "title")),
                     time_cell(row, "stored_at", view), cell(text_of(row, "stored_by"))});
  }
  return table({"DIGEST", "NAME", "TITLE", "STORED", "BY"}, cells);
}

Lines render_active(Json const& rows, View const& view) {
  Lines lines;
  for (auto const& row : rows) {
    Line first;
    first.add(text_of(row, "run"), Tone::dim).add("  ");
    first.add(text_of(child(row, "plan"), "name"), Tone::strong).add(" ");
    first.add(view.look.arrow()).add(" ").add(text_of(row, "target"), Tone::strong).add("  ");
    first.add(state_cell(row, view));
    if (auto const where = where_of(row); !where.empty()) {
      first.add("  " + where);
    }
    lines.push_back(first);
    // the whole of it is told where one run is looked at
    auto const message = render_message(text_of(row, "state_message"), 4, 1, view);
    lines.insert(lines.end(), message.begin(), message.end());
  }
  return lines;
}

Lines render_preview(Json const& preview) {
  auto const& steps = child(preview, "steps");
  Lines lines{Line().add(
      steps.empty() ? "Nothing would be undone."
                    : "Would undo " + plural(static_cast<std::int64_t>(steps.size()), "step") +
                          ", newest first:")};
  int number = 0;
  for (auto const& step : steps) {
    auto const label = step.is_string() ? step.get<std::string>() : where_of(step);
    auto const name = label.empty() ? text_of(step, "name") : label;
    lines.push_back(Line().add("  " + std::to_string(++number) + ". ").add(name, Tone::strong));
    for (auto const& text : clean_lines(text_of(step, "sql"))) {
      lines.push_back(Line().add("       " + text));
    }
    for (auto const* key : {"manual", "message", "note"}) {
      if (has_text(step, key)) {
        lines.push_back(Line().add("       " + text_of(step, key), Tone::dim));
      }
    }
  }
  if (has_text(preview, "message")) {
    lines.push_back(Line().add(text_of(preview, "message")));
  }
  return lines;
}

Line render_event(Json const& event, View const& view) {
  auto const kind = text_of(event, "kind");
  auto const actor = text_of(event, "actor");
  auto const reason = text_of(event, "reason");
  Line line;
  auto const told = moment_of(event, "time");  // live lines carry none
  auto const moment = told == planner::Moment{} ? view.now : told;
  line.add(clock_time(moment, view.utc_offset), Tone::dim).add("  ");
  line.add(pad(kind, 20), Tone::active).add("  ").add(text_of(event, "message"));
  if (!actor.empty()) {
    line.add("  by " + actor, Tone::dim);
  }
  if (!reason.empty()) {
    line.add(" (" + reason + ")", Tone::dim);
  }
  return line;
}

}  // namespace runbookd::ctl
