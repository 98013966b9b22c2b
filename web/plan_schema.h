// config/plan.schema.json, as it was when this program was built.
#pragma once

#include <string_view>

namespace runbookd::web {

std::string_view plan_schema();

}  // namespace runbookd::web
