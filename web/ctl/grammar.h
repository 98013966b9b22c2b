// The commands and options of the program, as CLI11 is told of them. For arguments.cpp alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "web/ctl/commands.h"

namespace runbookd::ctl {

// CLI11 binds options to variables: these live as long as the parse. The last subcommand that was
// parsed leaves its command here.
struct Parse {
  CLI::App app{"Steers runbookd: carries database changes through production, phase by phase."};
  Global global;
  Command command = Status{};
  std::string output, timeout;
  bool json = false, wait = false, no_wait = false;
  std::int64_t if_revision = -1;
  std::string group;                        // the heading of the subcommands in the help
  std::vector<std::shared_ptr<void>> kept;  // the option variables of the subcommands
};

void build(Parse& parse);

}  // namespace runbookd::ctl
