#include "daemon/chance.h"

#include <string>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace runbookd::daemon {
namespace {

constexpr std::size_t id_digits = 12;

std::uint64_t system_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace

Chance::Chance() : Chance(system_seed()) {}
Chance::Chance(std::uint64_t seed) : engine_(seed) {}

planner::RunId Chance::run_id() {
  boost::uuids::basic_random_generator<std::mt19937_64> generate(engine_);
  std::string digits;
  for (char const c : to_string(generate())) {
    if (c != '-' && digits.size() < id_digits) {
      digits += c;
    }
  }
  return {"run_" + digits};
}

double Chance::jitter() { return std::uniform_real_distribution<>{0.0, 1.0}(engine_); }

}  // namespace runbookd::daemon
