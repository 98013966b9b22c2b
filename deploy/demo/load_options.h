// The command line of the load program.
#pragma once

#include <optional>
#include <string>

namespace runbookd::demo {

struct LoadOptions {
  std::string dsn;
  int connections = 4;
  double rate = 200;        // transactions a second over all connections
  std::string app_file;     // its content says which version is deployed; empty: always v1
  std::string status_file;  // rewritten each second; empty: the summary only goes to stdout
};

struct CommandLine {
  LoadOptions options;
  std::optional<int>
      exit_status;  // set when the program has nothing more to do: help, or a mistake
};

// Says on stderr what is wrong, if anything is.
CommandLine read_command_line(int count, char** words);

}  // namespace runbookd::demo
