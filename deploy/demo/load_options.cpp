#include "deploy/demo/load_options.h"

#include <array>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <getopt.h>

namespace runbookd::demo {
namespace {

constexpr auto usage = R"(usage: runbookd-demo-load --dsn DSN [options]

Plays the application of the example database: reads and updates users by primary key, and now and then
signs up a new one. Each transaction is timed from the moment it was due, so waiting is never left out.

  --dsn DSN           where the database is (a libpq connection string)
  --connections N     how many connections (4)
  --rate R            transactions a second over all of them (200)
  --app-file PATH     holds the deployed version, read again every 100 ms:
                        v1 writes account_id; v2 writes account_id and org_id; v3 writes org_id
  --status-file PATH  where the summary is kept, as JSON, renewed each second

Runs until SIGTERM or SIGINT, then prints the summary.
)";

constexpr auto long_options = std::to_array<option>({
    {"dsn", required_argument, nullptr, 'd'},
    {"connections", required_argument, nullptr, 'c'},
    {"rate", required_argument, nullptr, 'r'},
    {"app-file", required_argument, nullptr, 'a'},
    {"status-file", required_argument, nullptr, 's'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
});

CommandLine stop_with(int status) { return {.options = {}, .exit_status = status}; }

CommandLine mistake(std::string_view what) {
  std::cerr << "runbookd-demo-load: " << what << "\ntry: runbookd-demo-load --help\n";
  return stop_with(2);
}

double number(char const* text) {
  char* end = nullptr;
  double const value = std::strtod(text, &end);
  return *end == '\0' ? value : 0;
}

CommandLine checked(LoadOptions options) {
  if (options.dsn.empty()) {
    return mistake("--dsn is missing");
  }
  if (options.connections < 1 || options.connections > 1000) {
    return mistake("--connections wants a number from 1 to 1000");
  }
  if (options.rate <= 0) {
    return mistake("--rate wants a number above 0");
  }
  return {.options = std::move(options), .exit_status = std::nullopt};
}

}  // namespace

CommandLine read_command_line(int count, char** words) {
  LoadOptions options;
  for (int letter; (letter = getopt_long(count, words, "", long_options.data(), nullptr)) != -1;) {
    switch (letter) {
      case 'd':
        options.dsn = optarg;
        break;
      case 'c':
        options.connections = static_cast<int>(number(optarg));
        break;
      case 'r':
        options.rate = number(optarg);
        break;
      case 'a':
        options.app_file = optarg;
        break;
      case 's':
        options.status_file = optarg;
        break;
      case 'h':
        std::cout << usage;
        return stop_with(0);
      default:  // getopt_long has said what it does not know
        return stop_with(2);
    }
  }
  if (optind < count) {
    return mistake("does not know what to do with '" + std::string(words[optind]) + "'");
  }
  return checked(std::move(options));
}

}  // namespace runbookd::demo
