#include "planner/sweep.h"

#include <algorithm>

namespace runbookd::planner {

int shards_of(Batch const& batch, std::int64_t rows, std::int64_t rows_in_all) {
  constexpr std::int64_t shards_per_worker = 16;
  if (batch.workers <= 1) {
    return 1;
  }
  auto const most = shards_per_worker * batch.workers;
  auto const even = std::max<std::int64_t>(1, rows_in_all / most);
  auto const smallest = std::max<std::int64_t>(1, batch.max_rows);
  return static_cast<int>(std::clamp<std::int64_t>(rows / std::max(even, smallest), 1, most));
}

bool has_subquery(std::string_view where) {
  constexpr std::string_view word = "select";
  auto const same = [](char text, char letter) { return (text | ' ') == letter; };
  return std::search(where.begin(), where.end(), word.begin(), word.end(), same) != where.end();
}

bool sweeps_again(PassFacts const& facts) {
  bool const empties = facts.again == 0 && facts.asked == facts.changed_in_all;
  bool const has_a_point = facts.pass == 1 || facts.changed > 0;
  return facts.has_condition && empties && has_a_point && facts.pass <= most_sweeps;
}

}  // namespace runbookd::planner
