#include "daemon/chance.h"

#include <stdexcept>
#include <string>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <sys/random.h>

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

std::string Chance::secret(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (getentropy(raw.data(), raw.size()) != 0) {
    throw std::runtime_error("this system gives no random bytes");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (char const c : raw) {
    auto const byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4U];
    hex += digits[byte & 0x0FU];
  }
  return hex;
}

double Chance::jitter() { return std::uniform_real_distribution<>{0.0, 1.0}(engine_); }

}  // namespace runbookd::daemon
