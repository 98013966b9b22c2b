// argv -> a command, or the text and exit code to leave with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "web/ctl/commands.h"
#include "web/ctl/failure.h"

namespace runbookd::ctl {

struct Invocation {
  Global global;
  Command command;
};
struct Leave {
  std::string text;                // help goes to stdout
  std::optional<Failure> failure;  // a usage error goes to stderr
  bool as_json = false;
};

tl::expected<Invocation, Leave> parse_arguments(std::vector<std::string> const& arguments);

}  // namespace runbookd::ctl
