// A first look at a JSON text, before it is built into values: the parser alone would keep the last
// of two equal keys, follow any depth, and stop without a word at a zero byte.
#pragma once

#include <optional>
#include <string_view>

#include "planner/diagnostic.h"

namespace runbookd::web {

// The first reason not to read on.
std::optional<planner::Finding> json_objection(std::string_view text);

// The place of `key` below `parent` ("#", "#/acknowledge/0"): "/" and "~" are escaped as RFC 6901
// says.
std::string pointer_to(std::string_view parent, std::string_view key);

}  // namespace runbookd::web
