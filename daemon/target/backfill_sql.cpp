#include "daemon/target/backfill_sql.h"

#include <utility>

#include "daemon/target/marker.h"

namespace runbookd::daemon {
namespace {

// Row comparison and ORDER BY need the column's own collation and the type's own order; a primary
// key first.
constexpr auto usable_keys = R"sql(
  WITH wanted AS (SELECT to_regclass($1) AS oid)
  SELECT format('%I.%I', n.nspname, c.relname), format('%I', c.relname), c.relkind, k.columns, k.types
  FROM wanted w
  JOIN pg_catalog.pg_class c ON c.oid = w.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), E'\n' ORDER BY p.place) AS columns,
           string_agg(format_type(a.atttypid, a.atttypmod), E'\n' ORDER BY p.place) AS types
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
    CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS p(place)
    LEFT JOIN pg_catalog.pg_attribute a
      ON a.attrelid = c.oid AND a.attnum = i.indkey[p.place] AND a.attnotnull
        AND a.attcollation = i.indcollation[p.place] AND i.indoption[p.place] = 0
        AND EXISTS (SELECT FROM pg_catalog.pg_opclass o WHERE o.oid = i.indclass[p.place] AND o.opcdefault)
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
    GROUP BY i.indexrelid, i.indisprimary, i.indnkeyatts
    HAVING count(a.attnum) = i.indnkeyatts
    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid
    LIMIT 1
  ) k ON true
)sql";

std::vector<std::string> lines(std::string const& text) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
    parts.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  parts.push_back(text.substr(from));
  return parts;
}

SqlFailure unusable(std::string sqlstate, std::string message) {
  return {.sqlstate = std::move(sqlstate), .message = std::move(message)};
}

// Text that the server reads back as the same value under any setting; undone before the author's
// SQL runs.
constexpr auto exact_text =
    "SET LOCAL datestyle = ISO; SET LOCAL intervalstyle = postgres; SET LOCAL extra_float_digits = "
    "1; ";
constexpr auto usual_text =
    "SET LOCAL datestyle = DEFAULT; SET LOCAL intervalstyle = DEFAULT; SET LOCAL "
    "extra_float_digits = DEFAULT; ";

}  // namespace

SqlResult<BackfillKey> find_key(Session& session, std::string const& table) {
  auto const found = session.run(usable_keys, {table});
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (found->rows.empty()) {
    return tl::unexpected(unusable("42P01", "table " + table + " is not in the target"));
  }
  auto const& row = found->rows.front();
  if (row[2] != "r" && row[2] != "p") {
    return tl::unexpected(
        unusable("42809", table + " is no table; a backfill walks along a table's key"));
  }
  if (!row[3]) {
    return tl::unexpected(
        unusable("42P16", "table " + table +
                              " has no primary key, and no unique index over columns that are all "
                              "NOT NULL: a backfill in "
                              "batches needs one. Add a primary key in an earlier step, or write "
                              "the change as an sql step"));
  }
  return BackfillKey{.table = row[0].value_or(""),
                     .bare_table = row[1].value_or(""),
                     .columns = lines(row[3].value_or("")),
                     .types = lines(row[4].value_or(""))};
}

std::string BackfillSql::condition() const {
  return step_condition(session_, tag_) + " AND since_attempt = " + std::to_string(since_attempt_);
}

// "t.a::text, t.b::text"
std::string BackfillSql::key_list(std::string const& suffix) const {
  std::string text;
  for (auto const& column : key_.columns) {
    text += (text.empty() ? "" : ", ") + key_.bare_table + "." + column + suffix;
  }
  return text;
}

std::string BackfillSql::key_values(KeyValues const& values) const {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += (i == 0 ? "" : ", ") + session_.quote_literal(values[i]) + "::" + key_.types[i];
  }
  return text;
}

std::string BackfillSql::text_array(std::optional<KeyValues> const& values) const {
  if (!values) {
    return "NULL::text[]";
  }
  std::string text;
  for (auto const& value : *values) {
    text += (text.empty() ? "ARRAY[" : ", ") + session_.quote_literal(value);
  }
  return text + "]::text[]";
}

