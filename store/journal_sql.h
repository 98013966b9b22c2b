// The journal's statements. Private to journal.cpp and journal_read.cpp.
#pragma once

namespace runbookd::store::sql {

// ---- appending

constexpr auto select_head = R"sql(
  SELECT seq, hash FROM event WHERE run = ?1 ORDER BY seq DESC LIMIT 1
)sql";

constexpr auto insert_event = R"sql(
  INSERT INTO event (run, seq, at, kind, actor, reason, body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
)sql";

// who made what and when does not change after the first event
constexpr auto upsert_run = R"sql(
  INSERT INTO run (id, plan, plan_name, target, state, direction, phase, step, message, created_by,
                   created_at, changed_at, revision, final)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
  ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, direction = excluded.direction, phase = excluded.phase, step = excluded.step,
    message = excluded.message, changed_at = excluded.changed_at, revision = excluded.revision
)sql";

// apart from the rest: naming `final` there would rewrite a page of the index of unfinished runs
// every time
constexpr auto update_final = "UPDATE run SET final = ?2 WHERE id = ?1 AND final <> ?2";

constexpr auto insert_fingerprint = R"sql(
  INSERT INTO fingerprint (digest, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING
)sql";

// ---- reading

constexpr auto select_events = R"sql(
  SELECT seq, at, kind, actor, reason, body, hash FROM event WHERE run = ?1 AND seq > ?2
  ORDER BY seq LIMIT ?3
)sql";

constexpr auto select_chain = R"sql(
  SELECT seq, at, kind, actor, reason, body, hash FROM event WHERE run = ?1 ORDER BY seq
)sql";

constexpr auto select_run = R"sql(
  SELECT id, plan, plan_name, target, state, direction, phase, step, message, created_by,
         created_at, changed_at, revision, final
  FROM run WHERE id = ?1
)sql";

constexpr auto list_runs = R"sql(
  SELECT id, plan, plan_name, target, state, direction, phase, step, message, created_by,
         created_at, changed_at, revision, final
  FROM run
  WHERE (?1 = '' OR state = ?1 OR ?1 = 'unfinished' AND final = 0)
    AND (?2 = '' OR target = ?2) AND (?3 = '' OR ?3 IN (plan, plan_name))
    AND (?5 = '' OR created_by = ?5) AND changed_at >= ?6
  ORDER BY created_at DESC, id DESC LIMIT ?4
)sql";

constexpr auto list_older_runs = R"sql(
  SELECT id, plan, plan_name, target, state, direction, phase, step, message, created_by,
         created_at, changed_at, revision, final
  FROM run
  WHERE (?1 = '' OR state = ?1 OR ?1 = 'unfinished' AND final = 0)
    AND (?2 = '' OR target = ?2) AND (?3 = '' OR ?3 IN (plan, plan_name))
    AND (?5 = '' OR created_by = ?5) AND changed_at >= ?6
    AND (created_at, id) < (SELECT created_at, id FROM run WHERE id = ?7)
  ORDER BY created_at DESC, id DESC LIMIT ?4
)sql";

constexpr auto select_targets = R"sql(
  SELECT DISTINCT target FROM run WHERE plan = ?1
)sql";

constexpr auto select_unfinished = R"sql(
  SELECT id, plan, plan_name, target, state, direction, phase, step, message, created_by,
         created_at, changed_at, revision, final
  FROM run WHERE final = 0 ORDER BY created_at, id
)sql";

constexpr auto select_active = R"sql(
  SELECT id, plan, plan_name, target, state, direction, phase, step, message, created_by,
         created_at, changed_at, revision, final
  FROM run WHERE final = 0 AND target = ?1 AND state <> 'pending' ORDER BY created_at, id LIMIT 1
)sql";

constexpr auto count_by_state = "SELECT state, count(*) FROM run GROUP BY state";

constexpr auto select_fingerprint = "SELECT body FROM fingerprint WHERE digest = ?1";

}  // namespace runbookd::store::sql
