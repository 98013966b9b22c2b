#include "web/ctl/app.h"

#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include "web/ctl/arguments.h"
#include "web/ctl/credentials.h"
#include "web/ctl/perform.h"
#include "web/ctl/text.h"
#include "web/ctl/version.h"

namespace runbookd::ctl {

namespace {

constexpr Patience request_patience{30'000};
constexpr Patience version_patience{1'000};

int leave(Surroundings& world, Leave const& why) {
  world.out << why.text;
  if (!why.failure) {
    return static_cast<int>(Exit::done);
  }
  print_failure(world.err, *why.failure, why.as_json);
  return static_cast<int>(why.failure->exit);
}

bool is_header_text(std::string const& text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

// Flag, then environment, then what `login` has kept for this address.
std::string token_file(Surroundings const& world, Global const& global, Address const& address) {
  if (!global.token_file.empty()) {
    return global.token_file;
  }
  if (!world.token_file.empty()) {
    return world.token_file;
  }
  auto kept = login_file(world.config_home, address);
  return is_there(kept) ? kept : "";
}

// Commands that need no daemon must not fail because its address is wrong.
Maybe<Client> client_for(Surroundings const& world, Global const& global) {
  auto address = parse_address(chosen_address(global.address, world.address, world.socket_exists));
  if (!address) {
    return tl::unexpected(address.error());
  }
  address->ca_file = global.ca_file.empty() ? world.ca_file : global.ca_file;
  auto const actor = global.actor.empty() ? world.actor : global.actor;
  if (actor.empty() || !is_header_text(actor)) {
    return fail(Exit::usage, "--actor", "a name has to be one line of text");
  }
  if (!is_header_text(global.idempotency_key)) {
    return fail(Exit::usage, "--idempotency-key", "a key has to be one line of text");
  }
  return Client({.address = *address,
                 .actor = actor,
                 .patience = request_patience,
                 .curl = global.show_curl ? &world.err : nullptr,
                 .token_file = token_file(world, global, *address),
                 .key = global.idempotency_key});
}

Look look_of(Surroundings const& world, Global const& global) {
  return {.colour = world.out_is_terminal && !world.no_color && !global.no_color,
          .unicode = world.out_is_terminal && world.unicode};
}

}  // namespace

int run(std::vector<std::string> const& arguments, Surroundings& world) {
  auto const invocation = parse_arguments(arguments);
  if (!invocation) {
    return leave(world, invocation.error());
  }
  auto client = client_for(world, invocation->global);
  auto const as_json = invocation->global.output == Output::json;
  if (!client) {
    print_failure(world.err, client.error(), as_json);
    return static_cast<int>(client.error().exit);
  }
  Session session{world, invocation->global, std::move(*client),
                  look_of(world, invocation->global)};
  auto const exit = std::visit(
      [&session](auto const& command) { return perform(session, command); }, invocation->command);
  world.out.flush();
  return static_cast<int>(exit);
}

Exit perform(Session& session, Version const&) {
  session.client.set_patience(version_patience);
  auto const answer = session.client.get("/api/v1", "version");
  auto const daemon = answer ? text_of(parse_json(answer->body), "version") : std::string();
  if (session.as_json()) {
    put(session, to_line({{"runbookctl", version},
                          {"runbookd", daemon.empty() ? Json() : Json(daemon)},
                          {"address", to_text(session.client.address())}}));
    return Exit::done;
  }
  put(session, "runbookctl " + std::string(version));
  auto const where = " at " + to_text(session.client.address());
  bool const asks_who = !answer && answer.error().exit == Exit::not_allowed;
  put(session, asks_who
                   ? "a daemon answers" + where + "; its version is told after runbookctl login"
               : daemon.empty() ? "no daemon answers" + where
                                : "runbookd " + daemon + where);
  return Exit::done;
}

}  // namespace runbookd::ctl
