// What types and expressions of a parse tree mean in a catalog. Private to planner/: effects*,
// replay*.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/catalog.h"
#include "planner/pg_tree.h"

namespace runbookd::planner::pg {

RelationName name_of(Node range_variable);
RelationName name_of(Nodes strings);  // of a qualified name

TypeName type_of(Node type_name);
TypeName type_of(Node type_name, Catalog const& catalog);  // the schema of a type of one's own
bool same_base(TypeName const& one, TypeName const& other);

Expression expression_of(Node expression, Catalog const& catalog);
bool calls_volatile(Node expression, Catalog const& catalog);
bool virtual_column(Node definition);  // generated when it is read, so it has no stored values
// A literal, also a cast one; nothing for an expression.
std::optional<std::string> literal(Node expression);
// A SQL function's body that the server puts in the place of the call, if it may.
Node inlined_body(Tree const& tree);

std::vector<Condition> conditions_of_bound(Node bound, std::string const& strategy,
                                           Expression const& key);
// What is known to hold implies the conditions of a partition.
bool implies(std::vector<Condition> const& known, std::vector<Condition> const& wanted);
// … implies that none of its rows belongs into a partition of that bound.
bool excludes(std::vector<Condition> const& known, std::vector<Condition> const& bound);

}  // namespace runbookd::planner::pg
