#include "tests/bench/stall/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace runbookd::bench {
namespace {

using std::chrono::duration;
using std::chrono::seconds;

constexpr double gap_counts_from_ms = 30;

double ms(Clock::duration time) { return duration<double, std::milli>(time).count(); }

std::string printed(char const* format, auto... values) {
  char text[512];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

}  // namespace

Felt felt(Course const& course) {
  auto const end = course.done + seconds(1);
  Felt all;
  std::vector<double> latencies;
  auto last = course.begun;
  auto const gap_to = [&](Clock::time_point now) {
    auto const gap = ms(now - last);
    all.longest_gap_ms = std::max(all.longest_gap_ms, gap);
    all.gaps_ms += gap > gap_counts_from_ms ? gap : 0;
    last = now;
  };
  for (auto const& one : course.transactions) {
    if (one.done >= course.begun && one.done <= end) {
      gap_to(one.done);
      latencies.push_back(ms(one.done - one.due));
    }
  }
  gap_to(end);
  if (!latencies.empty()) {
    std::ranges::sort(latencies);
    all.per_second = static_cast<double>(latencies.size()) / (ms(end - course.begun) / 1'000);
    all.p999_ms = latencies[latencies.size() * 999 / 1'000];
    all.longest_ms = latencies.back();
  }
  all.done_after_s = ms(course.done - course.blocker_gone) / 1'000;
  return all;
}

Felt median(std::vector<Felt> const& rounds) {
  auto const of = [&](double Felt::* field) {
    std::vector<double> values;
    for (auto const& round : rounds) {
      values.push_back(round.*field);
    }
    std::ranges::sort(values);
    return values[values.size() / 2];
  };
  return {.per_second = of(&Felt::per_second),
          .longest_gap_ms = of(&Felt::longest_gap_ms),
          .gaps_ms = of(&Felt::gaps_ms),
          .p999_ms = of(&Felt::p999_ms),
          .longest_ms = of(&Felt::longest_ms),
          .done_after_s = of(&Felt::done_after_s)};
}

std::string table_head() {
  return printed("%-34s %8s %12s %12s %10s %12s %12s\n", "", "tx/s", "longest gap", "gaps >30ms",
                 "p99.9", "longest", "done after") +
         printed("%-34s %8s %12s %12s %10s %12s %12s\n", "", "", "ms", "ms", "ms", "ms",
                 "blocker, s");
}

std::string table_row(std::string const& name, Felt const& f) {
  return printed("%-34s %8.0f %12.0f %12.0f %10.1f %12.0f %12.2f\n", name.c_str(), f.per_second,
                 f.longest_gap_ms, f.gaps_ms, f.p999_ms, f.longest_ms, f.done_after_s);
}

namespace {

constexpr double width = 900, height = 110, left = 60, top = 40, panel = 150;
constexpr double lowest = 0.1, highest = 100'000;  // ms, of the logarithmic axis

double y_of(double latency) {
  auto const share =
      std::log10(std::clamp(latency, lowest, highest) / lowest) / std::log10(highest / lowest);
  return height * (1 - share);
}

// The worst of each tenth of a second.
std::string curve(Course const& course, double length_s) {
  std::map<long, double> worst;
  for (auto const& one : course.transactions) {
    auto const at = ms(one.due - course.begun) / 100;
    if (at >= -10 && at < length_s * 10) {
      auto& value = worst[std::lround(std::floor(at))];
      value = std::max(value, ms(one.done - one.due));
    }
  }
  std::string points;
  for (auto const& [tenth, latency] : worst) {
    points += printed("%.1f,%.1f ", (static_cast<double>(tenth) / 10 + 1) / (length_s + 1) * width,
                      y_of(latency));
  }
  return "<polyline fill='none' stroke='#1f5fa8' stroke-width='1' points='" + points + "'/>\n";
}

std::string mark(double at_s, double length_s, char const* colour, std::string const& word) {
  auto const x = (at_s + 1) / (length_s + 1) * width;
  return printed(
      "<line x1='%.1f' x2='%.1f' y1='0' y2='%.0f' stroke='%s' stroke-dasharray='3 2'/>"
      "<text x='%.1f' y='-3' font-size='10' fill='%s'>%s</text>\n",
      x, x, height, colour, x + 2, colour, word.c_str());
}

}  // namespace

std::string drawing(std::string const& title, std::vector<Course> const& courses) {
  double length_s = 1;
  for (auto const& course : courses) {
    length_s = std::max(length_s, ms(course.done - course.begun) / 1'000 + 2);
  }
  auto svg = printed(
      "<svg xmlns='http://www.w3.org/2000/svg' width='%.0f' height='%.0f' "
      "font-family='sans-serif' style='background:white'>\n<text x='%.0f' y='18' "
      "font-size='14'>%s</text>\n",
      width + left + 20, top + panel * static_cast<double>(courses.size()) + 20, left,
      title.c_str());
  double y = top + 10;
  for (auto const& course : courses) {
    svg += printed(
        "<g transform='translate(%.0f %.0f)'><text x='0' y='-14' font-size='12'>%s"
        "</text><rect width='%.0f' height='%.0f' fill='none' stroke='#999'/>\n",
        left, y, course.name.c_str(), width, height);
    for (double const line : {1.0, 10.0, 100.0, 1'000.0, 10'000.0}) {
      svg += printed(
          "<line x1='0' x2='%.0f' y1='%.1f' y2='%.1f' stroke='#ddd'/><text x='-6' "
          "y='%.1f' font-size='9' text-anchor='end'>%g ms</text>\n",
          width, y_of(line), y_of(line), y_of(line) + 3, line);
    }
    svg += curve(course, length_s) + mark(0, length_s, "#777", "begun") +
           mark(ms(course.blocker_gone - course.begun) / 1'000, length_s, "#a33", "blocker gone") +
           mark(ms(course.done - course.begun) / 1'000, length_s, "#2a2", "done") + "</g>\n";
    y += panel;
  }
  return svg + "</svg>\n";
}

}  // namespace runbookd::bench
