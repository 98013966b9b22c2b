// PostgreSQL's relation locks. Pure values.
#pragma once

#include <string_view>

namespace runbookd::planner {

enum class LockMode {
  access_share,
  row_share,
  row_exclusive,
  share_update_exclusive,
  share,
  share_row_exclusive,
  exclusive,
  access_exclusive
};

std::string_view to_text(LockMode mode);     // "AccessExclusiveLock", as pg_locks has it
std::string_view lock_words(LockMode mode);  // "ACCESS EXCLUSIVE", as LOCK TABLE takes it
bool conflict(LockMode one, LockMode other);

// An ordinary SELECT, an ordinary INSERT, UPDATE or DELETE waits for it.
constexpr bool blocks_reads(LockMode mode) { return mode == LockMode::access_exclusive; }
constexpr bool blocks_writes(LockMode mode) { return mode >= LockMode::share; }

}  // namespace runbookd::planner
