// Checks: what was expected, what was found.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/limited_text.h"
#include "web/ctl/render.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

constexpr int widest_name = 32;
// An error's words fit; a whole row of a table does not.
constexpr std::size_t longest_shown = 240;

std::string shown(Json const& check, char const* side) {
  return planner::limited(text_of(check, side), longest_shown);
}

}  // namespace

int name_width_of(Json const& list) {
  int width = 0;
  for (auto const& each : list) {
    width = std::max(width, display_width(clean(text_of(each, "name"))));
  }
  return std::min(width, widest_name);
}

namespace {

Line check_line(Json const& check, int indent, int name_width, View const& view) {
  auto const result = text_of(check, "result");
  auto const stage = text_of(check, "stage");
  Line line;
  line.column(indent).add(icon_for(result, view.look), tone_for(result)).add(" ");
  line.add(pad(fit(clean(text_of(check, "name")), name_width, view.look.cut()), name_width));
  if (stage != "final_checks") {
    line.add("  ").add(pad(stage, 12), Tone::dim);
  }
  line.add("  ").add(pad(result, 6), tone_for(result));
  return line.add("  expected " + shown(check, "expected"));
}

}  // namespace

Lines render_checks(Json const& checks, int indent, View const& view) {
  Lines lines;
  auto const name_width = name_width_of(checks);
  for (auto const& check : checks) {
    auto const result = text_of(check, "result");
    auto line = check_line(check, indent, name_width, view);
    auto const judged = result != "open" && !result.empty();
    auto const tone = result == "passed" ? Tone::plain : Tone::bad;
    auto const got = Line().add("got ").add(shown(check, "actual"), tone);
    // what went wrong must not be cut off at the edge
    auto const wide = line.width() + got.width() + 2 > view.width && result != "passed";
    if (judged && !wide) {
      line.add(", ").add(got);
    }
    lines.push_back(line);
    if (judged && wide) {
      lines.push_back(Line().column(indent + 4).add(got));
    }
  }
  return lines;
}

Lines render_past_checks(Json const& checks, int indent, View const& view) {
  auto others = Json::array();
  std::copy_if(checks.begin(), checks.end(), std::back_inserter(others),
               [](Json const& check) { return text_of(check, "result") != "passed"; });
  auto lines = render_checks(others, indent, view);
  if (auto const passed = checks.size() - others.size(); passed > 0) {
    Line line;
    line.column(indent).add(icon_for("passed", view.look), tone_for("passed")).add(" ");
    line.add(plural(static_cast<std::int64_t>(passed), "check") + " passed", Tone::dim);
    lines.insert(lines.begin(), line);
  }
  return lines;
}

}  // namespace runbookd::ctl
