// Parts of a catalog from the words in which a server tells them (pg_get_expr, format_type,
// pg_get_indexdef …). Pure; thread-safe.
#pragma once

#include <optional>
#include <string>

#include "planner/catalog.h"

namespace runbookd::planner {

// Functions, sequences and types are looked for in the catalog, so these come before what uses
// them.
Expression expression_from(std::string const& text, Catalog const& catalog);
TypeName type_from(std::string const& text, Catalog const& catalog);  // "numeric(10,2)"
// "CREATE INDEX …"; the name is the definition's own.
std::optional<Index> index_from(std::string const& definition, Relation const& table,
                                Catalog const& catalog);
// "RANGE (day)", and "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')" of a part of it.
void partition_key_from(std::string const& definition, Relation& table);
std::vector<Condition> bound_from(std::string const& bound, Relation const& table);
// Whether its calls give another answer each time: the server looks into plain SQL functions.
bool volatile_result(Function const& function, bool declared_volatile, Catalog const& catalog);

}  // namespace runbookd::planner
