// Tokens on this side: each in a file of its own that nobody else may read.
#pragma once

#include <optional>
#include <string>

#include "web/ctl/address.h"
#include "web/ctl/failure.h"

namespace runbookd::ctl {

// Where `login` keeps the token for an address: a file in $XDG_CONFIG_HOME/runbookctl.
std::string login_file(std::string const& config_home, Address const& address);

// The token in a file; an error where others may read the file, or nothing is in it.
Maybe<std::string> token_in(std::string const& path);
bool is_there(std::string const& path);
// Mode 0600 in a folder of mode 0700, whole or not at all.
Maybe<bool> keep_token(std::string const& path, std::string const& token);
Maybe<bool> forget_token(std::string const& path);  // false: there was none

}  // namespace runbookd::ctl
