#include "tests/web/ctl/command.h"

namespace runbookd::ctl::tests {

Said runbookctl(std::vector<std::string> const& words, Place const& place) {
  std::istringstream in(place.typed);
  std::ostringstream out;
  std::ostringstream err;
  Surroundings world{.in = in,
                     .out = out,
                     .err = err,
                     .in_is_terminal = place.terminal,
                     .out_is_terminal = place.terminal,
                     .unicode = false,
                     .no_color = true,
                     .address = place.address,
                     .actor = place.actor,
                     .socket_exists = place.socket_exists,
                     .utc_offset = {},
                     .now = [] { return planner::Moment{} + std::chrono::hours(24 * 365 * 56); },
                     .outage_told_after = std::chrono::milliseconds(place.outage_told_after_ms),
                     .outage_borne_for = std::chrono::milliseconds(place.outage_borne_for_ms)};
  auto const exit = run(words, world);
  return {exit, out.str(), err.str()};
}

}  // namespace runbookd::ctl::tests
