// What a statement does to the relations of a database: the locks it asks for, what it reads from
// end to end, rewrites, empties or drops, and what that means for the application. The rules are
// those of PostgreSQL 13 to 18; tests/web/ctl/locktruth_test.cpp holds them against what real
// servers did. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "planner/catalog.h"
#include "planner/lock_mode.h"
#include "planner/plan.h"

namespace runbookd::planner {

// The strongest lock that the statement asks for on a relation that was there before.
struct RelationLock {
  std::string name;  // as SQL needs it: public."Order Items"
  RelationName relation;
  RelationKind kind = RelationKind::table;
  LockMode mode = LockMode::access_share;
  // Its partitions and children are listed by themselves: LOCK TABLE ONLY asks for the same.
  bool only = true;
  bool kept = true;        // to the end of the transaction
  std::string of;          // the table of an index, of a TOAST table or its index
  std::uint8_t asked = 0;  // a bit for each mode that it asks for, this one among them
  std::int64_t rows = -1;  // of the relation; -1 = unknown
  std::int64_t bytes = -1;
  bool lockable() const {  // LOCK TABLE takes it
    return kind == RelationKind::table || kind == RelationKind::partitioned_table ||
           kind == RelationKind::view;
  }
  bool operator==(RelationLock const&) const = default;
};

// Something that the application of yesterday trips over, or data that is gone.
struct Consequence {
  std::string what;  // "column public.users.account_id"
  std::string why;   // "its values are gone: …"
  bool operator==(Consequence const&) const = default;
};

struct Effects {
  std::vector<RelationLock> locks;        // tables; sorted by name, so are all lists
  std::vector<RelationLock> other_locks;  // views, sequences, indexes, TOAST tables
  std::vector<std::string> rewrites, scans, plan_dependent_scans, emptied, rebuilt_indexes, dropped,
      created;
  // Transactions that it waits for beside those whose locks stand in its way: "writers",
  // "readers", "row lockers" of the table, "snapshots" of anybody.
  std::vector<std::string> waits_for;
  bool transactional = true;  // may stand inside BEGIN … COMMIT
  std::vector<Consequence> destructive, breaks_old_app;
  // Sentences. `assumed`: what the answer rests on and the catalog did not tell.
  std::vector<std::string> assumed;
  bool analysed = true;  // false: the lists say nothing; `not_analysed` says why
  std::string not_analysed;
  int since = 0;            // the first major version that knows it; 0 = those that we know all do
  std::string since_words;  // what that version brought: "[NOT] ENFORCED"
  bool opaque = false;      // it runs code whose effects are not all in the lists
  // How long the strongest lock is held at the least, as far as sizes tell; -1 = unknown.
  std::int64_t hold_ms = -1;
  bool operator==(Effects const&) const = default;

  std::vector<std::string> blocks_reads() const;   // an ordinary SELECT waits
  std::vector<std::string> blocks_writes() const;  // INSERT, UPDATE and DELETE wait
};

// `server_major`: 13 to 18; others are taken for the nearest of these.
Effects effects_of(Statement const& statement, Catalog const& catalog, int server_major);
// The catalog after the statement, as far as its text tells: for the statement after it.
Catalog apply(Catalog catalog, Statement const& statement);

// On what other sessions wait while it is there: a view waits for its tables, a partitioned table
// for its partitions, and a table for its indexes.
struct Stalls {
  std::vector<std::string> reads, writes;  // sorted
};
Stalls stalls_of(Effects const& effects, Catalog const& before, int server_major);

struct ExplainedStatement {
  Statement statement;
  Effects effects;
  Stalls stalls;
};
struct Explanation {
  std::vector<ExplainedStatement> statements;
  Findings findings;  // what could not be read
  Catalog catalog;    // after the last statement
};
// A whole script, each statement seeing what those before it did. Unlike read_sql it takes what a
// migration tool or pg_dump writes: transaction control is no finding.
Explanation explain(SqlText const& script, Catalog catalog, int server_major);
// The catalog that a script such as a schema dump leaves; findings for what was passed over.
Explanation replay(SqlText const& script, Catalog catalog = {});

}  // namespace runbookd::planner
