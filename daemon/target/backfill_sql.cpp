#include "daemon/target/backfill_sql.h"

#include <utility>

#include "daemon/target/fence.h"
#include "daemon/target/marker.h"

namespace runbookd::daemon {
namespace {

// A batch is a thousandth of a table, planned as if it were alone. Compiling it costs more than it
// saves; and what it looks up elsewhere the batches before have just read, so it is in memory:
// without the second, another table is read from end to end for each batch.
constexpr auto planned_as_one_of_many =
    "SET LOCAL jit = off; SELECT set_config('random_page_cost', "
    "least(current_setting('random_page_cost')::float8, 1.1)::text, true); ";

// Without a key only `where` can tell a row that is done from one that is not: a row that was
// updated may lie in a later block now.
std::string told_apart_guard(std::string const& condition) {
  return "SELECT CASE WHEN rows_again = 0 THEN 1 ELSE ('" + guard_text(not_told_apart_code) +
         // a text without a column in it would fail while the message is planned
         "' || rows_again || ' rows that were filled still satisfy `where`, and the table has no "
         "primary key and no unique index over NOT NULL columns: a row that is done could not be "
         "told from one that is not. Nothing of this batch was kept. Add a key in an earlier step, "
         "or write a `where` that a filled row does not satisfy')::int END FROM "
         "runbookd.backfill_shard WHERE " +
         condition + "; ";
}

}  // namespace

bool knows_block_ranges(Session const& session) {
  constexpr int since = 140000;
  return session.server_version() >= since;
}

std::string BackfillSql::shard_condition(Shard const& shard) const {
  return step_condition(session_, tag_) + " AND since_attempt = " + std::to_string(since_attempt_) +
         " AND pass = " + std::to_string(shard.pass) +
         " AND shard = " + std::to_string(shard.number);
}

std::string BackfillSql::text_array(std::optional<KeyValues> const& values) const {
  return array_sql(session_, values);
}

std::string BackfillSql::key_values(FillRelation const& relation, KeyValues const& values) const {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += (i == 0 ? "" : ", ") + session_.quote_literal(values[i]) + "::" + relation.types[i];
  }
  return text;
}

std::string BackfillSql::in_range(FillRelation const& relation,
                                  std::optional<KeyValues> const& after,
                                  KeyValues const& up_to) const {
  if (!relation.has_key()) {
    return in_blocks(relation, after.value_or(KeyValues{"0"}), up_to);
  }
  auto const key = "(" + key_list(relation, "") + ")";
  auto const above = after ? key + " > (" + key_values(relation, *after) + ") AND " : std::string();
  return above + key + " <= (" + key_values(relation, up_to) + ")";
}

// From one block to before the other. An older server does not know ranges of them, but it looks up
// every row that a block can have, whether it is there or not.
std::string BackfillSql::in_blocks(FillRelation const& relation, KeyValues const& from,
                                   KeyValues const& to) const {
  auto const row = relation.known_as + ".ctid";
  if (knows_block_ranges(session_)) {
    return row + " >= '(" + from.front() + ",0)'::tid AND " + row + " < '(" + to.front() +
           ",0)'::tid";
  }
  return row + " = ANY (ARRAY(SELECT format('(%s,%s)', b, i)::tid FROM generate_series(" +
         from.front() + ", " + to.front() +
         " - 1) AS b, generate_series(1, current_setting('block_size')::int / 28) AS i))";
}

std::string BackfillSql::greatest_key(FillRelation const& relation) {
  return "BEGIN READ ONLY; " + std::string(exact_text) + "SELECT " + key_list(relation, "::text") +
         " FROM " + relation.reference() + " ORDER BY " + key_list(relation, " DESC") + " LIMIT 1";
}

std::string BackfillSql::lock_and_look_ahead(FillRelation const& relation, Shard const& shard,
                                             std::int64_t rows, std::int64_t blocks) const {
  auto const mine = "WITH mine AS (SELECT storage FROM runbookd.backfill_shard WHERE " +
                    shard_condition(shard) + " AND NOT done AND cursor IS NOT DISTINCT FROM " +
                    text_array(shard.cursor) + " FOR NO KEY UPDATE) ";
  if (!relation.has_key()) {
    // whatever would give the table other blocks waits for us once it is named here
    auto const end = std::to_string(number_in(shard.cursor->front()) + blocks);
    return mine + "SELECT CASE WHEN (SELECT storage FROM mine) <> pg_relation_filenode(" +
           session_.quote_literal(relation.name) +
           "::regclass) THEN 2 ELSE (SELECT count(*) FROM mine) END, nullif(least(" + end + ", " +
           shard.upper->front() + "), " + shard.upper->front() +
           ")::text FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT 1 FROM " +
           relation.reference() + " LIMIT 1) AS opened ON true";
  }
  return std::string(exact_text) + mine +
         "SELECT (SELECT count(*) FROM mine), ahead.* FROM (VALUES (1)) AS one LEFT JOIN LATERAL "
         "(SELECT " +
         key_list(relation, "::text") + " FROM " + relation.reference() + " WHERE " +
         in_range(relation, shard.cursor, *shard.upper) + " ORDER BY " + key_list(relation, "") +
         " OFFSET " + std::to_string(rows - 1) + " LIMIT 1) AS ahead ON true";
}

std::string BackfillSql::update(FillRelation const& relation) const {
  std::string set;
  for (auto const& [column, expression] : action_.set) {
    set += (set.empty() ? "" : ", ") + column + "\n = " + expression + "\n";
  }
  return "UPDATE " + relation.reference() + "\n SET " + set +
         (action_.from.empty() ? "" : " FROM " + action_.from + "\n") + " WHERE " +
         (action_.where.empty() ? "" : "(" + action_.where + "\n) AND ");
}

std::string BackfillSql::change_and_commit(FillRelation const& relation, Shard const& shard,
                                           KeyValues const& bound, BatchWords const& words) const {
  auto const range = in_range(relation, shard.cursor, bound);
  bool const counted = shard.pass == 1 && (words.last || !relation.has_key());
  auto const scanned =
      counted ? "(SELECT count(*) FROM " + relation.reference() + " WHERE " + range + ")"
              : std::to_string(words.rows);
  auto const where = action_.where.empty() ? "true" : "(" + action_.where + "\n) IS TRUE";
  auto const condition = shard_condition(shard);
  return std::string(usual_text) + planned_as_one_of_many + "WITH changed AS (" + update(relation) +
         range + " RETURNING " + (words.asks_again ? where : "false") +
         " AS again) UPDATE runbookd.backfill_shard SET cursor = " + text_array(bound) +
         ", rows_scanned = rows_scanned + " + scanned +
         ", rows_changed = rows_changed + c.all_of_them, rows_again = rows_again + c.again" +
         (words.asks_again ? ", rows_asked = rows_asked + c.all_of_them" : "") +
         ", batches = batches + 1, worked_ms = worked_ms + " +
         std::to_string(words.worked.count()) + ", done = " + (words.last ? "true" : "false") +
         ", updated_at = pg_catalog.clock_timestamp() FROM (SELECT count(*) AS all_of_them, "
         "count(*) FILTER (WHERE again) AS again FROM changed) AS c WHERE " +
         condition + "; " +
         (relation.has_key() || shard.pass > 1 ? "" : told_apart_guard(condition)) +
         "COMMIT; SELECT rows_scanned, rows_changed, rows_again, rows_asked FROM "
         "runbookd.backfill_shard WHERE " +
         condition;
}

}  // namespace runbookd::daemon
