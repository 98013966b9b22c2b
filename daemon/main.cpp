#include <exception>
#include <iostream>

#include "daemon/application.h"
#include "daemon/options.h"

int main(int argc, char** argv) {
  auto const parsed = runbookd::daemon::parse_options(argc, argv);
  if (!parsed.options) {
    return parsed.exit_code;
  }
  try {
    auto const& options = *parsed.options;
    if (options.store) {
      return runbookd::daemon::run_store_command(*options.store, options.config_file);
    }
    if (options.token) {
      return runbookd::daemon::run_token_command(*options.token, options.config_file);
    }
    return runbookd::daemon::run_daemon(options);
  } catch (std::exception const& error) {
    // a broken invariant or a broken machine; what was under way is settled at the next start
    std::cerr << "runbookd: " << error.what() << '\n';
    return 1;
  }
}
