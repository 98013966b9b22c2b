// The command line of runbookd, what it says on stderr before there is a log, and the one door to
// the environment.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"
#include "daemon/store_commands.h"
#include "daemon/token_commands.h"
#include "planner/error.h"

namespace runbookd::daemon {

struct Options {
  std::string config_file = "/etc/runbookd/runbookd.yaml";
  bool check_config = false;
  std::optional<StoreCommand> store;
  std::optional<TokenCommand> token;
};

// Either options, or the exit code of a command line that is answered already (help, version, an
// error).
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;
};
ParsedOptions parse_options(int argc, char** argv);

// Exit codes.
inline constexpr int exit_failed = 1;
inline constexpr int exit_bad_configuration = 9;

int tell(planner::Error const& error);  // what and the next command; gives exit_failed
// Every finding is told; nothing where the file does not load.
std::optional<config::Settings> settings_or_tell(std::string const& config_file);

config::Environment process_environment();

}  // namespace runbookd::daemon
