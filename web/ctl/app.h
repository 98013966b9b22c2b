// From words on a command line to an exit code; main() without its surroundings.
#pragma once

#include <string>
#include <vector>

#include "web/ctl/surroundings.h"

namespace runbookd::ctl {

int run(std::vector<std::string> const& arguments, Surroundings& world);

}  // namespace runbookd::ctl
