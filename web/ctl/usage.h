// Which command a usage error is about, and which one was probably meant.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace runbookd::ctl {

// The last subcommand that was read: its help is the one to show.
CLI::App const& innermost(CLI::App const& app);
// "runbookctl plan lint"
std::string path_of(CLI::App const& app);
// A sentence about the word that is no command where one was expected; empty where none was.
std::string unknown_command(CLI::App const& where, std::vector<std::string> const& arguments);

}  // namespace runbookd::ctl
