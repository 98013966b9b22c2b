// runbookctl as a function: words in, exit code and both streams out.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "web/ctl/app.h"

namespace runbookd::ctl::tests {

struct Said {
  int exit = 0;
  std::string out, err;
};

// What a test may set about the place where the command runs.
struct Place {
  std::string address = "http://127.0.0.1:1";  // nobody listens there
  std::string actor = "ana";
  std::string typed;  // standard input
  bool terminal = false;
  bool socket_exists = false;
  int outage_told_after_ms = 0;
  int outage_borne_for_ms = 120'000;
};

Said runbookctl(std::vector<std::string> const& words, Place const& place);

}  // namespace runbookd::ctl::tests
