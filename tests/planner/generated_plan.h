// Random plans with every kind of step, check and gate, and with texts that are hard to quote.
#pragma once

#include "planner/plan.h"

namespace runbookd::planner {

Plan generated_plan();  // inside of rc::check only

}  // namespace runbookd::planner
