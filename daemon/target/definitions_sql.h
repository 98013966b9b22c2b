// The queries of definitions.cpp. Private to it.
#pragma once

#include <string>

#include "planner/inverse.h"

namespace runbookd::daemon {

// $1 = the name as SQL; gives the oid by the search_path, or NULL.
std::string resolving_sql(planner::Question const& question);
// $1 = the oid, $2 = part, $3 = detail, $4 = kind; gives rows of a word and a text: `sql` a
// statement, in order; `was` a former type; `refused` a reason; `found` nothing more than that it
// is there. Wants an empty search_path, so that every name comes with its schema.
std::string definition_sql(planner::Question::About about, int server_version);

// Of what is made again (definitions_sql.cpp), and of what is set again (settings_sql.cpp).
std::string making_sql(planner::Question::About about);
std::string setting_sql(planner::Question::About about, int server_version);
// Rights on objects, as GRANT and REVOKE said (rights_back_sql.cpp).
std::string rights_sql();

}  // namespace runbookd::daemon
