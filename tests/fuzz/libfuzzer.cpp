// One of the targets as a libFuzzer binary: RUNBOOKD_FUZZ_TARGET is its name.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/targets.h"

using namespace runbookd::fuzz;

// An exception that leaves it is a finding: libFuzzer keeps the input.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static auto const target =
      std::find_if(targets().begin(), targets().end(),
                   [](Target const& one) { return one.name == RUNBOOKD_FUZZ_TARGET; });
  if (target == targets().end()) {
    std::abort();  // tests/fuzz/CMakeLists.txt names one that is not there
  }
  target->take({reinterpret_cast<char const*>(data), size});
  return 0;
}
