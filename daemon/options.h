// The command line of runbookd, and the one door to the environment.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"
#include "daemon/store_commands.h"

namespace runbookd::daemon {

struct Options {
  std::string config_file = "/etc/runbookd/runbookd.yaml";
  bool check_config = false;
  std::optional<StoreCommand> store;
};

// Either options, or the exit code of a command line that is answered already (help, version, an
// error).
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;
};
ParsedOptions parse_options(int argc, char** argv);

config::Environment process_environment();

}  // namespace runbookd::daemon
