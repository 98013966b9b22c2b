// A plan document as YAML that people like to read: block text, short mappings on one line,
// comments. Knows nothing about plans but which of their keys are short.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace runbookd::planner {

// Keys keep the order in which they were put in.
using Draft = nlohmann::ordered_json;

// A member named "#" is the comment above its mapping, "#key" the one above that key.
std::string yaml_text(Draft const& document);
// On one line: {value: 0}
std::string yaml_line(Draft const& value);

}  // namespace runbookd::planner
