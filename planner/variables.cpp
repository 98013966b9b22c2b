#include "planner/variables.h"

#include <algorithm>

namespace runbookd::planner {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_letter_or_digit(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

// The name in a `${name}` that begins at `at`; empty = none does. SQL's own `$${"a": 1}$$` is none.
std::string_view name_at(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "${") {
    return {};
  }
  auto const end = text.find('}', at);
  if (end == std::string_view::npos) {
    return {};
  }
  auto const name = text.substr(at + 2, end - at - 2);
  return is_variable_name(name) ? name : std::string_view{};
}

std::string reference(std::string_view name) { return "${" + std::string(name) + "}"; }

}  // namespace

bool is_variable_name(std::string_view name) {
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), is_letter_or_digit);
}

Substituted fill(std::string_view text, Variables const& variables) {
  Substituted filled;
  for (std::size_t i = 0; i < text.size();) {
    if (auto const escaped = text[i] == '$' ? name_at(text, i + 1) : ""; !escaped.empty()) {
      filled.text += reference(escaped);
      i += escaped.size() + 4;
    } else if (auto const name = name_at(text, i); !name.empty()) {
      auto const found = variables.find(name);
      filled.text += found == variables.end() ? reference(name) : found->second;
      if (found == variables.end()) {
        filled.unknown.push_back({.name = std::string(name), .offset = i});
      }
      i += name.size() + 3;
    } else {
      filled.text += text[i++];
    }
  }
  return filled;
}

std::string escape(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!name_at(text, i).empty()) {
      escaped += '$';
    }
    escaped += text[i];
  }
  return escaped;
}

}  // namespace runbookd::planner
