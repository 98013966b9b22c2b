// Plans whose every step leaves a countable effect in the target, so that a step lost or done twice
// shows.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace runbookd::chaos {

struct Scenario {
  std::string name;
  std::string plan;  // YAML
  // What removes the cause of a failure that the plan runs into on purpose; empty: nothing fails.
  std::string repair;
  // Steps outside transactions: the catalog may have settled them in their marker's place.
  std::set<std::string> outside;
  // Pause once and stop the daemon in order once on the way forward.
  bool interrupted = false;
};

std::vector<Scenario> const& scenarios();
// All kinds of steps in one plan that goes on by itself after a crash.
Scenario const& mixed();
// Backfills alone, of many small batches.
Scenario const& fills();
// Changes the table that an application moves money in.
Scenario const& banking();

// The tables that the plans work on, in an empty public schema.
extern char const* const target_setup;
// One text about all that the plans change; its first line counts the effects.
extern char const* const target_facts;
constexpr int bank_accounts = 200;

}  // namespace runbookd::chaos
