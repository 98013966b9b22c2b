// The chain that ties the events of one run together: every hash covers its row and the hash before
// it, so a row that is changed, dropped or moved afterwards does not fit any more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace runbookd::store {

// An event as it stands in the table.
struct EventRow {
  std::string run;
  std::int64_t seq = 0;
  std::int64_t at = 0;  // milliseconds since 1970, UTC
  std::string kind, actor, reason, body;
};

// SHA-256, hexadecimal, over "<size>:<bytes>," of: previous hash ("" for the first event), run,
// seq, at, kind, actor, reason, body; numbers in decimal. Anybody can recompute it with these two
// lines and the table.
std::string hash_after(std::string_view previous, EventRow const& row);

}  // namespace runbookd::store
