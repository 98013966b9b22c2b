// The SQL of a backfill's batches: one range of one relation at a time. Private to daemon/target.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/target/backfill_series.h"
#include "daemon/target/backfill_table.h"

namespace runbookd::daemon {

// Whether a range of blocks costs no more than its blocks.
bool knows_block_ranges(Session const& session);

// What one batch does beside its range.
struct BatchWords {
  std::int64_t rows = 0;       // that it was cut for
  bool last = false;           // of its shard
  bool asks_again = true;      // whether the rows still satisfy `where` afterwards
  planner::Duration worked{};  // the step's time at work since the batch before
};

class BackfillSql {
 public:
  BackfillSql(Session const& session, AttemptTag const& tag, planner::BackfillAction const& action,
              int since_attempt)
      : session_(session), tag_(tag), action_(action), since_attempt_(since_attempt) {}

  // The greatest key, as text.
  static std::string greatest_key(FillRelation const& relation);
  // Locks the shard's row if its cursor is still the one that we know, and finds where the batch
  // ends. One row: 1; 0 (somebody else has moved the cursor) or 2 (the blocks are other ones than
  // when the walk began). Then the end's values, or NULLs where fewer rows than that are left.
  std::string lock_and_look_ahead(FillRelation const& relation, Shard const& shard,
                                  std::int64_t rows, std::int64_t blocks) const;
  // Updates the rows up to `bound`, moves the cursor there, commits, and shows what is counted by
  // now: scanned, changed, again, asked.
  std::string change_and_commit(FillRelation const& relation, Shard const& shard,
                                KeyValues const& bound, BatchWords const& words) const;
  // The rows of a batch, to be looked at by a person.
  std::string look_at(FillRelation const& relation, Shard const& shard,
                      KeyValues const& bound) const {
    return "SELECT * FROM " + relation.reference() + " WHERE " +
           in_range(relation, shard.cursor, bound);
  }

 private:
  std::string shard_condition(Shard const& shard) const;
  std::string text_array(std::optional<KeyValues> const& values) const;
  std::string key_values(FillRelation const& relation, KeyValues const& values) const;
  std::string in_range(FillRelation const& relation, std::optional<KeyValues> const& after,
                       KeyValues const& up_to) const;
  std::string in_blocks(FillRelation const& relation, KeyValues const& from,
                        KeyValues const& to) const;
  std::string update(FillRelation const& relation) const;

  Session const& session_;
  AttemptTag const& tag_;
  planner::BackfillAction const& action_;
  int since_attempt_;
};

}  // namespace runbookd::daemon
