// The judgement of one sequence, once its daemon is dead: the store alone, then all that was heard
// and all that is in the target against the store's record.
#pragma once

#include <string>
#include <vector>

#include "tests/chaos/oracle.h"
#include "tests/chaos/random_plan.h"
#include "tests/chaos/trial.h"

namespace runbookd::chaos {

// Throws Violation where the store is not in order.
Record read_record(std::string const& store, std::string const& run);

// Throws Violation with all that is wrong. `lines`: the events as the daemon told them.
void judge(Record const& record, Heard const& heard, std::vector<json> const& lines,
           RandomPlan const& plan, Site const& site);

}  // namespace runbookd::chaos
