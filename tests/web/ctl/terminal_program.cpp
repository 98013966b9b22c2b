#include "tests/web/ctl/terminal_program.h"

#include <array>
#include <cstdlib>
#include <stdexcept>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

namespace runbookd::ctl::tests {

namespace {

constexpr int patience_ms = 30'000;

[[noreturn]] void become(int terminal, std::vector<char*> const& arguments) {
  ::login_tty(terminal);
  ::setenv("TERM", "xterm", 1);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::setenv("RUNBOOKCTL_ACTOR", "ana", 1);
  ::unsetenv("NO_COLOR");
  ::execv(arguments.front(), arguments.data());
  ::_exit(127);
}

}  // namespace

TerminalProgram::TerminalProgram(std::vector<std::string> const& words) {
  winsize const size{30, 100, 0, 0};
  if (::openpty(&terminal_, &slave_, nullptr, nullptr, &size) != 0) {
    throw std::runtime_error("no pseudo-terminal");
  }
  // all memory is had before the fork: another thread may hold the allocator's lock
  auto copies = words;
  std::string program = RUNBOOKCTL_PROGRAM;
  std::vector<char*> arguments{program.data()};
  for (auto& word : copies) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  process_ = ::fork();
  if (process_ == 0) {
    ::close(terminal_);
    become(slave_, arguments);
  }
}

TerminalProgram::~TerminalProgram() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ::close(slave_);
  ::close(terminal_);
}

bool TerminalProgram::read_some() {
  pollfd entry{terminal_, POLLIN, 0};
  if (::poll(&entry, 1, patience_ms) <= 0) {
    return false;
  }
  std::array<char, 4096> buffer;
  auto const size = ::read(terminal_, buffer.data(), buffer.size());
  output_.append(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return size > 0;
}

bool TerminalProgram::shows(std::string const& text) {
  while (output_.find(text) == std::string::npos) {
    if (!read_some()) {
      return false;
    }
  }
  return true;
}

void TerminalProgram::type(std::string const& keys) const {
  [[maybe_unused]] auto const written = ::write(terminal_, keys.data(), keys.size());
}

int TerminalProgram::exit_code() {
  int status = 0;
  while (::waitpid(process_, &status, WNOHANG) == 0) {
    pollfd entry{terminal_, POLLIN, 0};
    if (::poll(&entry, 1, 20) > 0) {
      read_some();
    }
  }
  process_ = -1;
  pollfd entry{terminal_, POLLIN, 0};
  while (::poll(&entry, 1, 0) > 0 && read_some()) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool TerminalProgram::echoes() const {
  termios modes{};
  ::tcgetattr(slave_, &modes);
  return (modes.c_lflag & ECHO) != 0 && (modes.c_lflag & ICANON) != 0;
}

}  // namespace runbookd::ctl::tests
