// `${name}` in a plan: literal text put in when the plan is read. `$${name}` stands for `${name}`
// itself.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace runbookd::planner {

using Variables = std::map<std::string, std::string, std::less<>>;

struct UnknownVariable {
  std::string name;
  std::size_t offset = 0;  // in the text as it was
  bool operator==(UnknownVariable const&) const = default;
};
struct Substituted {
  std::string text;
  std::vector<UnknownVariable> unknown;  // nobody declared them; left in the text as they stand
};

Substituted fill(std::string_view text, Variables const& variables);
// The inverse for text that holds no variables any more: fill(escape(text), anything).text == text.
std::string escape(std::string_view text);

bool is_variable_name(std::string_view name);  // a letter or _, then letters, digits, _

}  // namespace runbookd::planner
