// Names of things, as types that cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace runbookd::planner {

struct RunId {
  std::string text;  // "run_" and 12 hexadecimal digits
  auto operator<=>(RunId const&) const = default;
};

struct PlanDigest {
  std::string text;  // "sha256:" and 64 hexadecimal digits
  auto operator<=>(PlanDigest const&) const = default;
};

// Position of an event within its run, from 1. The last one of a run is the run's revision.
using EventSeq = std::int64_t;

// A step's place in its plan: both from 0.
struct StepRef {
  int phase = 0;
  int step = 0;
  auto operator<=>(StepRef const&) const = default;
};

enum class Direction { forward, backward };

}  // namespace runbookd::planner
