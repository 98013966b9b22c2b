// Who am I, and who else may reach the daemon.
#include <iostream>

#include <nlohmann/json.hpp>

#include "web/ctl/credentials.h"
#include "web/ctl/perform.h"
#include "web/ctl/terminal.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

std::string roles_of(Json const& document) {
  std::string text;
  for (auto const& role : child(document, "roles")) {
    text += (text.empty() ? "" : " ") + (role.is_string() ? clean(role.get<std::string>()) : "");
  }
  return text.empty() ? "no role" : text;
}

std::string file_of(Session const& session) {
  return login_file(session.world.config_home, session.client.address());
}

// The token is typed or piped, never an argument: arguments are for everybody to read.
std::string typed_token(Session& session) {
  std::string line;
  if (session.world.in_is_terminal) {
    session.world.err << "Token for " << to_text(session.client.address()) << ": " << std::flush;
    HiddenTyping const hidden;
    std::getline(session.world.in, line);
    session.world.err << '\n';
  } else {
    std::getline(session.world.in, line);
  }
  return planner::trimmed(line);
}

std::string token_line(Json const& token) {
  auto text =
      text_of(token, "token") + "  " + clean(text_of(token, "principal")) + "  " + roles_of(token);
  if (has_text(token, "name")) {
    text += "  \"" + clean(text_of(token, "name")) + '"';
  }
  if (has_text(token, "revoked_at")) {
    return text + "  revoked " + text_of(token, "revoked_at");
  }
  text += has_text(token, "expires_at") ? "  until " + text_of(token, "expires_at") : "";
  return text + (has_text(token, "last_used_at") ? "  used " + text_of(token, "last_used_at")
                                                 : "  unused");
}

Maybe<bool> expect_daemon(Session& session) {
  auto const answer = session.client.get("/livez", "login");
  bool const is_ours = answer && flag_of(parse_json(answer->body), "live");
  if (answer && !is_ours) {
    return fail(Exit::unreachable, "login",
                "what answers at " + to_text(session.client.address()) +
                    " is no runbookd; the token was not sent",
                "runbookctl --addr ADDRESS login");
  }
  return answer ? Maybe<bool>(true) : tl::unexpected(answer.error());
}

}  // namespace

Exit perform(Session& session, WhoAmI const&) {
  auto const answer = session.client.get("/api/v1/whoami", "whoami");
  if (!answer) {
    return report(session, answer.error());
  }
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  auto const document = parse_json(answer->body);
  auto const by = text_of(document, "by");
  put(session, clean(text_of(document, "principal")) + ": " + roles_of(document) + "  (" +
                   (by == "local" ? "local mode" : by) + " at " +
                   to_text(session.client.address()) + ")");
  if (flag_of(document, "local_mode")) {
    put(session, "Nobody is asked for a token here: the name is what you say of yourself.");
    put(session, "The first token ends that: runbookd token create --principal NAME --role admin");
  }
  return Exit::done;
}

Exit perform(Session& session, Login const&) {
  auto const token = typed_token(session);
  if (token.empty()) {
    return report(session, {Exit::usage, "login", "no token was typed",
                            "runbookctl login < FILE, or type it when asked", ""});
  }
  // a token is shown to nobody who does not say what he is
  if (auto const daemon = expect_daemon(session); !daemon) {
    return report(session, daemon.error());
  }
  session.client.show_token(token);
  auto const answer = session.client.get("/api/v1/whoami", "login");
  if (!answer) {
    return report(session, answer.error());
  }
  auto const document = parse_json(answer->body);
  if (flag_of(document, "local_mode")) {
    return report(session, {Exit::conflict, "login",
                            "this daemon asks nobody for a token (local mode); nothing was kept",
                            "runbookd token create --principal NAME --role admin", ""});
  }
  if (auto const kept = keep_token(file_of(session), token); !kept) {
    return report(session, kept.error());
  }
  put(session, "logged in at " + to_text(session.client.address()) + " as " +
                   clean(text_of(document, "principal")) + ": " + roles_of(document));
  return Exit::done;
}

Exit perform(Session& session, Logout const&) {
  auto const gone = forget_token(file_of(session));
  if (!gone) {
    return report(session, gone.error());
  }
  put(session, *gone ? "logged out; the token itself is still good: runbookctl token revoke ID"
                     : "nobody was logged in");
  return Exit::done;
}

Exit perform(Session& session, TokenCreate const& command) {
  Json body = {{"principal", command.principal}, {"roles", command.roles}};
  if (!command.name.empty()) {
    body["name"] = command.name;
  }
  if (!command.expires.empty()) {
    body["lasts"] = command.expires;
  }
  auto const answer = session.client.post("/api/v1/tokens", to_line(body), "token create");
  if (!answer) {
    return report(session, answer.error());
  }
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  auto const document = parse_json(answer->body);
  tell(session, "token " + text_of(document, "token") + " for " +
                    clean(text_of(document, "principal")) + " (" + roles_of(document) +
                    "), shown this once:");
  put(session, text_of(document, "secret"));
  return Exit::done;
}

Exit perform(Session& session, TokenList const&) {
  auto const answer = session.client.get("/api/v1/tokens", "token list");
  if (!answer) {
    return report(session, answer.error());
  }
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  auto const document = parse_json(answer->body);
  for (auto const& token : child(document, "tokens")) {
    put(session,
        session.global.output == Output::name ? text_of(token, "token") : token_line(token));
  }
  return Exit::done;
}

Exit perform(Session& session, TokenRevoke const& command) {
  auto const answer = session.client.remove("/api/v1/tokens/" + percent_encode(command.token),
                                            "token revoke " + command.token);
  if (!answer) {
    return report(session, answer.error());
  }
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  put(session, token_line(parse_json(answer->body)));
  return Exit::done;
}

}  // namespace runbookd::ctl
