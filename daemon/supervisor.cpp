#include "daemon/supervisor.h"

#include <cstdint>

#include <systemd/sd-daemon.h>

namespace runbookd::daemon {
namespace {

constexpr int keep_environment = 0;

// Nobody to tell is no error, and a supervisor that does not hear us acts by itself.
void tell(std::string const& message) { (void)sd_notify(keep_environment, message.c_str()); }

}  // namespace

// An empty message finds out without telling anything.
bool Supervisor::listens() const { return sd_notify(keep_environment, "") > 0; }

void Supervisor::ready() const { tell("READY=1"); }

void Supervisor::status(std::string const& words) const { tell("STATUS=" + words); }

void Supervisor::stopping(std::chrono::milliseconds at_most) const {
  auto const microseconds = std::chrono::microseconds(at_most).count();
  tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(microseconds));
}

void Supervisor::alive() const { tell("WATCHDOG=1"); }

std::optional<std::chrono::milliseconds> Supervisor::patience() const {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(keep_environment, &microseconds) <= 0) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(microseconds / 1000);
}

}  // namespace runbookd::daemon
