// Words and widths for a terminal: what people read, and what must not reach their terminal raw.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "planner/time.h"
#include "planner/words.h"
#include "web/target.h"

namespace runbookd::ctl {

using planner::Duration;
using planner::Moment;

// Columns that the text takes; combining marks take none, wide characters two.
int display_width(std::string_view text);
// One line without control characters or broken UTF-8: SQL and query text come from strangers.
std::string clean(std::string_view text);
// Like clean(), but keeps line ends and tabs: for SQL that is shown whole.
std::vector<std::string> clean_lines(std::string_view text);
// At most `width` columns; a cut is marked with `mark`.
std::string fit(std::string_view text, int width, std::string_view mark = "...");
std::string pad(std::string text, int width);
// Broken at spaces into at most `most` lines of at most `width` columns; the last one is cut.
std::vector<std::string> wrap(std::string_view text, int width, int most,
                              std::string_view mark = "...");
std::vector<std::string> split(std::string_view text, char separator);  // without empty parts
using planner::joined;

std::string short_duration(Duration duration);  // "0.8 s", "41 s", "2 min 10 s", "1 h 05 min"
std::string short_count(std::int64_t count);    // "950", "12.4 k", "41.2 M"
std::string short_rate(double per_second);      // "11.9 k"
std::string plural(std::int64_t count, std::string_view word);  // "1 step", "3 steps"
std::string fixed(double value, int digits);
std::string clock_time(Moment moment, Duration utc_offset);     // "03:12:07"
std::string short_clock(Moment moment, Duration utc_offset);    // "03:12"
std::string date_and_time(Moment moment, Duration utc_offset);  // "2026-12-01 03:12:07"

// As one word of a POSIX shell.
std::string shell_quote(std::string_view word);
// As one segment of a path or one value of a query.
inline std::string percent_encode(std::string_view text) { return web::percent_encoded(text); }
// Steps from one word to the other; for "did you mean".
std::string nearest(std::string_view word, std::vector<std::string> const& candidates);

}  // namespace runbookd::ctl
