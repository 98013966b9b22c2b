// Random plans whose every step leaves an effect of its own in the target, so that what a run says
// of a step can be compared with what is there.
#pragma once

#include <map>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

namespace runbookd::chaos {

enum class StepKind { ledger, column, index, fill, by_hand, pause };

struct RandomPlan {
  nlohmann::json document;                // as it is uploaded
  std::string setup;                      // what the plan needs beside target_setup
  std::map<std::string, StepKind> kinds;  // by "phase/step"
};

RandomPlan random_plan(std::mt19937& chance);

// Names in the target, of the step at "phase/step".
std::string effect_name(std::string const& label);
std::string column_name(std::string const& label);
std::string index_name(std::string const& label);
std::string fill_table(std::string const& label);

// What makes the next try of everything succeed that was to fail.
extern char const* const mend_everything;

int below(std::mt19937& chance, int limit);  // 0 … limit - 1
bool one_in(std::mt19937& chance, int times);

}  // namespace runbookd::chaos
