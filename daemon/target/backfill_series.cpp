#include "daemon/target/backfill_series.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "daemon/target/fence.h"
#include "daemon/target/marker.h"
#include "daemon/target/transaction.h"

namespace runbookd::daemon {
namespace {

std::int64_t sum(std::vector<Shard> const& shards, std::int64_t Shard::* member, bool first_pass,
                 bool others) {
  return std::accumulate(shards.begin(), shards.end(), std::int64_t{0},
                         [&](std::int64_t so_far, Shard const& one) {
                           bool const counts = one.pass == 1 ? first_pass : others;
                           return counts ? so_far + one.*member : so_far;
                         });
}

// "3:abc1:d": an array's elements, each with its length in bytes before it; the server writes it.
std::string counted(std::string const& array) {
  return "(SELECT string_agg(octet_length(convert_to(e, pg_client_encoding())) || ':' || e, '' "
         "ORDER BY place) FROM unnest(" +
         array + ") WITH ORDINALITY AS u(e, place))";
}

std::optional<KeyValues> elements(Cell const& cell) {
  if (!cell) {
    return std::nullopt;
  }
  KeyValues values;
  for (std::size_t at = 0; at < cell->size();) {
    auto const colon = cell->find(':', at);
    auto const length = static_cast<std::size_t>(number_in(cell->substr(at, colon - at)));
    values.push_back(cell->substr(colon + 1, length));
    at = colon + 1 + length;
  }
  return values;
}

Shard shard_of(std::vector<Cell> const& row) {
  return {.pass = static_cast<int>(number_in(row[0])),
          .number = static_cast<int>(number_in(row[1])),
          .relation = row[2].value_or(""),
          .columns = elements(row[3]).value_or(KeyValues{}),
          .cursor = elements(row[4]),
          .upper = elements(row[5]),
          .rows_scanned = number_in(row[6]),
          .rows_changed = number_in(row[7]),
          .rows_again = number_in(row[8]),
          .rows_asked = number_in(row[9]),
          .worked_ms = number_in(row[10]),
          .done = row[11] == "t"};
}

}  // namespace

planner::Filled Series::filled() const {
  auto const scanned = scanned_before + sum(shards, &Shard::rows_scanned, true, false);
  bool const walked =
      done || std::ranges::none_of(shards, [](Shard const& s) { return s.pass == 1 && !s.done; });
  bool const begun = done || !shards.empty();
  return {.scanned = scanned,
          .changed = changed_before + sum(shards, &Shard::rows_changed, true, true),
          .total = walked && begun ? scanned : std::max(rows_expected, scanned)};
}

std::int64_t Series::found() const { return sum(shards, &Shard::rows_changed, false, true); }

planner::Duration Series::worked() const {
  return planner::Duration(sum(shards, &Shard::worked_ms, true, true));
}

std::string array_sql(Session const& session, std::optional<KeyValues> const& values) {
  if (!values) {
    return "NULL::text[]";
  }
  std::string text;
  for (auto const& value : *values) {
    text += (text.empty() ? "" : ", ") + session.quote_literal(value);
  }
  return "ARRAY[" + text + "]::text[]";
}

std::string SeriesTable::condition() const {
  return step_condition(session_, tag_) + " AND since_attempt = " + std::to_string(since_attempt_);
}

SqlResult<void> SeriesTable::in_transaction(std::string const& sql) {
  Limits const limits{.lock = action_.lock.stall_budget, .statement = action_.statement_timeout};
  auto const ran =
      session_.run(begin_sql(limits) + fence_guard_sql(session_, tag_) + "; " + sql + "; COMMIT");
  if (ran) {
    return {};
  }
  roll_back(session_);
  return tl::unexpected(ran.error());
}

SqlResult<std::optional<Series>> SeriesTable::read() {
  auto const found =
      session_.run("SELECT rows_expected, rows_scanned, rows_changed, done, relation, " +
                   counted("key_columns") + ", " + counted("cursor") + ", " + counted("upper") +
                   " FROM runbookd.backfill WHERE " + condition());
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (found->rows.empty()) {
    return std::nullopt;
  }
  auto const& row = found->rows.front();
  Series series{.rows_expected = number_in(row[0]),
                .scanned_before = number_in(row[1]),
                .changed_before = number_in(row[2]),
                .done = row[3] == "t"};
  auto const parts =
      session_.run("SELECT pass, shard, relation, " + counted("key_columns") + ", " +
                   counted("cursor") + ", " + counted("upper") +
                   ", rows_scanned, rows_changed, rows_again, rows_asked, worked_ms, done FROM "
                   "runbookd.backfill_shard WHERE " +
                   condition() + " ORDER BY pass, shard");
  if (!parts) {
    return tl::unexpected(parts.error());
  }
  std::ranges::transform(parts->rows, std::back_inserter(series.shards), shard_of);
  if (series.done) {  // the totals have the shards in them
    series.scanned_before -= sum(series.shards, &Shard::rows_scanned, true, false);
    series.changed_before -= sum(series.shards, &Shard::rows_changed, true, true);
  }
  if (row[7] && series.shards.empty() && !series.done) {
    series.undivided = Shard{.relation = row[4].value_or(""),
                             .columns = elements(row[5]).value_or(KeyValues{}),
                             .cursor = elements(row[6]),
                             .upper = elements(row[7])};
  }
  return series;
}

std::string SeriesTable::shard_rows(std::vector<Shard> const& shards) const {
  std::string rows;
  for (auto const& one : shards) {
    bool const blocks = one.columns.front() == by_blocks;
    rows += (rows.empty() ? "(" : ", (") + std::to_string(one.pass) + ", " +
            std::to_string(one.number) + ", " + session_.quote_literal(one.relation) + ", " +
            array_sql(session_, one.columns) + ", " + array_sql(session_, one.cursor) + ", " +
            array_sql(session_, one.upper) + ", " +
            (blocks ? "pg_relation_filenode(" + session_.quote_literal(one.relation) + "::regclass)"
                    : "NULL::oid") +
            ")";
  }
  return rows;
}

SqlResult<void> SeriesTable::write(std::string const& relation, std::int64_t rows_expected,
                                   std::vector<Shard> const& shards) {
  auto const series =
      "INSERT INTO runbookd.backfill (store, run, phase, step, direction, since_attempt, label, "
      "relation, key_columns, rows_expected) VALUES (" +
      step_key(session_, tag_) + ", " + std::to_string(since_attempt_) + ", " +
      session_.quote_literal(tag_.label) + ", " + session_.quote_literal(relation) +
      // a daemon that knows no shards finds another key than the table's, and refuses
      ", '{}', " + std::to_string(rows_expected) + ") ON CONFLICT DO NOTHING";
  if (shards.empty()) {
    return in_transaction(series);
  }
  return in_transaction(
      series + "; SELECT 1 FROM runbookd.backfill WHERE " + condition() +
      " FOR UPDATE; INSERT INTO runbookd.backfill_shard (store, run, phase, step, direction, "
      "since_attempt, pass, shard, relation, key_columns, cursor, upper, storage) SELECT " +
      step_key(session_, tag_) + ", " + std::to_string(since_attempt_) + ", new.* FROM (VALUES " +
      shard_rows(shards) + ") AS new WHERE NOT EXISTS (SELECT FROM runbookd.backfill_shard WHERE " +
      condition() + " AND pass = " + std::to_string(shards.front().pass) + ")");
}

SqlResult<void> SeriesTable::give_up(std::vector<std::string> const& relations) {
  return in_transaction("UPDATE runbookd.backfill_shard SET done = true WHERE " + condition() +
                        " AND NOT done AND relation = ANY (" + array_sql(session_, relations) +
                        ")");
}

SqlResult<void> SeriesTable::finish() {
  return in_transaction(
      marker_guard_sql(session_, tag_) +
      "; UPDATE runbookd.backfill AS b SET done = true, rows_scanned = b.rows_scanned + s.scanned, "
      "rows_changed = b.rows_changed + s.changed, batches = b.batches + s.batches, updated_at = "
      "pg_catalog.clock_timestamp() FROM (SELECT coalesce(sum(rows_scanned) FILTER (WHERE pass = "
      "1), 0) AS scanned, coalesce(sum(rows_changed), 0) AS changed, coalesce(sum(batches), 0) AS "
      "batches FROM runbookd.backfill_shard WHERE " +
      condition() + ") AS s WHERE " + condition() + " AND NOT done; " +
      insert_marker_sql(session_, tag_));
}

}  // namespace runbookd::daemon
