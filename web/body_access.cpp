// Bodies about who may reach the daemon.
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/time.h"
#include "web/body.h"
#include "web/body_object.h"
#include "web/body_parts.h"
#include "web/target.h"

namespace runbookd::web {

using planner::Result;

namespace {

constexpr std::string_view principal_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-";

std::vector<std::string> read_roles(Body& body, BodyObject& object) {
  std::vector<std::string> roles;
  auto const* list = object.find("roles");
  if (list == nullptr || !list->is_array() || list->empty()) {
    object.complain("roles", "body/value", "this must be an array of roles, with one at the least");
    return roles;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    roles.push_back(
        text_of((*list)[i], "#/roles/" + std::to_string(i), longest_name, body.problems));
  }
  return roles;
}

std::optional<planner::Duration> read_lifetime(BodyObject& object) {
  auto const text = object.text("lasts", longest_name);
  if (text.empty()) {
    return std::nullopt;
  }
  auto const lasts = planner::parse_duration(text);
  if (!lasts || *lasts <= planner::Duration{}) {
    object.complain("lasts", "body/value", "a time is written 90d or 12h, not \"" + text + '"');
    return std::nullopt;
  }
  return lasts;
}

}  // namespace

Result<TokenRequest> read_token_request(std::string_view bytes) {
  auto body = parsed(bytes);
  if (!body) {
    return tl::unexpected(body.error());
  }
  auto object = body->object({"name", "principal", "roles", "lasts"});
  TokenRequest wanted{.name = object.text("name", longest_name),
                      .principal = object.needed("principal", longest_principal),
                      .roles = read_roles(*body, object),
                      .lasts = read_lifetime(object)};
  for (auto const& [key, text] :
       {std::pair{"name", wanted.name}, {"principal", wanted.principal}}) {
    if (!is_plain_text(text)) {
      object.complain(key, "body/value", "this must be one line of text");
    }
  }
  // what looks like another's name is read as his
  if (wanted.principal.find_first_not_of(principal_letters) != std::string::npos) {
    object.complain("principal", "body/value",
                    "this must be of letters a to z, digits and . _ @ + -, such as ana.b");
  }
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return wanted;
}

Result<void> read_nothing(std::string_view text) {
  auto body = parsed(text);
  if (!body) {
    return tl::unexpected(body.error());
  }
  body->object({});
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return {};
}

Result<std::string> read_session_request(std::string_view text) {
  auto body = parsed(text);
  if (!body) {
    return tl::unexpected(body.error());
  }
  auto token = body->object({"token"}).needed("token");
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return token;
}

}  // namespace runbookd::web
