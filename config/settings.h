// What the daemon is told by its configuration file. Every problem is reported at once, with its
// place. No environment here: whoever starts the program brings it along.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"
#include "planner/access.h"
#include "planner/diagnostic.h"
#include "planner/error.h"
#include "planner/time.h"

namespace runbookd::config {

struct ListenAddress {
  std::string host = "127.0.0.1";  // meaningless where `path` is set
  std::uint16_t port = 8090;
  std::string path;  // of a Unix socket
  bool tls = false;
  bool insecure = false;  // plain, and reached by other machines all the same: the settings say so
  bool is_unix() const { return !path.empty(); }
  bool is_local() const;  // only this machine reaches it
  bool operator==(ListenAddress const&) const = default;
};
// "127.0.0.1:8090", "unix:/run/runbookd.sock", "tls:0.0.0.0:8443", "insecure:0.0.0.0:8090"
std::string to_text(ListenAddress const& address);
// Other machines reach nothing that is plain, unless it says `insecure`.
planner::Result<ListenAddress> parse_listen(std::string_view text);

enum class LogFormat { human, json };
struct LogSettings {
  std::string level = "info";  // trace, debug, info, warning, error
  LogFormat format = LogFormat::human;
};

struct StoreSettings {
  std::string path = "/var/lib/runbookd/runbookd.db";
  std::int64_t max_bytes = 0;  // 0 = as large as the disk allows
};

// Where a target's connection string and password come from. Exactly one of the first three is set.
struct TargetSource {
  std::string name, description;
  Secret dsn;
  std::string dsn_env, dsn_file;
  std::string passfile, password_env, password_file;
  planner::Duration connect_timeout{10'000};
  planner::Place place;
  planner::Place dsn_place;     // of whichever of dsn, dsn_env and dsn_file is there
  planner::Place secret_place;  // of passfile, password_env or password_file
};

// Users and groups of this machine, as they come over the Unix socket. root and the daemon's own
// user are admin without being listed.
using GrantsByName = std::map<std::string, planner::Grants>;
struct AccessSettings {
  GrantsByName users, groups;
  bool empty() const { return users.empty() && groups.empty(); }
};

struct TlsSettings {
  std::string certificate, key;  // files, PEM
};

struct Settings {
  std::vector<ListenAddress> listen{ListenAddress{}};
  StoreSettings store;
  LogSettings log;
  std::vector<TargetSource> targets;  // by name
  planner::Duration shutdown_timeout{30'000};
  std::vector<std::string>
      allowed_hosts;  // further values of the Host header than our own addresses
  AccessSettings access;
  std::optional<TlsSettings> tls;
  TargetSource const* target(std::string_view name) const;
};

struct ReadSettings {
  std::optional<Settings> settings;  // empty when findings has an error
  planner::Findings findings;
  std::vector<TargetSource> targets;  // as far as they can be read, also where `settings` is empty
};
// `file` is named in findings, and relative paths in it are relative to its folder.
ReadSettings read_settings(std::string_view text, std::string const& file);
ReadSettings load_settings(std::string const& file);

using Environment = std::function<std::optional<std::string>(std::string const& name)>;
// The connection string with its password, from wherever the settings say. Read anew at each call,
// so that a changed password needs no restart. Errors name the variable or file, never its content.
planner::Result<Secret> connection_string(TargetSource const& target,
                                          Environment const& environment);
// The same as its author wrote it, without what the other keys add.
planner::Result<Secret> written_connection_string(TargetSource const& target,
                                                  Environment const& environment);
// What is wrong with the places that it all comes from, at the keys that name them.
planner::Findings source_findings(TargetSource const& target, Environment const& environment);
// libpq passes over such a password file without a word. Nothing = it would be read.
std::optional<std::string> passfile_problem(std::string const& path);

}  // namespace runbookd::config
