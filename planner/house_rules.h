// What the daemon as a whole says to every run, whatever its plan: the hold, and the windows of its
// target. The machine refuses by them like by anything else.
#pragma once

#include <optional>
#include <string>

#include "planner/time.h"

namespace runbookd::planner {

// A brake on all runs, set by a person.
struct Hold {
  std::string reason, by;
  Moment since{};
  std::optional<Moment> until;
  bool operator==(Hold const&) const = default;
};
// "everything is held since … by ana: p99 is up, until …"
std::string to_text(Hold const& hold);
// The reason of each pause that a hold asks for: a run's history tells by it what stopped the run.
std::string pause_reason(Hold const& hold);

// Why nothing new begins on the target now.
struct ShutWindow {
  std::string why;              // a sentence
  std::optional<Moment> opens;  // nothing: not within a year
  bool operator==(ShutWindow const&) const = default;
};

struct HouseRules {
  std::optional<Hold> hold;
  std::optional<ShutWindow> window;
};

}  // namespace runbookd::planner
