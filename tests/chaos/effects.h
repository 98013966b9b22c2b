// What a run left in its target, against what its record says.
#pragma once

#include <string>
#include <vector>

#include "tests/chaos/oracle.h"
#include "tests/chaos/random_plan.h"
#include "tests/chaos/trial.h"

namespace runbookd::chaos {

// For a run at rest.
std::vector<std::string> wrong_effects(Record const& record, RandomPlan const& plan,
                                       Site const& site);

}  // namespace runbookd::chaos
