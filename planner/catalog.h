// What is in a database, as far as it decides what a statement does there. Built by reading a
// server (daemon/target/catalog.cpp) or by replaying SQL (planner/replay.h). Pure values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "planner/relation_name.h"

namespace runbookd::planner {

enum class RelationKind {
  table,
  partitioned_table,
  view,
  materialized_view,
  foreign_table,
  sequence,
  index,
  partitioned_index,
  toast_table,  // of locks only; a relation says that it has one
  toast_index
};
std::string_view to_text(RelationKind kind);  // "partitioned table"
// Has rows of its own, or parts that have.
constexpr bool is_table(RelationKind kind) {
  return kind == RelationKind::table || kind == RelationKind::partitioned_table ||
         kind == RelationKind::materialized_view || kind == RelationKind::foreign_table;
}

struct TypeName {
  std::string schema;  // empty = the server's own
  std::string name;    // "int4", "varchar"
  std::vector<std::int64_t> modifiers;
  bool array = false;
  bool operator==(TypeName const&) const = default;
};

// col >= '2026-01-01', one of the conditions that an AND joins.
struct Condition {
  std::string column, op, value;  // op "is not null" has no value
  auto operator<=>(Condition const&) const = default;
};
// What an expression says and needs.
struct Expression {
  std::vector<std::string> columns;  // sorted; so are the next two
  std::vector<RelationName> functions;
  std::vector<RelationName> relations;  // sequences of nextval
  std::vector<Condition> conditions;    // all of them hold where it is true
  bool is_volatile = false;             // another answer for each row
  std::vector<std::string> never_null;  // columns that are not NULL where it is not false
  bool operator==(Expression const&) const = default;
};

struct Column {
  std::string name;
  TypeName type;
  std::string collation;
  bool not_null = false;
  char identity = 0;                // 'a' always, 'd' by default
  char generated = 0;               // 's' stored, 'v' virtual
  std::optional<Expression> value;  // default or generation
  bool operator==(Column const&) const = default;
};

struct Constraint {
  enum class Kind { check, foreign_key, primary_key, unique, exclusion, not_null } kind;
  std::string name;
  std::vector<std::string> columns;
  Expression expression;  // of a check
  bool validated = true, enforced = true, no_inherit = false, inherited = false;
  RelationName references;  // of a foreign key; so are the next three
  std::vector<std::string> referenced_columns;
  char on_delete = 'a', on_update = 'a';  // as pg_constraint has them
  bool operator==(Constraint const&) const = default;
};

struct Index {
  RelationName name;
  std::vector<std::string> columns;  // keys and INCLUDE; empty where it is an expression
  Expression expression;             // of keys and of WHERE
  std::string method = "btree", tablespace;
  std::string definition;  // equal = it can stand in for the other as a partition's index
  bool unique = false, valid = true, constraint = false, clustered = false;
  RelationName parent;  // the partitioned index that it belongs to
  bool operator==(Index const&) const = default;
};

struct Trigger {
  std::string name;
  RelationName function, partner;  // partner: FROM of a constraint trigger
  bool each_row = false, inherited = false;
  bool operator==(Trigger const&) const = default;
};

struct Rule {
  std::string name;
  std::vector<RelationName> relations, functions;
  bool operator==(Rule const&) const = default;
};

// A use of another relation by a view, and of which of its columns.
struct Use {
  RelationName relation;
  std::vector<std::string> columns;
  bool operator==(Use const&) const = default;
};

struct Relation {
  RelationName name;
  RelationKind kind = RelationKind::table;
  bool temporary = false, unlogged = false, populated = true;
  std::string tablespace, access_method = "heap";
  std::vector<Column> columns;
  std::vector<Constraint> constraints;
  std::vector<Index> indexes;
  std::vector<Trigger> triggers;
  std::vector<Rule> rules;
  std::vector<Rule> policies;
  std::vector<RelationName> parents;  // by inheritance, or the one table it is a partition of
  bool partition = false, default_partition = false, detach_pending = false;
  std::string partition_strategy;  // "range", "list", "hash"
  Expression partition_key;
  std::vector<Condition> bound;  // of a partition
  RelationName of_type;
  std::vector<Use> uses;  // of a view
  std::vector<RelationName> functions;
  RelationName owner_table;  // of a sequence
  std::string owner_column;
  std::int64_t rows = -1, bytes = -1;  // bytes: with indexes and TOAST; -1 = unknown
  std::int64_t heap_bytes = -1;
  bool tail_empty = false;  // its last pages hold no rows: VACUUM will cut them off
  bool toast = false;       // a table beside it keeps what is too long for a row

