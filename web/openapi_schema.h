// Schemas as web/openapi/ spells them -> JSON Schema. Private to web/openapi*.cpp.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace runbookd::web {

using Tree = nlohmann::ordered_json;

// A file of ours; throws where it cannot be read.
Tree tree_of_yaml(std::string_view name, std::string_view text);

// `schema` with `like` and `all_but` spelled out, at every depth; `named`: where `like` looks.
Tree plain_schema(Tree schema, Tree const& named);

}  // namespace runbookd::web
