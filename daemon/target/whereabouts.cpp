#include "daemon/target/whereabouts.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "store/file.h"

namespace runbookd::daemon {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string first_line(char const* path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

std::string pid_space() {
  std::error_code unknown;
  return std::filesystem::read_symlink("/proc/self/ns/pid", unknown).string();
}

// In ticks since the boot; empty where it may not be read.
std::string start_of(int pid) {
  auto const line = first_line(("/proc/" + std::to_string(pid) + "/stat").c_str());
  auto const name_ends = line.rfind(')');  // a name may contain anything, also blanks
  if (name_ends == std::string::npos) {
    return "";
  }
  std::istringstream fields(line.substr(name_ends + 1));
  constexpr int start_time = 20;  // of those that follow the name
  std::string field;
  for (int i = 0; i < start_time; ++i) {
    fields >> field;
  }
  return field;
}

}  // namespace

Whereabouts whereabouts(std::string const& store) {
  auto const file = store::identity_of(store);
  return {.host = host_name(),
          .machine = first_line("/etc/machine-id"),
          .boot = first_line("/proc/sys/kernel/random/boot_id"),
          .pid_space = pid_space(),
          .pid = getpid(),
          .pid_start = start_of(getpid()),
          .store_file = std::to_string(file.device) + ":" + std::to_string(file.inode),
          .address = ""};
}

bool process_lives(int pid, std::string const& start) {
  if (::kill(pid, 0) != 0 && errno == ESRCH) {
    return false;
  }
  auto const now = start_of(pid);
  return now.empty() || start.empty() || now == start;
}

bool surely_gone(Whereabouts const& then, Whereabouts const& here,
                 std::function<bool(int pid, std::string const& start)> const& lives) {
  if (then.boot.empty() || then.store_file.empty()) {
    return false;  // an older daemon's claim
  }
  bool const same_file = then.store_file == here.store_file;
  if (then.boot == here.boot) {
    // of one file only one process can hold the lock, and that is us
    return same_file || (then.pid_space == here.pid_space && !then.pid_space.empty() &&
                         !lives(then.pid, then.pid_start));
  }
  // A restart of the machine ended it. A cloned machine looks the same but for its address.
  return same_file && then.host == here.host && !then.machine.empty() &&
         then.machine == here.machine && then.address == here.address;
}

}  // namespace runbookd::daemon
