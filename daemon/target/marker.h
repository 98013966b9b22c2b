// What we leave in the target, in schema runbookd, and the SQL that writes it. Private to
// daemon/target.
//
//   runbookd.marker    one row per attempt that took effect, written in the attempt's own
//   transaction (for a
//                      statement that cannot stand in one: right after it). Its presence proves the
//                      commit. store, run, phase, step, direction, attempt: the key; label,
//                      backend_pid, xid, at.
//   runbookd.intent    one row per attempt outside a transaction, committed before its statement is
//   sent:
//                      the key as above; kind, statement, object, relation, backend_pid,
//                      backend_start, at. What the catalog had before (outside.h): objects,
//                      relations, beside. done_at is set together with the marker, failed_at where
//                      the server answered that the statement failed.
//   runbookd.backfill  one row per series of backfill attempts: store, run, phase, step, direction,
//                      since_attempt: the key; relation, rows_expected; at the end rows_scanned,
//                      rows_changed, batches, done. (key_columns, cursor and upper are of daemons
//                      that knew no shards.)
//   runbookd.backfill_shard  one row per part of a table in each pass; every batch moves its cursor
//                      in the batch's own transaction. The key as above, pass and shard; relation,
//                      key_columns, cursor and upper (the key values as text), storage (where
//                      blocks are walked: which file they are of), rows_scanned, rows_changed,
//                      rows_asked and rows_again (whether `where` still held), batches, worked_ms,
//                      done.
//
//   runbookd.fence     one row per store: the newest claim of a daemon (number, holder, host, pid,
//                      claimed_at). fence.h says how it is used.
//   runbookd.run       one row per run that has worked here; ended_at is empty while it may go on.
//
// `store` names the daemon's own store, so that two daemons can work on one target without mixing
// their rows.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {

inline constexpr std::array<std::string_view, 6> our_tables{"marker",         "intent", "backfill",
                                                            "backfill_shard", "fence",  "run"};

char direction_letter(planner::Direction direction);  // 'f' or 'b'

// "'store', 'run', 0, 1, 'f'": the key of a step's rows without the attempt.
std::string step_key(Session const& session, AttemptTag const& tag);
// "store = … AND run = … AND phase = … AND step = … AND direction = …"
std::string step_condition(Session const& session, AttemptTag const& tag);

std::string insert_marker_sql(Session const& session, AttemptTag const& tag);
// Is this attempt's marker there?
SqlResult<bool> has_marker(Session& session, AttemptTag const& tag);

std::string insert_intent_sql(Session const& session, AttemptTag const& tag,
                              planner::Statement const& statement, planner::Outside const& outside);
std::string finish_intent_sql(Session const& session, AttemptTag const& tag);
std::string fail_intent_sql(Session const& session, AttemptTag const& tag);

}  // namespace runbookd::daemon
