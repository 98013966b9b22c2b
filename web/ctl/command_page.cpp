#include "web/ctl/command_page.h"

#include <CLI/CLI.hpp>

#include "web/ctl/grammar.h"

namespace runbookd::ctl {
namespace {

std::string value_of(CLI::Option const& option) {
  if (option.get_items_expected_max() == 0) {
    return "";
  }
  auto const text = option.get_option_text();
  return text.empty() ? option.get_type_name() : text;
}

OptionPage option_page(CLI::Option const& option) {
  OptionPage page{.names = {},
                  .value = value_of(option),
                  .help = option.get_description(),
                  .required = option.get_required()};
  for (auto const& name : option.get_snames()) {
    page.names.push_back("-" + name);
  }
  for (auto const& name : option.get_lnames()) {
    page.names.push_back("--" + name);
  }
  return page;
}

CommandPage page_at(CLI::App const& app, std::vector<std::string> path) {
  path.push_back(app.get_name());
  CommandPage page{.path = path,
                   .help = app.get_description(),
                   .group = app.get_group(),
                   .footer = app.get_footer()};
  for (auto const* option : app.get_options()) {
    if (option->get_positional()) {
      page.places.push_back(
          {option->get_single_name(), option->get_description(), option->get_required()});
    } else {
      page.options.push_back(option_page(*option));
    }
  }
  for (auto const* command : app.get_subcommands([](CLI::App const*) { return true; })) {
    page.commands.push_back(page_at(*command, path));
  }
  return page;
}

}  // namespace

CommandPage page_of(CLI::App const& app) { return page_at(app, {}); }

CommandPage runbookctl_page() {
  Parse parse;
  build(parse);
  return page_of(parse.app);
}

std::vector<CommandPage const*> pages_below(CommandPage const& page) {
  std::vector<CommandPage const*> pages{&page};
  for (auto const& command : page.commands) {
    for (auto const* below : pages_below(command)) {
      pages.push_back(below);
    }
  }
  return pages;
}

}  // namespace runbookd::ctl
