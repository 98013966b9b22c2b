// Moments and durations. Nothing here asks what time it is: every decision gets `now` as an
// argument. Wire form: RFC 3339 in UTC with milliseconds; durations as "200ms", "30s", "10m",
// "72h", "7d".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace runbookd::planner {

using Duration = std::chrono::milliseconds;
using Moment = std::chrono::time_point<std::chrono::system_clock, Duration>;

std::string to_rfc3339(Moment moment);
std::optional<Moment> parse_rfc3339(std::string_view text);

// "1h30m", "200ms", "0". A bare number other than 0 is refused: a unit is always said.
std::optional<Duration> parse_duration(std::string_view text);
// The shortest exact spelling: 90'000 ms -> "90s", 120'000 ms -> "2m".
std::string to_text(Duration duration);

}  // namespace runbookd::planner
