// runbookd store check | backup | restore: what an operator does with the store's file.
#pragma once

#include <string>

namespace runbookd::daemon {

struct StoreCommand {
  enum class Verb { check, backup, restore } verb = Verb::check;
  std::string file;  // check: empty = the configured store
  bool force = false;
};

// The process's exit code: 0 done and in order, 1 refused or not in order, 9 a bad configuration.
int run_store_command(StoreCommand const& command, std::string const& config_file);

}  // namespace runbookd::daemon
