#include "planner/sweep.h"

#include <algorithm>

namespace runbookd::planner {

int shards_of(Batch const& batch, std::int64_t rows, std::int64_t rows_in_all) {
  constexpr std::int64_t shards_per_worker = 8;
  if (batch.workers <= 1) {
    return 1;
  }
  auto const most = shards_per_worker * batch.workers;
  auto const even = std::max<std::int64_t>(1, rows_in_all / most);
  auto const smallest = std::max<std::int64_t>(1, batch.max_rows);
  return static_cast<int>(std::clamp<std::int64_t>(rows / std::max(even, smallest), 1, most));
}

bool sweeps_again(PassFacts const& facts) {
  bool const first = facts.pass == 1;
  bool const empties = facts.again == 0 && (facts.asked > 0 || (first && facts.changed == 0));
  bool const has_a_point = first || facts.changed > 0;
  return facts.has_condition && empties && has_a_point && facts.pass <= most_sweeps;
}

}  // namespace runbookd::planner
