// Users of this machine, by the system's own records.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "planner/error.h"

namespace runbookd::daemon {

struct LocalUser {
  std::string name;  // the number where it has no name
  std::vector<std::string> groups;
};
LocalUser local_user(uid_t user, gid_t group);

// What is made in somebody else's folder is ours, and his daemon cannot open it. `command`: what
// was asked for, to be asked for as him.
planner::Result<void> expect_own_folder(std::string const& file, std::string const& command);

}  // namespace runbookd::daemon
