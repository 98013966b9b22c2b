#include "planner/catalog_text.h"

#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

pg::Node only_statement(pg::Tree const& tree) {
  return tree.ok() && tree.statements.size() == 1 ? tree.statements.front().node : pg::Node{};
}

}  // namespace

Expression expression_from(std::string const& text, Catalog const& catalog) {
  auto const tree = pg::parse("SELECT " + text);
  auto const targets = only_statement(tree).list("targetList");
  return targets.size() == 1 ? pg::expression_of(targets.front()["val"], catalog) : Expression{};
}

TypeName type_from(std::string const& text, Catalog const& catalog) {
  auto const tree = pg::parse("SELECT NULL::" + text);
  auto const targets = only_statement(tree).list("targetList");
  return targets.size() == 1 ? pg::type_of(targets.front()["val"]["typeName"], catalog)
                             : TypeName{.name = text};
}

std::optional<Index> index_from(std::string const& definition, Relation const& table,
                                Catalog const& catalog) {
  auto const tree = pg::parse(definition);
  auto const statement = only_statement(tree);
  return statement.is("IndexStmt") ? std::optional(index_of(catalog, table, statement))
                                   : std::nullopt;
}

void partition_key_from(std::string const& definition, Relation& table) {
  auto const tree = pg::parse("CREATE TABLE t () PARTITION BY " + definition);
  if (auto const spec = only_statement(tree)["partspec"]) {
    read_partition_key(table, spec, {});
  }
}

std::vector<Condition> bound_from(std::string const& bound, Relation const& table) {
  auto const tree = pg::parse("CREATE TABLE t PARTITION OF p " + bound);
  return pg::conditions_of_bound(only_statement(tree)["partbound"], table.partition_strategy,
                                 table.partition_key);
}

bool volatile_result(Function const& function, bool declared_volatile, Catalog const& catalog) {
  if (function.language != "sql" || !declared_volatile || function.body.empty()) {
    return declared_volatile;
  }
  auto const tree = pg::parse(function.body);
  auto const body = pg::inlined_body(tree);
  return !body || pg::calls_volatile(body, catalog);
}

}  // namespace runbookd::planner
