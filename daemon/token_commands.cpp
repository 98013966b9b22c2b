#include "daemon/token_commands.h"

#include <iostream>
#include <optional>

#include <unistd.h>

#include "daemon/access_documents.h"
#include "daemon/clock.h"
#include "daemon/gatekeeper.h"
#include "daemon/local_user.h"
#include "daemon/options.h"
#include "daemon/own_daemon.h"
#include "store/file.h"
#include "store/store.h"
#include "web/body.h"

namespace runbookd::daemon {
namespace {

using planner::Result;
using Verb = TokenCommand::Verb;

std::string who_types() { return "unix:" + local_user(geteuid(), getegid()).name; }

// The store as its own daemon would have it, asked the same questions.
Result<std::string> in_store(TokenCommand const& command, config::Settings const& settings,
                             std::string const& body) {
  if (auto own = expect_own_folder(settings.store.path, "token …"); !own) {
    return tl::unexpected(std::move(own.error()));
  }
  auto store = store::Store::open({.path = settings.store.path});
  if (!store) {
    return tl::unexpected(store.error());
  }
  auto& tokens = (*store)->tokens();
  // the daemon does not run, so its audit takes the entry from us
  store::AuditEntry entry{
      .at = wall_clock(),
      .kind = "request",
      .action = command.verb == Verb::create ? "tokens.create" : "tokens.delete",
      .outcome = "allowed",
      .actor = who_types(),
      .auth = "host",
      .detail = command.id.empty() ? "" : "token " + command.id};
  store::Companion const recorded((*store)->connection(), [&] { (*store)->audit().write(entry); });
  switch (command.verb) {
    case Verb::create:
      return web::read_token_request(body).and_then([&](web::TokenRequest const& wanted) {
        return add_token(tokens, wanted, who_types(), wall_clock(),
                         [&](store::StoredToken const& token) { entry.detail = words_of(token); });
      });
    case Verb::list:
      return tokens.list().map([](auto const& all) { return token_list_json(all); });
    case Verb::revoke:
      return end_token(tokens, command.id, who_types(), wall_clock());
  }
  __builtin_unreachable();
}

Result<std::string> by_daemon(TokenCommand const& command, config::Settings const& settings,
                              std::string const& body) {
  constexpr auto path = "/api/v1/tokens";
  switch (command.verb) {
    case Verb::create:
      return ask_own_daemon(settings, "POST", path, body);
    case Verb::list:
      return ask_own_daemon(settings, "GET", path);
    case Verb::revoke:
      return ask_own_daemon(settings, "DELETE", std::string(path) + "/" + command.id);
  }
  __builtin_unreachable();
}

void say(TokenCommand const& command, std::string const& document) {
  if (command.verb != Verb::create) {
    std::cout << document << '\n';
    return;
  }
  std::cerr << "token " << web::top_level_text(document, "token") << " for "
            << web::top_level_text(document, "principal")
            << ", shown this once; keep it with: runbookctl login\n";
  std::cout << web::top_level_text(document, "secret") << '\n';
}

}  // namespace

int run_token_command(TokenCommand const& command, std::string const& config_file) {
  auto const settings = settings_or_tell(config_file);
  if (!settings) {
    return exit_bad_configuration;
  }
  auto const body =
      token_request_json(command.principal, command.name, command.expires, command.roles);
  auto const done = store::lock_holder(settings->store.path) ? by_daemon(command, *settings, body)
                                                             : in_store(command, *settings, body);
  if (!done) {
    return tell(done.error());
  }
  say(command, *done);
  return 0;
}

}  // namespace runbookd::daemon
