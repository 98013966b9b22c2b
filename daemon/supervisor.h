// Tells whoever started the daemon how it is, in systemd's notify protocol. Where nobody asked for
// it (no $NOTIFY_SOCKET) nothing is told.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace runbookd::daemon {

class Supervisor {
 public:
  bool listens() const;
  void ready() const;
  void status(std::string const& words) const;
  // `at_most`: how long the stop may take, beyond what the unit says.
  void stopping(std::chrono::milliseconds at_most) const;
  void alive() const;
  // Within which time it wants to hear that we are alive; nothing: it does not want to.
  std::optional<std::chrono::milliseconds> patience() const;
};

}  // namespace runbookd::daemon
