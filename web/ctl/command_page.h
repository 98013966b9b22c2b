// A program's commands and options as plain values, read from the tree that parses them: what
// manuals and completions are written from.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace runbookd::ctl {

struct OptionPage {
  std::vector<std::string> names;  // "-o", "--output"
  std::string value;               // the kind of its value; empty: a flag
  std::string help;
  bool required = false;
};
struct PlacePage {  // an argument without a name
  std::string name, help;
  bool required = false;
};
struct CommandPage {
  std::vector<std::string> path;  // "runbookctl", "plan", "lint"
  std::string help, group, footer;
  std::vector<PlacePage> places;
  std::vector<OptionPage> options;
  std::vector<CommandPage> commands;
};

CommandPage page_of(CLI::App const& app);
CommandPage runbookctl_page();

// The page and all below it, in order.
std::vector<CommandPage const*> pages_below(CommandPage const& page);

}  // namespace runbookd::ctl
