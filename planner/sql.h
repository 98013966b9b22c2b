// SQL text -> statements and facts, by PostgreSQL 15's own parser (libpg_query). Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planner/diagnostic.h"
#include "planner/plan.h"

namespace runbookd::planner {

struct ReadSql {
  std::vector<Statement> statements;
  Findings findings;  // sql/syntax, sql/not-analysed, sql/transaction-control, sql/empty,
                      // sql/not-transactional-with-others, sql/index-without-name
};

// Splits and classifies a step's script. A parse error is a finding at the author's own line with
// the server parser's message; where the oldest server that the plan is for is newer than the
// parser, it is a warning, and the statement is passed on for the server to judge.
ReadSql read_sql(SqlText const& script, int oldest_server = 0);
// The server has to be asked whether it knows it.
bool is_unread(Statement const& statement);

// For a check or baseline: exactly one statement, no transaction control. Whether it is read-only
// is the server's business (read-only transaction); an obviously writing one is a finding unless it
// expects an error.
Findings check_query_findings(SqlText const& query, bool expects_error, int oldest_server = 0);

// For `where:`, `set:` and `from:` of a backfill: parsed inside the UPDATE they will stand in.
Findings backfill_findings(BackfillAction const& backfill);

// One right that a statement asks of the role that runs it.
struct Need {
  enum class Kind {
    owner,     // of the relation
    drop,      // the relation's owner, or its schema's
    maintain,  // the relation's owner, or MAINTAIN where the server knows it
    vacuum,    // as above, or the database's owner
    insert,
    update,
    remove,
    truncate,
    select,
    references,
    trigger,
    create_in_schema,  // `schema`, or where that is empty the one of relation `name`
    create_in_database,
    own_schema,    // `name`
    own_type,      // or its schema
    own_function,  // one of that name, or its schema
    extension      // to create it, unless it is there
  } kind = Kind::owner;
  std::string schema;  // empty = found by search_path
  std::string name;
  std::string column;  // for insert, update and references: of this column; empty = of any
  bool operator==(Need const&) const = default;
};
std::vector<Need> needs_of(Statement const& statement);
// The role that later statements of the step run as: nothing = unchanged, empty = the one that
// connected.
std::optional<std::string> role_set_by(Statement const& statement);

// What one batch of a backfill does, without its key range; nothing where the parts do not parse.
std::optional<Statement> update_of(BackfillAction const& backfill);

// Schema (empty = found by search_path) and name of the relations that a statement makes, also by
// renaming or moving one. What a plan makes itself need not be there, nor be owned, before it
// starts.
std::vector<std::pair<std::string, std::string>> created_by(Statement const& statement);

// What a statement outside a transaction is about, for recovery by the catalog. Names are as they
// were written; an empty schema is found by search_path.
struct Outside {
  enum class Kind {
    create_index,
    drop_index,
    reindex_index,  // CONCURRENTLY; so are the next two
    reindex_table,
    reindex_many,  // of a schema (`name`), or of the whole database
    detach,        // partition `name` CONCURRENTLY from table `on`
    maintenance,   // VACUUM, CLUSTER, REINDEX SCHEMA …: once more does no harm
    create_database,
    drop_database,
    move_database,  // to tablespace `value`
    alter_system,   // setting `name` to `value`; without one it is reset, without a name all are
    create_tablespace,
    drop_tablespace,
    create_subscription,
    drop_subscription,
    alter_subscription,  // ADD or DROP PUBLICATION with a refresh
    other
  } kind = Kind::other;
  std::string schema, name;
  std::string on_schema, on;  // the index's table, or the partition's parent
  std::optional<std::string> value;
  bool operator==(Outside const&) const = default;
};
// Nothing for a statement that can stand in a transaction.
std::optional<Outside> outside_of(Statement const& statement);

// SQLSTATE for a condition name of PostgreSQL's appendix A ("not_null_violation" -> "23502"); a
// five-character code is given back as it is; empty = no such condition.
std::string sqlstate_of(std::string_view condition);
std::string condition_of(std::string_view sqlstate);  // empty = unknown

}  // namespace runbookd::planner
