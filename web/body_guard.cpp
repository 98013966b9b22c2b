#include "web/body_guard.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace runbookd::web {

using planner::Finding;

namespace {

// Our deepest request has three levels.
constexpr std::size_t deepest = 16;

Finding objection(std::string rule, std::string pointer, std::string message) {
  return {.rule = std::move(rule),
          .place = {.file = std::move(pointer)},
          .message = std::move(message)};
}

// Walks the text without keeping its values.
class Guard {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  explicit Guard(std::string_view text) : text_(text) {}

  std::optional<Finding> found;

  bool null() { return value(); }
  bool boolean(bool) { return value(); }
  bool number_integer(number_integer_t) { return value(); }
  bool number_unsigned(number_unsigned_t) { return value(); }
  bool number_float(number_float_t, string_t const&) { return value(); }
  bool string(string_t&) { return value(); }
  bool binary(binary_t&) { return value(); }
  bool start_object(std::size_t) { return enter(); }
  bool start_array(std::size_t) { return enter(); }
  bool end_object() { return leave(); }
  bool end_array() { return leave(); }

  bool key(string_t& name) {
    auto& level = levels_.back();
    level.last_key = name;
    level.in_object = true;
    if (level.keys.insert(name).second) {
      return true;
    }
    found = objection("body/duplicate-key", here(), "the key \"" + name + "\" stands here twice");
    return false;
  }

  bool parse_error(std::size_t position, std::string const&, nlohmann::json::exception const&) {
    auto const before = text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
    auto const line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    found = objection("body/syntax", "", "this is not JSON from here on");
    found->place.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    found->place.column = 1 + static_cast<int>(before.size() - line_start);
    return false;
  }

 private:
  struct Level {
    std::set<std::string, std::less<>> keys;
    std::string last_key;
    std::size_t index = 0;
    bool in_object = false;
  };

  bool value() {
    if (!levels_.empty()) {
      ++levels_.back().index;
    }
    return true;
  }
  bool enter() {
    if (levels_.size() >= deepest) {
      found = objection(
          "body/too-deep", here(),
          "nothing this daemon reads is nested deeper than " + std::to_string(deepest) + " levels");
      return false;
    }
    levels_.emplace_back();
    return true;
  }
  bool leave() {
    levels_.pop_back();
    return value();
  }

  std::string here() const {
    std::string pointer = "#";
    for (auto const& level : levels_) {
      pointer = pointer_to(pointer, level.in_object ? level.last_key : std::to_string(level.index));
    }
    return pointer;
  }

  std::string_view text_;
  std::vector<Level> levels_;
};

}  // namespace

std::string pointer_to(std::string_view parent, std::string_view key) {
  std::string out(parent);
  out += '/';
  for (char const c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<Finding> json_objection(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return objection("body/syntax", "", "the text has a zero byte");
  }
  Guard guard(text);
  nlohmann::json::sax_parse(text, &guard);
  return std::move(guard.found);
}

}  // namespace runbookd::web
