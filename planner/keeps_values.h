// Does a change of a column's type keep every value, so that the way back finds it again? Pure.
#pragma once

#include <string>

namespace runbookd::planner {

// Types as SQL, such as format_type() prints them: "character varying(10)", "bigint".
bool keeps_every_value(std::string const& from, std::string const& to);

}  // namespace runbookd::planner
