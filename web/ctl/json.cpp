#include "web/ctl/json.h"

#include <nlohmann/json.hpp>

namespace runbookd::ctl {

namespace {

Json const nothing;

std::string dump(Json const& document, int indent) {
  return document.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Json parse_json(std::string_view text) {
  auto document = Json::parse(text, nullptr, false);
  return document.is_discarded() ? Json() : document;
}

std::string to_line(Json const& document) { return dump(document, -1); }
std::string to_pretty(Json const& document) { return dump(document, 2); }

Json const& child(Json const& object, char const* key) {
  if (!object.is_object()) {
    return nothing;
  }
  auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string text_of(Json const& object, char const* key) {
  auto const& value = child(object, key);
  if (value.is_string()) {
    return value.get<std::string>();
  }
  return value.is_number() || value.is_boolean() ? to_line(value) : std::string();
}

std::int64_t number_of(Json const& object, char const* key) {
  auto const& value = child(object, key);
  if (value.is_number_float()) {
    return static_cast<std::int64_t>(value.get<double>());
  }
  return value.is_number() ? value.get<std::int64_t>() : 0;
}

double real_of(Json const& object, char const* key) {
  auto const& value = child(object, key);
  return value.is_number() ? value.get<double>() : 0;
}

bool flag_of(Json const& object, char const* key) {
  auto const& value = child(object, key);
  return value.is_boolean() && value.get<bool>();
}

bool has_text(Json const& object, char const* key) { return !text_of(object, key).empty(); }

planner::Moment moment_of(Json const& object, char const* key) {
  auto const text = text_of(object, key);
  return text.empty() ? planner::Moment{}
                      : planner::parse_rfc3339(text).value_or(planner::Moment{});
}

}  // namespace runbookd::ctl
