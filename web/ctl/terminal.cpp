#include "web/ctl/terminal.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace runbookd::ctl {

namespace {

constexpr std::array leaving{SIGINT, SIGTERM, SIGHUP};

// A signal handler can reach nothing but globals.
int wakeup[2] = {-1, -1};
volatile sig_atomic_t asked = 0;
struct sigaction before[4];

void on_signal(int number) {
  auto const saved = errno;
  if (number != SIGWINCH) {
    asked = 1;
  }
  char const byte = 0;
  [[maybe_unused]] auto const written = ::write(wakeup[1], &byte, 1);
  errno = saved;
}

void install(int number, struct sigaction* old) {
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, old);
}

}  // namespace

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

Interrupts::Interrupts() {
  asked = 0;
  if (::pipe2(wakeup, O_CLOEXEC | O_NONBLOCK) != 0) {
    wakeup[0] = wakeup[1] = -1;
  }
  for (std::size_t i = 0; i < leaving.size(); ++i) {
    install(leaving[i], &before[i]);
  }
  install(SIGWINCH, &before[3]);
}

Interrupts::~Interrupts() {
  for (std::size_t i = 0; i < leaving.size(); ++i) {
    ::sigaction(leaving[i], &before[i], nullptr);
  }
  ::sigaction(SIGWINCH, &before[3], nullptr);
  ::close(wakeup[0]);
  ::close(wakeup[1]);
}

bool Interrupts::asked_to_leave() const { return asked != 0; }
int Interrupts::descriptor() const { return wakeup[0]; }

void Interrupts::drain() const {
  char bytes[64];
  while (::read(wakeup[0], bytes, sizeof bytes) > 0) {
  }
}

bool Interrupts::wait(std::chrono::milliseconds time) const {
  pollfd entry{wakeup[0], POLLIN, 0};
  ::poll(&entry, 1, static_cast<int>(time.count()));
  drain();
  return asked_to_leave();
}

HiddenTyping::HiddenTyping() {
  termios now{};
  if (::tcgetattr(STDIN_FILENO, &now) == 0) {
    before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
  }
}

HiddenTyping::~HiddenTyping() {
  if (before_) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
  }
}

SingleKeys::SingleKeys(bool wanted) {
  termios now{};
  if (!wanted || ::tcgetattr(STDIN_FILENO, &now) != 0) {
    return;
  }
  before_ = now;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  now.c_cc[VMIN] = 0;
  now.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

SingleKeys::~SingleKeys() {
  if (before_) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
  }
}

std::optional<std::string> SingleKeys::read() const {
  char keys[64];
  auto const size = ::read(STDIN_FILENO, keys, sizeof keys);
  if (size > 0) {
    return std::string(keys, static_cast<std::size_t>(size));
  }
  return size < 0 && errno == EINTR ? std::optional<std::string>("") : std::nullopt;
}

}  // namespace runbookd::ctl
