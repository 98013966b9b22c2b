#include "daemon/access_documents.h"

#include <nlohmann/json.hpp>

namespace runbookd::daemon {
namespace {

using nlohmann::json;
using store::StoredToken;

std::string text_of(json const& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

json time_or_null(std::optional<planner::Moment> moment) {
  return moment ? json(planner::to_rfc3339(*moment)) : json();
}

json shown(StoredToken const& token) {
  json document{{"token", token.id},
                {"name", token.name},
                {"principal", token.principal},
                {"roles", json::array()},
                {"created_at", planner::to_rfc3339(token.created)},
                {"created_by", token.created_by},
                {"expires_at", time_or_null(token.expires)},
                {"last_used_at", time_or_null(token.last_used)},
                {"revoked_at", time_or_null(token.revoked)},
                {"revoked_by", token.revoked_by}};
  for (auto const& grant : token.grants) {
    document["roles"].push_back(planner::to_text(grant));
  }
  return document;
}

}  // namespace

std::string token_json(StoredToken const& token) { return text_of(shown(token)); }

std::string new_token_json(StoredToken const& token, std::string const& text) {
  auto document = shown(token);
  document["secret"] = text;
  return text_of(document);
}

std::string token_request_json(std::string const& principal, std::string const& name,
                               std::string const& lasts, std::vector<std::string> const& roles) {
  return text_of({{"principal", principal}, {"name", name}, {"lasts", lasts}, {"roles", roles}});
}

std::string token_list_json(std::vector<StoredToken> const& tokens) {
  json document{{"tokens", json::array()}};
  for (auto const& token : tokens) {
    document["tokens"].push_back(shown(token));
  }
  return text_of(document);
}

}  // namespace runbookd::daemon
