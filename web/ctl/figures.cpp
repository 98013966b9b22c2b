// The spelling of durations, counts and times for people.
#include <cmath>
#include <cstdio>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using namespace std::chrono;

std::string two_parts(std::int64_t large, char const* large_unit, std::int64_t small,
                      char const* small_unit) {
  char text[64];
  std::snprintf(text, sizeof text, "%lld %s %02lld %s", static_cast<long long>(large), large_unit,
                static_cast<long long>(small), small_unit);
  return text;
}

std::string scaled(double value) {
  auto const size = std::fabs(value);
  if (size >= 999.95e6) {
    return fixed(value / 1e9, 1) + " G";
  }
  if (size >= 999.95e3) {
    return fixed(value / 1e6, 1) + " M";
  }
  return size >= 9999.5 ? fixed(value / 1e3, 1) + " k" : fixed(value, 0);
}

struct Calendar {
  year_month_day day;
  hh_mm_ss<Duration> time;
};

Calendar calendar(Moment moment, Duration utc_offset) {
  auto const local = moment + utc_offset;
  auto const midnight = floor<days>(local);
  return {year_month_day(midnight), hh_mm_ss<Duration>(local - midnight)};
}

std::string time_text(hh_mm_ss<Duration> const& time, bool with_seconds) {
  char text[16];
  auto const size = std::snprintf(
      text, sizeof text, "%02d:%02d:%02d", static_cast<int>(time.hours().count()),
      static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return std::string(text, with_seconds ? size : 5);
}

}  // namespace

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string short_duration(Duration duration) {
  auto const ms = duration.count();
  if (ms < 0) {
    return "0 s";
  }
  if (ms < 100) {
    return std::to_string(ms) + " ms";
  }
  if (ms < 9'950) {
    return fixed(static_cast<double>(ms) / 1000, 1) + " s";
  }
  auto const seconds = (ms + 500) / 1000;
  if (seconds < 60) {
    return std::to_string(seconds) + " s";
  }
  if (seconds < 3600) {
    return two_parts(seconds / 60, "min", seconds % 60, "s");
  }
  if (seconds < 48 * 3600) {
    return two_parts(seconds / 3600, "h", seconds / 60 % 60, "min");
  }
  return two_parts(seconds / 86'400, "d", seconds / 3600 % 24, "h");
}

std::string short_count(std::int64_t count) { return scaled(static_cast<double>(count)); }

std::string short_rate(double per_second) {
  return per_second > 0 && per_second < 10 ? fixed(per_second, 1) : scaled(per_second);
}

std::string plural(std::int64_t count, std::string_view word) {
  auto text = std::to_string(count) + ' ' + std::string(word);
  if (count == 1) {
    return text;
  }
  return text.ends_with('y') ? text.replace(text.size() - 1, 1, "ies") : text + 's';
}

std::string clock_time(Moment moment, Duration utc_offset) {
  return time_text(calendar(moment, utc_offset).time, true);
}

std::string short_clock(Moment moment, Duration utc_offset) {
  return time_text(calendar(moment, utc_offset).time, false);
}

std::string date_and_time(Moment moment, Duration utc_offset) {
  auto const [day, time] = calendar(moment, utc_offset);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u ", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text + time_text(time, true);
}

}  // namespace runbookd::ctl
