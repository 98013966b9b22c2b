// What goes when something is dropped: PostgreSQL's dependencies, as far as a catalog has them.
// Private to planner/: effects*, replay*.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "planner/catalog.h"

namespace runbookd::planner {

class Fallout {
 public:
  using Part = std::pair<RelationName, std::string>;  // of a relation

  Fallout(Catalog const& catalog, bool cascade, int server_major = 18)
      : catalog_(&catalog), cascade_(cascade), major_(server_major) {}

  void drop_relation(RelationName const& name);
  void drop_index(RelationName const& table, std::string const& index);
  void drop_constraint(RelationName const& table, std::string const& constraint);
  void drop_column(RelationName const& table, std::string const& column);
  // ALTER TABLE ONLY: the children keep theirs, and are told that it is their own now.
  void drop_column_alone(RelationName const& table, std::string const& column);
  void drop_trigger(RelationName const& table, std::string const& trigger);
  void drop_function(RelationName const& name);
  void drop_type(RelationName const& name);
  void drop_schema(std::string const& name);
  void drop_extension(std::string const& name);

  std::set<RelationName> relations;  // gone as a whole; so are the next two
  std::set<RelationName> functions, types;
  std::set<std::string> schemas;
  std::set<Part> indexes, constraints, columns, defaults, triggers, rules, policies;
  std::set<RelationName> locked;   // every relation that something was taken from
  std::set<RelationName> refused;  // what stands in the way without CASCADE

 private:
  bool dependents(RelationName const& name);  // may go too; else they are refused
  void drop_foreign_key(Relation const& table, Constraint const& key);
  void drop_keys_to(RelationName const& table, Constraint const* key);
  void drop_keys_above(Relation const& partition);
  enum class Checks { of_all, own };  // of children too
  void drop_own_column(Relation const& table, std::string const& column, Checks checks);
  void drop_users_of_column(Relation const& table, std::string const& column);
  void drop_users_of_function(RelationName const& name);
  void drop_users_of_sequence(RelationName const& name);

  Catalog const* catalog_;
  bool cascade_;
  int major_;
};

}  // namespace runbookd::planner
