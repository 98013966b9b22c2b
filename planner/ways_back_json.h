// What a target says of the ways back that no text tells, on its way from daemon to command line.
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "planner/error.h"
#include "planner/plan.h"
#include "planner/way_back.h"

namespace runbookd::planner {

// Of each step whose way back only the catalog tells: its SQL, or the first reason why there is
// none.
struct WaysBack {
  std::map<StepRef, std::string> sql, refused;

  void add(StepRef ref, DerivedWayBack const& derived);
};

// {"steps":[{"step":"expand/add","rollback":"ALTER …"},{"step":"…","refused":"…"}]}
std::string ways_back_json(Plan const& plan, WaysBack const& told);
Result<WaysBack> ways_back_from_json(Plan const& plan, std::string_view json);

}  // namespace runbookd::planner
