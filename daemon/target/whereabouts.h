// Where a daemon runs, as far as another daemon needs to know it to tell that this one is gone.
#pragma once

#include <functional>
#include <string>

namespace runbookd::daemon {

struct Whereabouts {
  std::string host, machine;  // its name; /etc/machine-id
  std::string boot;           // random, of this boot of the kernel
  std::string pid_space;      // in which the pid counts: containers have their own
  int pid = 0;
  std::string pid_start;   // tells it from a later process with that pid
  std::string store_file;  // device and inode of the store, which its process keeps locked
  std::string address;     // from which the server sees it; empty = over a socket of its machine
};

// Of this process, which holds the lock on that store. Without the address.
Whereabouts whereabouts(std::string const& store);

// False: there is no such process, or it began at another time.
bool process_lives(int pid, std::string const& start);

// No process at `then` can still be at work, beyond doubt; `here` is ourselves. What is not known
// proves nothing.
bool surely_gone(Whereabouts const& then, Whereabouts const& here,
                 std::function<bool(int pid, std::string const& start)> const& lives);

}  // namespace runbookd::daemon
