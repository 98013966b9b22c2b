#include "web/redaction.h"

#include <nlohmann/json.hpp>

namespace runbookd::web {
namespace {

using nlohmann::json;

bool lists_other_sessions(std::string const& key) { return key == "blockers" || key == "waiters"; }

void hide_queries(json& sessions) {
  for (auto& session : sessions) {
    if (session.is_object() && session.contains("query")) {
      session["query"] = "";
      session["query_hidden"] = true;
    }
  }
}

void walk(json& node) {
  if (node.is_array()) {
    for (auto& each : node) {
      walk(each);
    }
  }
  if (!node.is_object()) {
    return;
  }
  for (auto& [key, value] : node.items()) {
    if (lists_other_sessions(key) && value.is_array()) {
      hide_queries(value);
    } else {
      walk(value);
    }
  }
}

}  // namespace

std::string without_queries(std::string const& text) {
  if (text.find("\"query\"") == std::string::npos) {
    return text;
  }
  auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    return text;
  }
  walk(document);
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace runbookd::web
