#include "planner/time.h"

#include <array>
#include <limits>

namespace runbookd::planner {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string padded(std::int64_t value, std::size_t width) {
  std::string digits = std::to_string(value);
  return digits.size() >= width ? digits : std::string(width - digits.size(), '0') + digits;
}

// Walks over a text; every taker answers nothing where the text does not fit.
struct Cursor {
  std::string_view rest;

  bool skip(char c) {
    bool const fits = !rest.empty() && rest.front() == c;
    rest.remove_prefix(fits ? 1 : 0);
    return fits;
  }
  std::size_t count_digits() const {
    std::size_t n = 0;
    while (n < rest.size() && is_digit(rest[n])) {
      ++n;
    }
    return n;
  }
  // Nothing for more than 15 digits: no duration or date has a use for them, and none overflows.
  std::optional<std::int64_t> number() {
    std::size_t const n = count_digits();
    if (n == 0 || n > 15) {
      return std::nullopt;
    }
    std::int64_t value = 0;
    for (char const c : rest.substr(0, n)) {
      value = value * 10 + (c - '0');
    }
    rest.remove_prefix(n);
    return value;
  }
  std::optional<int> fixed(std::size_t digits) {
    if (rest.size() < digits || Cursor{rest.substr(0, digits)}.count_digits() != digits) {
      return std::nullopt;
    }
    Cursor part{rest.substr(0, digits)};
    rest.remove_prefix(digits);
    return static_cast<int>(*part.number());
  }
  std::string_view letters() {
    std::size_t n = 0;
    while (n < rest.size() && rest[n] >= 'a' && rest[n] <= 'z') {
      ++n;
    }
    auto const word = rest.substr(0, n);
    rest.remove_prefix(n);
    return word;
  }
};

std::optional<std::chrono::sys_days> take_date(Cursor& at) {
  auto const year = at.fixed(4);
  bool const dash = at.skip('-');
  auto const month = at.fixed(2);
  bool const second_dash = at.skip('-');
  auto const day = at.fixed(2);
  if (!year || !dash || !month || !second_dash || !day) {
    return std::nullopt;
  }
  std::chrono::year_month_day const date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional{std::chrono::sys_days{date}} : std::nullopt;
}

// What stands behind the dot, cut to milliseconds.
std::optional<int> take_fraction(Cursor& at) {
  if (!at.skip('.')) {
    return 0;
  }
  std::size_t const n = at.count_digits();
  if (n == 0) {
    return std::nullopt;
  }
  std::string const digits = std::string(at.rest.substr(0, n)) + "00";
  at.rest.remove_prefix(n);
  return Cursor{digits}.fixed(3);
}

std::optional<Duration> take_clock(Cursor& at) {
  auto const hour = at.fixed(2);
  bool const colon = at.skip(':');
  auto const minute = at.fixed(2);
  bool const second_colon = at.skip(':');
  auto const second = at.fixed(2);
  auto const fraction = take_fraction(at);
  if (!hour || !colon || !minute || !second_colon || !second || !fraction) {
    return std::nullopt;
  }
  if (*hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second} +
         Duration{*fraction};
}

std::optional<Duration> take_offset(Cursor& at) {
  if (at.skip('Z') || at.skip('z')) {
    return Duration{0};
  }
  bool const ahead = at.skip('+');
  if (!ahead && !at.skip('-')) {
    return std::nullopt;
  }
  auto const hours = at.fixed(2);
  bool const colon = at.skip(':');
  auto const minutes = at.fixed(2);
  if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) {
    return std::nullopt;
  }
  Duration const offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return ahead ? offset : -offset;
}

// The place of a unit in `units`, which stand from long to short.
std::optional<std::size_t> unit_index(std::string_view name) {
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string to_rfc3339(Moment moment) {
  auto const days = std::chrono::floor<std::chrono::days>(moment);
  std::chrono::year_month_day const date{days};
  std::chrono::hh_mm_ss const clock{moment - days};
  return padded(static_cast<int>(date.year()), 4) + "-" +
         padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2) + "T" + padded(clock.hours().count(), 2) +
         ":" + padded(clock.minutes().count(), 2) + ":" + padded(clock.seconds().count(), 2) + "." +
         padded(clock.subseconds().count(), 3) + "Z";
}

std::optional<Moment> parse_rfc3339(std::string_view text) {
  Cursor at{text};
  auto const date = take_date(at);
  bool const separator = at.skip('T') || at.skip('t') || at.skip(' ');
  auto const clock = take_clock(at);
  auto const offset = take_offset(at);
  if (!date || !separator || !clock || !offset || !at.rest.empty()) {
    return std::nullopt;
  }
  return Moment{*date} + *clock - *offset;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") {
    return Duration{0};
  }
  Cursor at{text};
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // units stand from long to short, each at most once
  do {
    auto const value = at.number();
    auto const unit = unit_index(at.letters());
    if (!value || !unit || *unit < next_unit) {
      return std::nullopt;
    }
    auto const factor = units[*unit].milliseconds;
    if (*value > (std::numeric_limits<std::int64_t>::max() / 1'000'000 - total) / factor) {
      return std::nullopt;  // nanoseconds of it must fit too: std::chrono converts silently
    }
    total += *value * factor;
    next_unit = *unit + 1;
  } while (!at.rest.empty());
  return Duration{total};
}

std::string to_text(Duration duration) {
  auto const count = duration.count();
  if (count == 0) {
    return "0s";
  }
  for (Unit const& unit : units) {
    if (count % unit.milliseconds == 0) {
      return std::to_string(count / unit.milliseconds).append(unit.name);
    }
  }
  return std::to_string(count) + "ms";
}

}  // namespace runbookd::planner
