// What every reader of a body begins with. Private to web/body*.cpp.
#pragma once

#include <initializer_list>
#include <string_view>

#include <nlohmann/json.hpp>

#include "planner/error.h"
#include "web/body_object.h"

namespace runbookd::web {

planner::Error body_error(planner::Findings findings);

// What every reader gets: the parsed body and a place for its problems.
struct Body {
  nlohmann::json value = nlohmann::json::object();
  planner::Findings problems;

  BodyObject object(std::initializer_list<std::string_view> keys) {
    return {value, "#", problems, keys};
  }
};
planner::Result<Body> parsed(std::string_view text);

}  // namespace runbookd::web
