#include "web/body_object.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "web/body_guard.h"

namespace runbookd::web {

using nlohmann::json;
using planner::Findings;

namespace {

void add(Findings& problems, std::string pointer, std::string rule, std::string message) {
  problems.push_back({.rule = std::move(rule),
                      .place = {.file = std::move(pointer)},
                      .message = std::move(message)});
}

std::string kind_of(json const& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "an array";
    case json::value_t::string:
      return "a string";
    case json::value_t::boolean:
      return "true or false";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float:
      return "a number";
    case json::value_t::binary:
    case json::value_t::discarded:
      break;
  }
  return "nothing we know";
}

std::string wrong_type(json const& value, std::string_view wanted) {
  return "this is " + kind_of(value) + "; it must be " + std::string(wanted);
}

std::string known_keys(std::initializer_list<std::string_view> keys) {
  std::string out;
  for (auto const key : keys) {
    out += (out.empty() ? "" : ", ") + std::string(key);
  }
  return out;
}

}  // namespace

BodyObject::BodyObject(json const& value, std::string pointer, Findings& problems,
                       std::initializer_list<std::string_view> keys)
    : value_(value), pointer_(std::move(pointer)), problems_(problems) {
  if (!value_.is_object()) {
    add(problems_, pointer_, "body/wrong-type", wrong_type(value_, "an object"));
    return;
  }
  for (auto const& item : value_.items()) {
    if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) {
      complain(item.key(), "body/unknown-key",
               "there is no such key here; the keys are: " + known_keys(keys));
    }
  }
}

json const* BodyObject::find(std::string_view key) const {
  if (!value_.is_object()) {
    return nullptr;
  }
  auto const it = value_.find(std::string(key));
  return it == value_.end() ? nullptr : &*it;
}

std::string BodyObject::text(std::string_view key, std::size_t longest) {
  auto const* found = find(key);
  return found == nullptr ? std::string()
                          : text_of(*found, pointer_to(pointer_, key), longest, problems_);
}

std::string BodyObject::needed(std::string_view key, std::size_t longest) {
  auto const* found = find(key);
  if (found == nullptr) {
    if (value_.is_object()) {
      complain(key, "body/missing-key", "this key is needed");
    }
    return {};
  }
  if (found->is_string() && found->get_ref<std::string const&>().empty()) {
    complain(key, "body/empty", "this must not be empty");
  }
  return text(key, longest);
}

void BodyObject::complain_of_type(std::string_view key, std::string_view wanted) {
  complain(key, "body/wrong-type", wrong_type(*find(key), wanted));
}

void BodyObject::complain(std::string_view key, std::string rule, std::string message) {
  add(problems_, pointer_to(pointer_, key), std::move(rule), std::move(message));
}

std::string text_of(json const& value, std::string pointer, std::size_t longest,
                    Findings& problems) {
  if (!value.is_string()) {
    add(problems, std::move(pointer), "body/wrong-type", wrong_type(value, "a string"));
    return {};
  }
  auto const& out = value.get_ref<std::string const&>();
  if (out.size() > longest) {
    add(problems, std::move(pointer), "body/too-long",
        "this may have at most " + std::to_string(longest) + " bytes");
    return {};
  }
  if (out.find('\0') != std::string::npos) {
    add(problems, std::move(pointer), "body/zero-character", "this has a zero character");
    return {};
  }
  return out;
}

}  // namespace runbookd::web
