// Every manual page and completion script that is installed, by file name.
#pragma once

#include <map>
#include <string>

namespace runbookd::daemon {

// `example`: the text of config/runbookd.example.yaml.
std::map<std::string, std::string> manual_files(std::string const& example);

}  // namespace runbookd::daemon
