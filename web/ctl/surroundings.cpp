#include "web/ctl/surroundings.h"

#include <cstdlib>
#include <ctime>
#include <iostream>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/ctl/address.h"

namespace runbookd::ctl {

namespace {

std::string from_environment(char const* name) {
  auto const* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// The first of the three that is set decides, as for the C library.
bool locale_is_utf8() {
  for (auto const* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (auto const value = from_environment(name); !value.empty()) {
      return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos ||
             value.find("UTF8") != std::string::npos || value.find("utf-8") != std::string::npos;
    }
  }
  return false;
}

std::string login_name() {
  for (auto const* name : {"LOGNAME", "USER"}) {
    if (auto value = from_environment(name); !value.empty()) {
      return value;
    }
  }
  auto const* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? "local" : entry->pw_name;
}

std::string actor() {
  auto named = from_environment("RUNBOOKCTL_ACTOR");
  return named.empty() ? login_name() : named;
}

std::string config_home() {
  auto named = from_environment("XDG_CONFIG_HOME");
  return named.empty() ? from_environment("HOME") + "/.config" : named;
}

bool is_socket(std::string const& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0 && S_ISSOCK(facts.st_mode);
}

planner::Duration utc_offset() {
  auto const now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return std::chrono::seconds(local.tm_gmtoff);
}

planner::Moment now() {
  return std::chrono::floor<planner::Duration>(std::chrono::system_clock::now());
}

}  // namespace

Surroundings real_surroundings() {
  return {.in = std::cin,
          .out = std::cout,
          .err = std::cerr,
          .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
          .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
          .unicode = locale_is_utf8(),
          .no_color = !from_environment("NO_COLOR").empty() || from_environment("TERM") == "dumb",
          .address = from_environment("RUNBOOKCTL_ADDR"),
          .actor = actor(),
          .token_file = from_environment("RUNBOOKCTL_TOKEN_FILE"),
          .ca_file = from_environment("RUNBOOKCTL_CA_FILE"),
          .config_home = config_home(),
          .socket_exists = is_socket(std::string(default_socket)),
          .utc_offset = utc_offset(),
          .now = now};
}

}  // namespace runbookd::ctl
