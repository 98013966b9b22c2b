// The SQL of a keyset backfill: which key it walks along, and the texts of its batches. Private to
// daemon/target.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {

// The columns of the primary key (or of a unique index over columns that are never null), in index
// order. Values travel as text and are compared by the server only.
struct BackfillKey {
  std::string table;                 // qualified and quoted
  std::string bare_table;            // quoted, as the batch's UPDATE knows it
  std::vector<std::string> columns;  // quoted
  std::vector<std::string> types;    // to cast the text back
};
using KeyValues = std::vector<std::string>;

// The failure says what is wrong with the table: not there, no usable key.
SqlResult<BackfillKey> find_key(Session& session, std::string const& table);

// Where a series of attempts stands; no cursor: before the first key; no upper: the table was
// empty.
struct BackfillState {
  std::optional<KeyValues> cursor, upper;
  std::int64_t rows_expected = 0;  // an estimate, of the moment when the backfill began
  std::int64_t rows_scanned = 0, rows_changed = 0;
  bool done = false;
};

class BackfillSql {
 public:
  BackfillSql(Session const& session, AttemptTag const& tag, planner::BackfillAction const& action,
              int since_attempt, BackfillKey const& key)
      : session_(session), tag_(tag), action_(action), since_attempt_(since_attempt), key_(key) {}

  std::string greatest_key() const;
  std::string insert_state(std::optional<KeyValues> const& upper, std::int64_t expected) const;
  // scanned, changed, done, key columns as before?, expected, cursor…, upper…
  std::string read_state() const;
  // Locks our row if its cursor is still `state`'s, and finds the key `rows` further on. One row: 1
  // or 0 (somebody else moved the cursor), then the key's values, or NULLs where fewer keys are
  // left.
  std::string lock_and_look_ahead(BackfillState const& state, std::int64_t rows) const;
  // Updates the rows up to `bound`, moves the cursor there, commits, and shows scanned and changed
  // so far.
  std::string change_and_commit(BackfillState const& state, KeyValues const& bound,
                                std::int64_t rows, bool last) const;

 private:
  std::string condition() const;
  std::string key_list(std::string const& suffix) const;
  std::string key_values(KeyValues const& values) const;
  std::string text_array(std::optional<KeyValues> const& values) const;
  std::string in_range(std::optional<KeyValues> const& after, KeyValues const& up_to) const;
  std::string update() const;

  Session const& session_;
  AttemptTag const& tag_;
  planner::BackfillAction const& action_;
  int since_attempt_;
  BackfillKey const& key_;
};

}  // namespace runbookd::daemon