std::string BackfillSql::in_range(std::optional<KeyValues> const& after,
                                  KeyValues const& up_to) const {
  auto const key = "(" + key_list("") + ")";
  auto const above = after ? key + " > (" + key_values(*after) + ") AND " : "";
  return above + key + " <= (" + key_values(up_to) + ")";
}

std::string BackfillSql::greatest_key() const {
  return std::string("BEGIN READ ONLY; ") + exact_text + "SELECT " + key_list("::text") + " FROM " +
         key_.table + " ORDER BY " + key_list(" DESC") + " LIMIT 1";
}

std::string BackfillSql::insert_state(std::optional<KeyValues> const& upper,
                                      std::int64_t expected) const {
  return "INSERT INTO runbookd.backfill (store, run, phase, step, direction, since_attempt, label, "
         "relation, key_columns, upper, rows_expected, done) VALUES (" +
         step_key(session_, tag_) + ", " + std::to_string(since_attempt_) + ", " +
         session_.quote_literal(tag_.label) + ", " + session_.quote_literal(key_.table) + ", " +
         text_array(key_.columns) + ", " + text_array(upper) + ", " + std::to_string(expected) +
         (upper ? ", false" : ", true") + ") ON CONFLICT DO NOTHING";
}

std::string BackfillSql::read_state() const {
  std::string cursor;
  std::string upper;
  for (std::size_t i = 1; i <= key_.columns.size(); ++i) {
    cursor += ", cursor[" + std::to_string(i) + "]";
    upper += ", upper[" + std::to_string(i) + "]";
  }
  return "SELECT rows_scanned, rows_changed, done, key_columns = " + text_array(key_.columns) +
         ", rows_expected" + cursor + upper + " FROM runbookd.backfill WHERE " + condition();
}

std::string BackfillSql::lock_and_look_ahead(BackfillState const& state, std::int64_t rows) const {
  return exact_text + ("WITH mine AS (SELECT 1 FROM runbookd.backfill WHERE " + condition()) +
         " AND NOT done AND cursor IS NOT DISTINCT FROM " + text_array(state.cursor) +
         " FOR NO KEY UPDATE) SELECT (SELECT count(*) FROM mine), ahead.* FROM (VALUES (1)) AS one "
         "LEFT JOIN LATERAL "
         "(SELECT " +
         key_list("::text") + " FROM " + key_.table + " WHERE " +
         in_range(state.cursor, *state.upper) + " ORDER BY " + key_list("") + " OFFSET " +
         std::to_string(rows - 1) + " LIMIT 1) AS ahead ON true";
}

std::string BackfillSql::update() const {
  std::string set;
  for (auto const& [column, expression] : action_.set) {
    set += (set.empty() ? "" : ", ") + column + "\n = " + expression + "\n";
  }
  return "UPDATE " + action_.table + "\n SET " + set +
         (action_.from.empty() ? "" : " FROM " + action_.from + "\n") + " WHERE " +
         (action_.where.empty() ? "" : "(" + action_.where + "\n) AND ");
}

std::string BackfillSql::change_and_commit(BackfillState const& state, KeyValues const& bound,
                                           std::int64_t rows, bool last) const {
  auto const range = in_range(state.cursor, bound);
  auto const scanned =
      last ? "(SELECT count(*) FROM " + key_.table + " WHERE " + range + ")" : std::to_string(rows);
  return usual_text +
         ("WITH changed AS (" + update() + range +
          " RETURNING 1) UPDATE runbookd.backfill SET cursor = ") +
         text_array(bound) + ", rows_scanned = rows_scanned + " + scanned +
         ", rows_changed = rows_changed + (SELECT count(*) FROM changed), batches = batches + 1, "
         "done = " +
         (last ? "true" : "false") + ", updated_at = pg_catalog.clock_timestamp() WHERE " +
         condition() + "; " + (last ? insert_marker_sql(session_, tag_) + "; " : "") +
         "COMMIT; SELECT rows_scanned, rows_changed FROM runbookd.backfill WHERE " + condition();
}

}  // namespace runbookd::daemon
