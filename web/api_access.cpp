// Who is asking, tokens, and the console's sessions.
#include <nlohmann/json.hpp>

#include "web/api.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

namespace {

using nlohmann::json;

Response answer(Result<std::string> document, int status = 200) {
  return document ? Response{.status = status, .body = std::move(*document)}
                  : problem(document.error());
}

std::string cookie(Peer const& peer, std::string const& value, std::int64_t seconds) {
  return std::string(cookie_name(peer)) + "=" + value +
         "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(seconds) +
         (peer.secure ? "; Secure" : "");
}

}  // namespace

std::string identity_words(Caller const& caller) {
  if (caller.by == Caller::By::local) {
    return "none: everybody who reaches this address acts as operator and approver, and names are "
           "what each "
           "says of himself";
  }
  return caller.principal.name + " (" + planner::to_text(caller.principal.grants) + ")";
}

Response who_am_i(Request const& request, RunService&) {
  auto const& caller = request.caller;
  auto const actor = read_actor(request);
  json document = {{"principal", actor ? *actor : caller.principal.name},
                   {"proven", caller.principal.proven},
                   {"by", to_text(caller.by)},
                   {"local_mode", caller.by == Caller::By::local},
                   {"identity", identity_words(caller)},
                   {"roles", json::array()}};
  for (auto const& grant : caller.principal.grants) {
    document["roles"].push_back(planner::to_text(grant));
  }
  if (!caller.token.empty()) {
    document["token"] = caller.token;
  }
  if (!caller.csrf.empty()) {
    document["csrf"] = caller.csrf;
  }
  return {.body = document.dump(-1, ' ', false, json::error_handler_t::replace)};
}

Response create_token(Request const& request, RunService& service) {
  auto const type = check_json_type(request);
  if (!type) {
    return problem(type.error());
  }
  auto const wanted = read_token_request(request.body);
  auto const by = read_actor(request);
  if (!wanted || !by) {
    return problem(wanted ? by.error() : wanted.error());
  }
  return answer(service.gate().create_token(*wanted, *by), 201);
}

Response list_tokens(Request const&, RunService& service) {
  return answer(service.gate().list_tokens());
}

Response revoke_token(Request const& request, RunService& service) {
  auto const by = read_actor(request);
  return by ? answer(service.gate().revoke_token(request.part("token"), *by)) : problem(by.error());
}

Response open_session(Request const& request, RunService& service) {
  auto const type = check_json_type(request);
  if (!type) {
    return problem(type.error());
  }
  auto const token = read_session_request(request.body);
  if (!token) {
    return problem(token.error());
  }
  auto const session = service.gate().open_session(*token, request.peer);
  if (!session) {
    return problem(session.error());
  }
  auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(session->lasts).count();
  return {.body = R"({"logged_in":true})",
          .headers = {{"Set-Cookie", cookie(request.peer, session->secret, seconds)}}};
}

Response end_session(Request const& request, RunService& service) {
  service.gate().end_session(request, request.peer);
  return {.body = R"({"logged_in":false})",
          .headers = {{"Set-Cookie", cookie(request.peer, "", 0)}}};
}

}  // namespace runbookd::web
