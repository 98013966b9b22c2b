#include "daemon/manual.h"

#include <array>

#include "daemon/options.h"
#include "store/proof/usage.h"
#include "web/ctl/completions.h"
#include "web/ctl/man_page.h"
#include "web/plan_schema.h"

namespace runbookd::daemon {
namespace {

constexpr auto keys = R"(listen
    one address or a list: HOST:PORT of a loopback address, unix:/path, tls:HOST:PORT, or
    insecure:HOST:PORT behind something that does TLS (127.0.0.1:8090)
allowed_hosts
    further names that may stand in a request's Host header
tls: certificate, key
    PEM files for the addresses that begin with tls:, read anew at SIGHUP
access: users, groups
    NAME: ROLE or a list of roles, for whom the Unix socket tells us; others show a token
store: path
    the file that holds everything the daemon remembers (/var/lib/runbookd/runbookd.db)
store: max_size
    how large that may become, such as 1GiB (as large as the disk allows)
log: level
    trace, debug, info, warning or error (info)
log: format
    human, or json for an object a line (human)
shutdown_timeout
    after SIGTERM, how long safe points are waited for before statements are cancelled (30s)
targets: NAME: dsn, dsn_env, dsn_file
    exactly one of them: a connection string of libpq, the variable or the file that holds it
targets: NAME: passfile, password_env, password_file
    at most one of them: a password file of libpq, the variable or the file that holds the password
targets: NAME: connect_timeout
    how long one try to connect may take (10s)
targets: NAME: description
    words for people)";

std::string settings_page(std::string const& example) {
  std::array<ctl::ManSection, 4> const sections{{
      {"DESCRIPTION",
       "The settings of runbookd are a YAML file, /etc/runbookd/runbookd.yaml unless --config "
       "names "
       "another. They are read at start; what a target's dsn_env, dsn_file, passfile, password_env "
       "and password_file lead to is read anew at each connection. Check them with: runbookd "
       "--check-config"},
      {"KEYS", keys, true},
      {"EXAMPLE", example, true},
      {"FILES", "/etc/runbookd/runbookd.yaml, /usr/share/doc/runbookd/examples"},
  }};
  return ctl::man_page({.name = "runbookd.conf",
                        .section = 5,
                        .summary = "settings of the runbookd daemon",
                        .see_also = "runbookd(8), runbookctl(1)"},
                       sections);
}

std::string verify_page() {
  std::array<ctl::ManSection, 4> const sections{{
      {"SYNOPSIS", store::verify_synopsis, true},
      {"DESCRIPTION", store::verify_summary},
      {"OPTIONS", store::verify_options, true},
      {"EXIT STATUS", store::verify_exit_codes},
  }};
  return ctl::man_page({.name = "runbookd-audit-verify",
                        .section = 1,
                        .summary = "is an exported audit what the daemon wrote?",
                        .see_also = "runbookctl(1), runbookd(8)"},
                       sections);
}

}  // namespace

std::map<std::string, std::string> manual_files(std::string const& example) {
  auto const client = ctl::runbookctl_page();
  auto const server = options_page();
  std::map<std::string, std::string> files;
  files["runbookctl.1"] = ctl::man_page({.name = "runbookctl",
                                         .section = 1,
                                         .summary = "steers runbookd, checks and explains plans",
                                         .see_also = "runbookd(8), runbookd-plan(5)"},
                                        client);
  files["runbookd.8"] =
      ctl::man_page({.name = "runbookd",
                     .section = 8,
                     .summary = "carries PostgreSQL schema changes through production",
                     .see_also = "runbookd.conf(5), runbookd-plan(5), runbookctl(1)"},
                    server);
  files["runbookd.conf.5"] = settings_page(example);
  files["runbookd-plan.5"] =
      ctl::plan_manual({.name = "runbookd-plan",
                        .section = 5,
                        .summary = "the plan files that runbookd carries out",
                        .see_also = "runbookctl(1), runbookd(8)"},
                       web::plan_schema());
  files["runbookd-audit-verify.1"] = verify_page();
  for (auto const* program : {&client, &server}) {
    auto const& name = program->path.front();
    files[name + ".bash"] = ctl::bash_completion(*program);
    files["_" + name] = ctl::zsh_completion(*program);
    files[name + ".fish"] = ctl::fish_completion(*program);
  }
  return files;
}

}  // namespace runbookd::daemon
