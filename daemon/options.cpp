#include "daemon/options.h"

#include <cstdlib>

#include <CLI/CLI.hpp>

namespace runbookd::daemon {

ParsedOptions parse_options(int argc, char** argv) {
  Options options;
  CLI::App app{"runbookd carries PostgreSQL schema changes through production, phase by phase."};
  app.set_version_flag("--version", "runbookd " RUNBOOKD_VERSION);
  app.add_option("--config,-c", options.config_file, "configuration file (YAML)")
      ->capture_default_str();
  app.add_flag("--check-config", options.check_config,
               "read the configuration, report every problem, and end");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    constexpr int usage = 2;
    return {.options = std::nullopt, .exit_code = app.exit(error) == 0 ? 0 : usage};
  }
  return {.options = options, .exit_code = 0};
}

config::Environment process_environment() {
  return [](std::string const& name) -> std::optional<std::string> {
    char const* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
  };
}

}  // namespace runbookd::daemon