  Column const* column(std::string_view name) const;
  Constraint const* constraint(std::string_view name) const;
  Index const* index(std::string_view name) const;
};

struct TypeInfo {
  RelationName name;
  enum class Kind { domain, enumeration, composite, other } kind = Kind::other;
  TypeName base;  // of a domain; so are the next three
  bool not_null = false;
  std::vector<Constraint> checks;
  std::optional<Expression> value;
  std::vector<Column> attributes;  // of a composite type
  std::vector<std::string> labels;
};

struct Function {
  RelationName name;
  int arguments = 0;
  bool volatile_result = true;  // after what the server sees through, such as a plain SQL body
  std::string language, body;
  bool commits = false;  // a procedure that ends transactions: CALL cannot stand in one
};

class Catalog {
 public:
  std::vector<std::string> search_path{"public"};
  std::string time_zone = "UTC";
  bool complete = false;  // what is not here does not exist
  template <typename Value>
  using ByName = std::map<RelationName, Value, std::less<>>;
  ByName<TypeInfo> types;
  std::multimap<RelationName, Function, std::less<>> functions;
  std::map<std::string, std::vector<RelationName>> publications, extensions;
  std::map<RelationName, RelationName> statistics;  // extended ones: of which table
  std::set<std::string> schemas{"public"};

  // An empty schema is looked for by search_path, temporary tables first. Indexes are found by
  // find_index.
  Relation const* find(RelationName const& name) const;
  struct FoundIndex {
    Relation const* table = nullptr;
    Index const* index = nullptr;
    explicit operator bool() const { return index != nullptr; }
  };
  FoundIndex find_index(RelationName const& name) const;
  TypeInfo const* find_type(TypeName const& type) const;
  std::vector<Function const*> find_functions(RelationName const& name) const;
  // Where something of this name would be made.
  RelationName made_as(RelationName const& name, bool temporary = false) const;

  ByName<Relation> const& relations() const { return relations_; }
  std::vector<Relation const*> children(RelationName const& name) const;     // one level
  std::vector<Relation const*> descendants(RelationName const& name) const;  // all, not itself
  std::vector<Relation const*> referencing(RelationName const& name) const;  // foreign keys to it
  std::vector<Relation const*> readers(RelationName const& name) const;      // views, one level
  std::vector<Relation const*> sequences_of(RelationName const& name) const;

  // Relations and indexes that came and went since watch(). A new name alone is neither.
  struct Turnover {
    std::set<RelationName> came, went;
  };
  void watch() { turnover_.emplace(); }
  Turnover const& turnover() const { return *turnover_; }

  void put(Relation relation);  // new, or instead of the one of that name
  void remove(RelationName const& name);
  void rename(RelationName const& from, RelationName const& to);
  template <typename Change>
  void change(RelationName const& name, Change change) {
    auto const found = relations_.find(name);
    if (found != relations_.end()) {
      unlink(found->second);
      auto const before = index_names(found->second);
      change(found->second);
      note(before, index_names(found->second));
      put_back(found);
    }
  }

 private:
  using Links = ByName<std::set<RelationName>>;
  void unlink(Relation const& relation);
  void link(Relation const& relation);
  void put_back(ByName<Relation>::iterator changed);  // perhaps under another name
  void place(Relation relation);
  using Names = std::vector<RelationName>;
  Names index_names(Relation const& relation) const;  // nothing where nobody watches
  void note(Names const& before, Names const& after);
  std::vector<Relation const*> linked(Links const& links, RelationName const& name) const;

  ByName<Relation> relations_;
  ByName<RelationName> index_tables_;
  Links children_, referencing_, readers_, sequences_;
  bool temporary_ = false;  // there has been a temporary relation
  std::optional<Turnover> turnover_;
};

}  // namespace runbookd::planner
