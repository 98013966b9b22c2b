// The terminal as a device: size, single keys, signals that mean "leave".
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <termios.h>

namespace runbookd::ctl {

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};
TerminalSize terminal_size();

// While it lives, SIGINT, SIGTERM and SIGHUP wake wait() instead of ending the program, and a
// changed window size does too. One at a time.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(Interrupts const&) = delete;
  Interrupts& operator=(Interrupts const&) = delete;
  bool asked_to_leave() const;
  int descriptor() const;  // readable when something came
  void drain() const;      // forgets what woke us, not that we were asked to leave
  // Sleeps; true when asked to leave.
  bool wait(std::chrono::milliseconds time) const;
};

// While it lives, what is typed is not shown.
class HiddenTyping {
 public:
  HiddenTyping();
  ~HiddenTyping();
  HiddenTyping(HiddenTyping const&) = delete;
  HiddenTyping& operator=(HiddenTyping const&) = delete;

 private:
  std::optional<termios> before_;
};

// While it lives, keys arrive one by one and are not shown; the cursor is hidden.
class SingleKeys {
 public:
  explicit SingleKeys(bool wanted);
  ~SingleKeys();
  SingleKeys(SingleKeys const&) = delete;
  SingleKeys& operator=(SingleKeys const&) = delete;
  // Keys typed by now; nothing when input has ended.
  std::optional<std::string> read() const;

 private:
  std::optional<termios> before_;
};

}  // namespace runbookd::ctl
