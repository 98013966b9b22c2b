#include "daemon/options.h"

#include <cstdlib>
#include <iostream>
#include <utility>

#include <CLI/CLI.hpp>

namespace runbookd::daemon {
namespace {

CLI::App* add_token_commands(CLI::App& app, TokenCommand& token) {
  using Verb = TokenCommand::Verb;
  auto* const commands = app.add_subcommand("token", "who may reach the daemon");
  commands->require_subcommand(1);
  auto* const create = commands->add_subcommand("create", "make a token; it is shown once");
  create->add_option("--principal", token.principal, "whom it stands for: one person")->required();
  create
      ->add_option("--role", token.roles,
                   "viewer, auditor, oncall, approver, operator or admin, such as "
                   "operator@billing-*; may be repeated")
      ->required();
  create->add_option("--name", token.name, "what it is for");
  create->add_option("--expires", token.expires, "good for so long, such as 90d");
  create->callback([&token] { token.verb = Verb::create; });
  auto* const list = commands->add_subcommand("list", "the tokens, without their secrets");
  list->callback([&token] { token.verb = Verb::list; });
  auto* const revoke = commands->add_subcommand("revoke", "end a token, at once");
  revoke->add_option("ID", token.id, "as list shows it")->required();
  revoke->callback([&token] { token.verb = Verb::revoke; });
  for (auto* const command : {commands, create, list, revoke}) {
    command->fallthrough();
  }
  return commands;
}

// The options as CLI11 is told of them; it fills the variables beside it.
struct Grammar {
  Grammar();

  CLI::App app{"runbookd carries PostgreSQL schema changes through production, phase by phase."};
  Options options;
  StoreCommand store;
  TokenCommand token;
  CLI::App *commands = nullptr, *tokens = nullptr, *check = nullptr, *backup = nullptr,
           *restore = nullptr;
};

Grammar::Grammar() {
  app.set_version_flag("--version", "runbookd " RUNBOOKD_VERSION);
  app.add_option("--config,-c", options.config_file, "configuration file (YAML)")
      ->capture_default_str();
  app.add_flag("--check-config", options.check_config,
               "read the configuration, report every problem, and end");
  commands = app.add_subcommand("store", "look at, copy and put back the store's file");
  commands->require_subcommand(1);
  commands->fallthrough();  // --config may stand anywhere
  check = commands->add_subcommand(
      "check", "read a store that no daemon holds, and every run's record in it");
  check->add_option("FILE", store.file, "a store or a backup; without: the configured store");
  backup = commands->add_subcommand(
      "backup", "copy the store, also while the daemon works, and check the copy");
  backup->add_option("FILE", store.file, "a new file")->required();
  restore =
      commands->add_subcommand("restore", "put a checked backup in the configured store's place");
  restore->add_option("FILE", store.file, "the backup")->required();
  restore->add_flag("--force", store.force, "also in place of a newer, another or a damaged store");
  for (auto* const command : {check, backup, restore}) {
    command->fallthrough();
  }
  tokens = add_token_commands(app, token);
}

}  // namespace

ctl::CommandPage options_page() {
  Grammar grammar;
  grammar.app.name("runbookd");
  return ctl::page_of(grammar.app);
}

ParsedOptions parse_options(int argc, char** argv) {
  Grammar grammar;
  auto& [app, options, store, token, commands, tokens, check, backup, restore] = grammar;
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    constexpr int usage = 2;
    return {.options = std::nullopt, .exit_code = app.exit(error) == 0 ? 0 : usage};
  }
  using Verb = StoreCommand::Verb;
  if (commands->parsed()) {
    store.verb = check->parsed() ? Verb::check : backup->parsed() ? Verb::backup : Verb::restore;
    options.store = store;
  }
  if (tokens->parsed()) {
    options.token = token;
  }
  return {.options = options, .exit_code = 0};
}

int tell(planner::Error const& error) {
  std::cerr << "runbookd: " << error.detail << '\n';
  if (!error.next.empty()) {
    std::cerr << "try: " << error.next << '\n';
  }
  return exit_failed;
}

std::optional<config::Settings> settings_or_tell(std::string const& config_file) {
  auto read = config::load_settings(config_file);
  for (auto const& finding : read.findings) {
    std::cerr << to_text(finding) << '\n';
  }
  return std::move(read.settings);
}

config::Environment process_environment() {
  return [](std::string const& name) -> std::optional<std::string> {
    char const* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
  };
}

}  // namespace runbookd::daemon
