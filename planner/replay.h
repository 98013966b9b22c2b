// The catalog after a statement, by its parse tree. Private to planner/: effects*, replay*.
#pragma once

#include <string>
#include <vector>

#include "planner/catalog.h"
#include "planner/fallout.h"
#include "planner/pg_tree.h"

namespace runbookd::planner {

void replay_statement(Catalog& catalog, pg::Node statement);

// Families; each leaves what is not its own alone.
void replay_create_table(Catalog& catalog, pg::Node statement);
void replay_alter_table(Catalog& catalog, pg::Node statement);
void replay_rename(Catalog& catalog, pg::Node statement);
void replay_type(Catalog& catalog, pg::Node statement);  // also functions and extensions
void remove(Catalog& catalog, Fallout const& fallout);

// Parts of tables, as CREATE and ALTER TABLE both say them.
void add_column(Catalog& catalog, RelationName const& table, pg::Node definition);
void add_constraint(Catalog& catalog, RelationName const& table, pg::Node constraint,
                    std::string const& column = "");
void add_index(Catalog& catalog, RelationName const& table, Index index);
// Copies what a partition takes over from its table: indexes, constraints, triggers.
void take_over(Catalog& catalog, RelationName const& partition, RelationName const& table);
Index index_of(Catalog const& catalog, Relation const& table, pg::Node statement);
// "orders_customer_id_idx", the name that the server chooses.
std::string free_name(Catalog const& catalog, Relation const& table,
                      std::vector<std::string> const& columns, std::string const& label);
void read_partition(Catalog& catalog, Relation& partition, RelationName const& table,
                    pg::Node bound);

void read_partition_key(Relation& table, pg::Node spec, Catalog const& catalog);

// Which objects a DROP statement names. Missing ones are left out.
Fallout fallout_of(Catalog const& catalog, pg::Node drop, int server_major = 18);
// The relations that a query reads or writes, by name: common table expressions are none.
struct Reference {
  pg::Node node;  // RangeVar
  RelationName name;
};
std::vector<Reference> references_of(pg::Node query);
std::vector<Use> uses_of(Catalog const& catalog, pg::Node query);

}  // namespace runbookd::planner
