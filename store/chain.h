// The chains that tie what is recorded together: every hash covers its row and the hash before it,
// so a row that is changed, dropped or moved afterwards does not fit any more. The events of a run
// are one chain, the audit is another.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace runbookd::store {

// SHA-256, hexadecimal, over "<size>:<bytes>," of the hash before ("" for the first row) and of
// every field, sizes in decimal. Anybody can recompute it with this line and the table.
std::string hash_after(std::string_view previous, std::initializer_list<std::string_view> fields);

// An event as it stands in the table.
struct EventRow {
  std::string run;
  std::int64_t seq = 0;
  std::int64_t at = 0;  // milliseconds since 1970, UTC
  std::string kind, actor, reason, body;
};

// The fields are run, seq, at, kind, actor, reason, body; numbers in decimal.
std::string hash_after(std::string_view previous, EventRow const& row);

}  // namespace runbookd::store
