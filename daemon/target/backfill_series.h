// Where a series of attempts of a backfill stands, as runbookd.backfill and runbookd.backfill_shard
// in the target tell. Private to daemon/target.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/target/backfill_table.h"

namespace runbookd::daemon {

// A part of one relation, walked from its cursor (nothing: from the first row) up to `upper`. The
// first pass fills; those after it look for rows that need it again.
struct Shard {
  int pass = 1, number = 0;
  std::string relation;
  std::vector<std::string> columns;  // of the key by which it is walked
  std::optional<KeyValues> cursor, upper;
  std::int64_t rows_scanned = 0, rows_changed = 0;
  std::int64_t rows_again = 0;  // of those changed that were asked: `where` still held
  std::int64_t rows_asked = 0;
  std::int64_t worked_ms = 0;
  bool done = false;
};

struct Series {
  std::int64_t rows_expected = 0;  // an estimate, of the moment when the backfill began
  std::int64_t scanned_before = 0, changed_before = 0;  // without shards, by an older daemon
  bool done = false;
  // of an older daemon that has not finished: the one range that it walked
  std::optional<Shard> undivided;
  std::vector<Shard> shards;

  int pass() const { return shards.empty() ? 1 : shards.back().pass; }
  planner::Filled filled() const;
  std::int64_t found() const;        // by the passes after the first
  planner::Duration worked() const;  // the step, by all attempts
};

class SeriesTable {
 public:
  SeriesTable(Session& session, AttemptTag const& tag, planner::BackfillAction const& action,
              int since_attempt)
      : session_(session), tag_(tag), action_(action), since_attempt_(since_attempt) {}

  // Nothing where none was begun.
  SqlResult<std::optional<Series>> read();
  // The series, if it is not there, and the shards of one pass; what another session has written of
  // that pass stands.
  SqlResult<void> write(std::string const& relation, std::int64_t rows_expected,
                        std::vector<Shard> const& shards);
  // Relations that are the table's no longer.
  SqlResult<void> give_up(std::vector<std::string> const& relations);
  // Totals and marker, durable, and with them all batches before.
  SqlResult<void> finish();

 private:
  std::string condition() const;
  std::string shard_rows(std::vector<Shard> const& shards) const;
  SqlResult<void> in_transaction(std::string const& sql);

  Session& session_;
  AttemptTag const& tag_;
  planner::BackfillAction const& action_;
  int since_attempt_;
};

std::string array_sql(Session const& session, std::optional<KeyValues> const& values);

}  // namespace runbookd::daemon
