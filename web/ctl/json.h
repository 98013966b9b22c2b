// Reading the daemon's documents without trusting them: what is missing or of another type is
// empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "planner/time.h"

namespace runbookd::ctl {

using Json = nlohmann::json;

// Never throws; null for text that is not JSON.
Json parse_json(std::string_view text);
std::string to_line(Json const& document);    // one line
std::string to_pretty(Json const& document);  // for people

Json const& child(Json const& object, char const* key);       // null where there is none
std::string text_of(Json const& object, char const* key);     // numbers and booleans as written
std::int64_t number_of(Json const& object, char const* key);  // 0 where there is none
double real_of(Json const& object, char const* key);
bool flag_of(Json const& object, char const* key);
bool has_text(Json const& object, char const* key);
// The epoch where there is no readable time.
planner::Moment moment_of(Json const& object, char const* key);

}  // namespace runbookd::ctl
