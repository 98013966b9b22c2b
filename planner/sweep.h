// How a table is parted among a backfill's workers, and when it is looked through once more. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "planner/plan.h"

namespace runbookd::planner {

// Into how many shards a relation of about so many rows goes, where all relations of the table have
// `rows_in_all`. One worker needs no parts; several get more parts than they are, so that none of
// them ends long after the others, and none smaller than one batch.
int shards_of(Batch const& batch, std::int64_t rows, std::int64_t rows_in_all);

// Whether the condition asks another query for each row: cheap as a join, dear for one row after
// the other. Rather yes than no.
bool has_subquery(std::string_view where);

// What the passes until now have seen.
struct PassFacts {
  int pass = 1;  // that has ended; the first one fills, the others look for rows that need it again
  bool has_condition = true;
  std::int64_t changed = 0;         // by this pass
  std::int64_t changed_in_all = 0;  // by all passes
  std::int64_t asked = 0;           // of those: were asked whether the condition still holds
  std::int64_t again = 0;           // and it did
};
inline constexpr int most_sweeps = 3;
// Whether the table is looked through once more. Not where filled rows still satisfy the condition,
// or may do so: they would be filled twice.
bool sweeps_again(PassFacts const& facts);

}  // namespace runbookd::planner
