// A target's connection string, put together from the places that the settings name.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "config/settings.h"

namespace runbookd::config {
namespace {

using planner::Result;

tl::unexpected<planner::Error> unavailable(TargetSource const& target, std::string const& what,
                                           std::string next) {
  return tl::unexpected(planner::Error{.code = planner::ErrorCode::target_unreachable,
                                       .detail = "target \"" + target.name + "\": " + what,
                                       .next = std::move(next)});
}

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text;
}

Result<std::string> from_file(TargetSource const& target, std::string const& key,
                              std::string const& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string const text(std::istreambuf_iterator<char>(stream), {});
  auto content = without_line_end(text);
  if (!stream || content.empty()) {
    return unavailable(
        target, key + " names " + path + ", which " + (stream ? "is empty" : "cannot be read"),
        "check that the file exists and that the daemon's user may read it");
  }
  if (content.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos) {
    return unavailable(target, key + " names " + path + ", which has more than one line",
                       "keep nothing but the value in that file");
  }
  return content;
}

Result<std::string> from_environment(TargetSource const& target, std::string const& key,
                                     std::string const& name, Environment const& environment) {
  auto value = environment ? environment(name) : std::nullopt;
  if (!value || value->empty()) {
    return unavailable(target,
                       key + " names the environment variable " + name + ", which is " +
                           (value ? "empty" : "not set"),
                       "set it where the daemon is started, such as in its service file");
  }
  return *std::move(value);
}

Result<std::string> base(TargetSource const& target, Environment const& environment) {
  if (!target.dsn_env.empty()) {
    return from_environment(target, "dsn_env", target.dsn_env, environment);
  }
  if (!target.dsn_file.empty()) {
    return from_file(target, "dsn_file", target.dsn_file);
  }
  return target.dsn.reveal();
}

Result<std::string> password(TargetSource const& target, Environment const& environment) {
  if (!target.password_env.empty()) {
    return from_environment(target, "password_env", target.password_env, environment);
  }
  if (!target.password_file.empty()) {
    return from_file(target, "password_file", target.password_file);
  }
  return std::string();
}

bool is_uri(std::string_view dsn) {
  return dsn.starts_with("postgresql://") || dsn.starts_with("postgres://");
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return encoded;
}

std::string in_quotes(std::string_view text) {
  std::string value = "'";
  for (char const c : text) {
    if (c == '\'' || c == '\\') {
      value += '\\';
    }
    value += c;
  }
  return value + "'";
}

// Both forms of connection string take further keywords at their end, and the last one of a name
// counts.
std::string with(std::string dsn, std::string const& keyword, std::string const& value) {
  if (value.empty()) {
    return dsn;
  }
  if (is_uri(dsn)) {
    auto const separator = dsn.find('?') == std::string::npos ? "?" : "&";
    return std::move(dsn) + separator + keyword + "=" + percent_encoded(value);
  }
  return std::move(dsn) + " " + keyword + "=" + in_quotes(value);
}

planner::Finding at(planner::Place const& place, planner::Error const& error) {
  return {.rule = "config/target",
          .severity = planner::Severity::error,
          .place = place,
          .message = error.detail,
          .fix = error.next};
}

}  // namespace

std::optional<std::string> passfile_problem(std::string const& path) {
  using std::filesystem::perms;
  std::error_code error;
  auto const status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return "there is no such file";
  }
  if (!std::filesystem::is_regular_file(status)) {
    return "it is no ordinary file";
  }
  if ((status.permissions() & (perms::group_all | perms::others_all)) != perms::none) {
    return "others than its owner may use it, so libpq does not; chmod 0600 it";
  }
  return std::ifstream(path) ? std::nullopt
                             : std::optional<std::string>("this user may not read it");
}

planner::Findings source_findings(TargetSource const& target, Environment const& environment) {
  planner::Findings findings;
  if (auto const written = base(target, environment); !written) {
    findings.push_back(at(target.dsn_place, written.error()));
  }
  if (auto const secret = password(target, environment); !secret) {
    findings.push_back(at(target.secret_place, secret.error()));
  }
  auto const problem = target.passfile.empty() ? std::nullopt : passfile_problem(target.passfile);
  if (problem) {
    auto const refused = unavailable(
        target, "passfile names " + target.passfile + ", which would not be used: " + *problem,
        "one line host:port:database:user:password, readable by the daemon's user alone (0600)");
    findings.push_back(at(target.secret_place, refused.value()));
  }
  return findings;
}

Result<Secret> written_connection_string(TargetSource const& target,
                                         Environment const& environment) {
  auto written = base(target, environment);
  if (!written) {
    return tl::unexpected(written.error());
  }
  return Secret(*std::move(written));
}

Result<Secret> connection_string(TargetSource const& target, Environment const& environment) {
  auto dsn = base(target, environment);
  if (!dsn) {
    return tl::unexpected(dsn.error());
  }
  auto const secret = password(target, environment);
  if (!secret) {
    return tl::unexpected(secret.error());
  }
  return Secret(with(with(*std::move(dsn), "passfile", target.passfile), "password", *secret));
}

}  // namespace runbookd::config
