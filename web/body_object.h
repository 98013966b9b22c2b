// One JSON object of a request, taken apart key by key. Problems are collected, so that all of them
// come in one answer.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "planner/diagnostic.h"

namespace runbookd::web {

constexpr std::size_t longest_name = 500;
constexpr std::size_t longest_text = 16 * 1024;

class BodyObject {
 public:
  // Complains at once about keys that are not in `keys`. `value` and `problems` must outlive this.
  BodyObject(nlohmann::json const& value, std::string pointer, planner::Findings& problems,
             std::initializer_list<std::string_view> keys);

  nlohmann::json const* find(std::string_view key) const;
  // Free text; absent is empty.
  std::string text(std::string_view key, std::size_t longest = longest_text);
  // A text that must be there and say something.
  std::string needed(std::string_view key, std::size_t longest = longest_name);
  // The value of a key that must be of another kind: `wanted` is "an array", "an object".
  void complain_of_type(std::string_view key, std::string_view wanted);
  void complain(std::string_view key, std::string rule, std::string message);

 private:
  nlohmann::json const& value_;
  std::string pointer_;
  planner::Findings& problems_;
};

// `value` as text; anything else is a problem at `pointer`.
std::string text_of(nlohmann::json const& value, std::string pointer, std::size_t longest,
                    planner::Findings& problems);

}  // namespace runbookd::web
