// The durable spelling of events. Old spellings stay readable for ever: add fields, never change
// them.
#pragma once

#include <string>
#include <string_view>

#include "planner/error.h"
#include "planner/event.h"

namespace runbookd::planner {

// The body alone, one line, sorted keys; time, actor, reason and kind stand in columns of their
// own.
std::string body_to_json(EventBody const& body);
Result<EventBody> body_from_json(std::string_view kind, std::string_view json);

}  // namespace runbookd::planner
