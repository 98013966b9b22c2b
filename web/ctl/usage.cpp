#include "web/ctl/usage.h"

#include <CLI/CLI.hpp>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

std::vector<std::string> names_of(CLI::App const& app) {
  std::vector<std::string> names;
  for (auto const* each : app.get_subcommands([](CLI::App const*) { return true; })) {
    if (!each->get_name().empty()) {
      names.push_back(each->get_name());
    }
  }
  return names;
}

}  // namespace

CLI::App const& innermost(CLI::App const& app) {
  auto const parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

std::string path_of(CLI::App const& app) {
  auto const parsed = app.get_subcommands();
  return app.get_name() + (parsed.empty() ? "" : ' ' + path_of(*parsed.front()));
}

std::string unknown_command(CLI::App const& where, std::vector<std::string> const& arguments) {
  auto const names = names_of(where);
  if (names.empty()) {
    return "";
  }
  for (auto const& word : arguments) {
    if (word.starts_with('-') || word == where.get_name()) {
      continue;
    }
    auto const similar = nearest(word, names);
    return "there is no command '" + word + "'" +
           (similar.empty() ? "" : "; did you mean '" + similar + "'?");
  }
  return "";
}

}  // namespace runbookd::ctl
