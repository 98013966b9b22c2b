#include "planner/lock_mode.h"

#include <array>

namespace runbookd::planner {
namespace {

struct Words {
  std::string_view catalog, sql;
  unsigned conflicts;  // a bit for each mode, the weakest first
};

constexpr std::array<Words, 8> table{{
    {"AccessShareLock", "ACCESS SHARE", 0b1000'0000},
    {"RowShareLock", "ROW SHARE", 0b1100'0000},
    {"RowExclusiveLock", "ROW EXCLUSIVE", 0b1111'0000},
    {"ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE", 0b1111'1000},
    {"ShareLock", "SHARE", 0b1110'1100},
    {"ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE", 0b1111'1100},
    {"ExclusiveLock", "EXCLUSIVE", 0b1111'1110},
    {"AccessExclusiveLock", "ACCESS EXCLUSIVE", 0b1111'1111},
}};

constexpr Words const& words(LockMode mode) { return table.at(static_cast<std::size_t>(mode)); }

}  // namespace

std::string_view to_text(LockMode mode) { return words(mode).catalog; }
std::string_view lock_words(LockMode mode) { return words(mode).sql; }
bool conflict(LockMode one, LockMode other) {
  return (words(one).conflicts >> static_cast<unsigned>(other) & 1U) != 0;
}

}  // namespace runbookd::planner
