// What kind of statement a parse tree is. Private to planner/sql*.cpp and planner/lint/.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "planner/pg_tree.h"

namespace runbookd::planner::pg {

std::string kind_of(Node statement);       // "CREATE INDEX CONCURRENTLY", "ALTER TABLE"
bool transactional(Node statement);        // as far as the text alone tells
bool changes_schema(Node statement);       // false only where it certainly does not
bool transaction_control(Node statement);  // BEGIN, COMMIT, SAVEPOINT, PREPARE TRANSACTION …
bool detaches_concurrently(Node statement);
bool option_set(Node statement, std::string_view list, std::string_view name, bool missing);
// Schema (empty = found by search_path) and name of the relations that it makes.
std::vector<std::pair<std::string, std::string>> created_by(Node statement);
// "OBJECT_MATVIEW" -> "MATERIALIZED VIEW"
std::string object_words(std::string const& object);

}  // namespace runbookd::planner::pg
