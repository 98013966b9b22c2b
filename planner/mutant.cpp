#include "planner/mutant.h"

#ifdef RUNBOOKD_TEST_HOOKS

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace runbookd::planner {
namespace {

std::optional<Mutant> chosen() {
  char const* asked = std::getenv("RUNBOOKD_MUTANT");
  if (asked == nullptr) {
    return std::nullopt;
  }
  auto const found = std::ranges::find(mutant_names, std::string_view{asked});
  if (found == mutant_names.end()) {
    std::fprintf(stderr, "RUNBOOKD_MUTANT=%s: planner/mutant.h has no such name\n", asked);
    std::abort();  // nobody may take an unchanged program for a mutant
  }
  return static_cast<Mutant>(found - mutant_names.begin());
}

}  // namespace

bool mutant(Mutant one) {
  static auto const on = chosen();
  return on == one;
}

}  // namespace runbookd::planner

#endif
