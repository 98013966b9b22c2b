// Users of this machine, by the system's own records.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace runbookd::daemon {

struct LocalUser {
  std::string name;  // the number where it has no name
  std::vector<std::string> groups;
};
LocalUser local_user(uid_t user, gid_t group);

}  // namespace runbookd::daemon
