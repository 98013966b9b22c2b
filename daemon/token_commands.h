// `runbookd token create|list|revoke`: for whoever may read the store itself, so that the first
// token needs no password.
#pragma once

#include <string>
#include <vector>

namespace runbookd::daemon {

struct TokenCommand {
  enum class Verb { create, list, revoke } verb = Verb::list;
  std::string principal, name, expires, id;
  std::vector<std::string> roles;
};

// In the store where no daemon holds it, else by the daemon that does. Gives the exit code.
int run_token_command(TokenCommand const& command, std::string const& config_file);

}  // namespace runbookd::daemon
