// Collects what a statement does. Private to planner/effects*.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "planner/effects.h"
#include "planner/fallout.h"
#include "planner/pg_tree.h"

namespace runbookd::planner {

class Recorder {
 public:
  Recorder(Catalog const& known, int server_major) : catalog(known), major(server_major) {}
  Recorder(Recorder const&) = delete;
  Recorder& operator=(Recorder const&) = delete;

  // Nothing where there certainly is none. Where the catalog cannot tell, a table of that name is
  // taken for a plain one, and that is said.
  Relation const* relation(RelationName const& name, RelationKind assumed = RelationKind::table);
  Relation const* relation(pg::Node range_variable, RelationKind assumed = RelationKind::table);
  Catalog::FoundIndex index(RelationName const& name);

  void lock(Relation const& relation, LockMode mode, bool kept = true);
  void lock_index(Relation const& table, Index const& index, LockMode mode);
  void lock_indexes(Relation const& table, LockMode mode);
  void lock_with_indexes(Relation const& table, LockMode mode);  // as the server plans for it
  // Where it has one. Without a mode for the index that is left alone.
  void lock_toast(Relation const& table, LockMode mode, std::optional<LockMode> index);
  // Without rows of their own (partitioned tables, views) nothing is read or written.
  void scan(Relation const& relation);
  void maybe_scan(Relation const& relation);     // the planner chooses
  void rewrite(Relation const& relation);        // with all its indexes
  void rewrite_alone(Relation const& relation);  // without its indexes
  void refill(Relation const& relation);         // without looking at what is there
  void empty(Relation const& relation);
  void rebuild(Index const& index);
  void not_rebuilt(Index const& index);
  void drop(Index const& index);
  void remake(Index const& index);  // dropped, and made anew with its name
  void drop(Fallout const& fallout);
  void drop_column(RelationName const& table, std::string const& column);

  void create(RelationName const& name);  // what a replay cannot tell, as its table is not known
  void wait_for(std::string whom);

  void assume(std::string sentence);
  void loses(std::string what, std::string why);
  void breaks(std::string what, std::string why);
  void not_analysed(std::string why);
  void outside() { effects_.transactional = false; }
  void opaque() { effects_.opaque = true; }
  void refuse() { refused_ = true; }  // it certainly fails
  // Where code catches a failure, what it locked since then goes with it.
  using Locked = std::set<std::string>;
  Locked locked() const;
  void caught(Locked const& before);
  bool enter(std::string const& body);  // false where it is open already: it calls itself
  void leave() { bodies_.pop_back(); }

  Effects take();

  Catalog const& catalog;
  int const major;

 private:
  void add(std::map<std::string, RelationLock>& locks, RelationLock lock);
  std::int64_t estimated_hold() const;

  Effects effects_;
  std::map<std::string, RelationLock> locks_, other_locks_;
  std::map<std::string, std::int64_t> read_, written_;  // bytes, by relation
  std::list<Relation> assumed_;                         // mostly none, and none may move
  std::vector<std::string> bodies_;
  bool refused_ = false;
};

// Families of statements. Each records what it does.
void effects_of_alter_table(Recorder& recorder, pg::Node statement);
void effects_of_alter_index(Recorder& recorder, pg::Node statement);
void effects_of_rename(Recorder& recorder, pg::Node statement);
void effects_of_index(Recorder& recorder, pg::Node statement);
void effects_of_reindex(Recorder& recorder, pg::Node statement);
void effects_of_drop(Recorder& recorder, pg::Node statement);
void effects_of_truncate(Recorder& recorder, pg::Node statement);
void effects_of_create_table(Recorder& recorder, pg::Node statement);
void effects_of_maintenance(Recorder& recorder, pg::Node statement);
void effects_of_query(Recorder& recorder, pg::Node statement);
void effects_of_types(Recorder& recorder, pg::Node statement);
void effects_of_grant(Recorder& recorder, pg::Node statement);
void effects_of_label(Recorder& recorder, pg::Node statement);
void effects_of_lock(Recorder& recorder, pg::Node statement);
void effects_of_policy(Recorder& recorder, pg::Node statement);
void effects_of_publication(Recorder& recorder, pg::Node statement);
void effects_of_refresh(Recorder& recorder, pg::Node statement);
void effects_of_rule(Recorder& recorder, pg::Node statement);
void effects_of_sequence(Recorder& recorder, pg::Node statement);
void effects_of_statistics(Recorder& recorder, pg::Node statement);
void effects_of_trigger(Recorder& recorder, pg::Node statement);
void effects_of_view(Recorder& recorder, pg::Node statement);
void effects_of_body(Recorder& recorder, std::string const& body);  // of a DO block or function
void record_statement(Recorder& recorder, pg::Node statement);
Effects record_effects(pg::Node statement, Catalog const& catalog, int server_major);
// … of a statement that stands at bytes `begin` to `end` of what was parsed.
Effects record_effects(pg::Tree const& tree, pg::ParsedStatement const& statement,
                       Catalog const& catalog, int server_major);
Effects unknown_effects(std::string const& why);
Effects unread_effects(pg::Tree const& tree);  // the parser refused it
// What this one command of an ALTER TABLE does; nothing = all of them do.
void record_commands(Recorder& recorder, pg::Node statement, pg::Node only);

// What they share.
enum class QueryUse {
  looks,     // a definition that only names relations
  plans,     // everything is locked as if it ran
  reads,     // runs; a SELECT's client may stop anywhere
  reads_all  // runs to its end
};
void record_query(Recorder& recorder, pg::Node query, QueryUse use);
// A foreign key of `table` to `other`: what making it takes.
void lock_referenced(Recorder& recorder, RelationName const& other, LockMode mode);
// … its triggers on both tables; `columns`: those that are referenced, empty = the primary key.
void add_key_triggers(Recorder& recorder, Relation const& table, Relation const& other,
                      std::vector<std::string> const& columns);
void check_keys(Recorder& recorder, Relation const& table, Relation const& other);  // by a query
void lock_sequences(Recorder& recorder, Expression const& value);  // of a default that is made
// Those with a foreign key to it, or to what it is a partition of: that is a key to it, too.
std::vector<Relation const*> referencing_above(Catalog const& catalog, Relation const& table);
// A partition that has this key from above.
bool inherits_key_to(Relation const& partition, RelationName const& table);
void lock_named(Recorder& recorder, pg::Node range_variable, LockMode mode);
// `lock`ed itself, and its partitions and children where `down`.
void lock_tree(Recorder& recorder, Relation const& top, LockMode mode, bool down);
void attach_partition(Recorder& recorder, Relation const& table, pg::Node definition);
void detach_partition(Recorder& recorder, Relation const& table, pg::Node definition,
                      bool finalize);
void alter_column_type(Recorder& recorder, Relation const& table, pg::Node command);
void add_constraint_effects(Recorder& recorder, Relation const& table, pg::Node constraint,
                            bool down, bool new_column, std::string const& column);
bool proven_not_null(Relation const& table, std::string const& column);
bool domain_constrains(Catalog const& catalog, TypeName const& type);

}  // namespace runbookd::planner
