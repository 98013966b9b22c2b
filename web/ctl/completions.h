// Completion scripts for shells. Ids of runs are asked of the daemon, which has 300 ms for it.
#pragma once

#include <string>

#include "web/ctl/command_page.h"

namespace runbookd::ctl {

std::string bash_completion(CommandPage const& program);
std::string zsh_completion(CommandPage const& program);
std::string fish_completion(CommandPage const& program);

}  // namespace runbookd::ctl
