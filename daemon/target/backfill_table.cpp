#include "daemon/target/backfill_table.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace runbookd::daemon {
namespace {

constexpr int maintain_since = 170000;

// Row comparison and ORDER BY need the column's own collation and the type's own order; one
// direction in all columns; a primary key first. A key whose values the backfill itself sets would
// run ahead of the cursor. A partition that is being detached is no longer the table's.
constexpr auto relations_of_table = R"sql(
  WITH RECURSIVE tree(oid) AS (
    SELECT to_regclass($1)::oid
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
    WHERE NOT coalesce((to_jsonb(i)->>'inhdetachpending')::boolean, false)
  )
  SELECT format('%I.%I', n.nspname, c.relname), format('%I', top.relname), c.relkind, c.oid = top.oid,
         k.columns, k.types,
         CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 END,
         pg_has_role(c.relowner, 'USAGE') OR @maintain@,
         has_any_column_privilege(c.oid, 'UPDATE') AND has_any_column_privilege(c.oid, 'SELECT'),
         quote_ident(current_user),
         (SELECT quote_ident(a.attname) FROM pg_catalog.pg_partitioned_table p
          JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::smallint[])
          WHERE p.partrelid = c.oid AND quote_ident(a.attname) = ANY ($2::text[]) LIMIT 1)
  FROM tree
  JOIN pg_catalog.pg_class c ON c.oid = tree.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class top ON top.oid = to_regclass($1)
  LEFT JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), E'\n' ORDER BY p.place) AS columns,
           string_agg(format_type(a.atttypid, a.atttypmod), E'\n' ORDER BY p.place) AS types
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
    CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS p(place)
    LEFT JOIN pg_catalog.pg_attribute a
      ON a.attrelid = c.oid AND a.attnum = i.indkey[p.place] AND a.attnotnull
        AND a.attcollation = i.indcollation[p.place]
        AND i.indoption[p.place] IN (0, 3) AND i.indoption[p.place] = i.indoption[0]
        AND quote_ident(a.attname) <> ALL ($2::text[])
        AND EXISTS (SELECT FROM pg_catalog.pg_opclass o WHERE o.oid = i.indclass[p.place] AND o.opcdefault)
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
    GROUP BY i.indexrelid, i.indisprimary, i.indnkeyatts
    HAVING count(a.attnum) = i.indnkeyatts
    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid
    LIMIT 1
  ) k ON true
  ORDER BY c.oid
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

tl::unexpected<SqlFailure> refused(std::string sqlstate, std::string message) {
  return tl::unexpected(SqlFailure{.sqlstate = std::move(sqlstate), .message = std::move(message)});
}

// The columns that the plan sets, spelled as quote_ident spells them, as a text[]'s text.
std::string set_columns(planner::BackfillAction const& action) {
  std::string text;
  for (auto const& [column, expression] : action.set) {
    auto name = column;
    if (!name.starts_with('"')) {
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    }
    text += text.empty() ? "{\"" : ",\"";
    for (char const c : name) {
      text += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    text += "\"";
  }
  return text.empty() ? "{}" : text + "}";
}

SqlResult<FillRelation> relation_of(std::vector<Cell> const& row, std::string const& table) {
  auto const name = row[0].value_or("");
  bool const is_top = row[3] == "t";
  if (is_top && row[2] != "r" && row[2] != "p") {
    return refused("42809", table + " is no table; a backfill walks along a table's key");
  }
  if (row[2] != "r" && row[2] != "p") {
    return refused("42809", name + ", which holds rows of " + table +
                                ", is a foreign table: what is written there stands in no "
                                "transaction with our cursor. Fill it where it is kept, and detach "
                                "it here meanwhile, or write the change as an sql step");
  }
  if (row[10]) {
    return refused("0A000",
                   "the backfill sets " + *row[10] +
                       ", by which rows are put into partitions: a row would move to another "
                       "one. Write the change as an sql step");
  }
  if (row[2] == "r" && row[8] != "t") {
    return refused("42501", "rows of " + table + " are kept in " + name +
                                ", which is filled by itself, and this role may not: GRANT SELECT, "
                                "UPDATE ON " +
                                name + " TO " + row[9].value_or("") + ";");
  }
  FillRelation relation{.name = name,
                        .known_as = row[1].value_or(""),
                        .is_named = is_top,
                        .is_parent = row[2] == "p",
                        .columns = {std::string(by_blocks)},
                        .types = {"tid"},
                        .blocks = number_in(row[6]),
                        .may_vacuum = row[7] == "t"};
  if (row[4]) {
    relation.columns = lines(*row[4]);
    relation.types = lines(row[5].value_or(""));
  }
  return relation;
}

std::string key_ascending(FillRelation const& relation) {
  std::string text;
  for (std::size_t i = 1; i <= relation.columns.size(); ++i) {
    text += (i == 1 ? "k" : ", k") + std::to_string(i);
  }
  return text;
}

// More of a block's rows than there can be: a row's header and its pointer take 28 bytes.
constexpr auto rows_of_blocks =
    "SELECT format('(%s,%s)', b, i)::tid FROM generate_series(0, @last@, @step@) AS b, "
    "generate_series(1, current_setting('block_size')::int / 28) AS i";

std::string replaced(std::string text, std::string_view what, std::string const& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string sample_sql(FillRelation const& relation, std::int64_t step, int parts) {
  auto const sampled =
      replaced(replaced(rows_of_blocks, "@last@", std::to_string(relation.blocks - 1)), "@step@",
               std::to_string(step));
  std::string named;
  std::string shown;
  for (std::size_t i = 1; i <= relation.columns.size(); ++i) {
    auto const k = "k" + std::to_string(i);
    named += ", " + relation.known_as + "." + relation.columns[i - 1] + " AS " + k;
    shown += ", " + k + "::text";
  }
  auto const n = std::to_string(parts);
  return "BEGIN READ ONLY; " + std::string(exact_text) + "WITH seen AS (SELECT" + named.substr(1) +
         " FROM " + relation.reference() + " WHERE " + relation.known_as + ".ctid = ANY (ARRAY(" +
         sampled + "))), placed AS (SELECT *, row_number() OVER (ORDER BY " +
         key_ascending(relation) + ") AS place, count(*) OVER () AS n FROM seen) SELECT n" + shown +
         " FROM placed WHERE place = n OR place * " + n + " / n > (place - 1) * " + n +
         " / n ORDER BY place";
}

}  // namespace

std::string_view const exact_text =
    "SET LOCAL datestyle = ISO; SET LOCAL intervalstyle = postgres; SET LOCAL extra_float_digits = "
    "1; ";
std::string_view const usual_text =
    "SET LOCAL datestyle = DEFAULT; SET LOCAL intervalstyle = DEFAULT; SET LOCAL "
    "extra_float_digits = DEFAULT; ";

std::optional<KeyValues> values_from(std::vector<Cell> const& row, std::size_t first,
                                     std::size_t count) {
  KeyValues values;
  for (std::size_t i = first; i < first + count; ++i) {
    if (!row[i]) {
      return std::nullopt;
    }
    values.push_back(*row[i]);
  }
  return values;
}

std::string FillRelation::reference() const {
  return (is_parent ? "" : "ONLY ") + name + (is_named ? "" : " AS " + known_as);
}

FillRelation FillRelation::walked_by_blocks() const {
  auto relation = *this;
  relation.columns = {std::string(by_blocks)};
  relation.types = {"tid"};
  return relation;
}

std::string key_list(FillRelation const& relation, std::string const& behind) {
  std::string text;
  for (auto const& column : relation.columns) {
    text += (text.empty() ? "" : ", ") + relation.known_as + "." + column + behind;
  }
  return text;
}

SqlResult<std::vector<FillRelation>> find_relations(Session& session,
                                                    planner::BackfillAction const& action) {
  auto const maintain = session.server_version() >= maintain_since
                            ? "has_table_privilege(c.oid, 'MAINTAIN')"
                            : "false";
  auto const found = session.run(replaced(relations_of_table, "@maintain@", maintain),
                                 {action.table, set_columns(action)});
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (found->rows.empty()) {
    return refused("42P01", "table " + action.table + " is not in the target");
  }
  std::vector<FillRelation> relations;
  for (auto const& row : found->rows) {
    auto relation = relation_of(row, action.table);
    if (!relation) {
      return tl::unexpected(std::move(relation.error()));
    }
    relations.push_back(std::move(*relation));
  }
  return relations;
}

SqlResult<Sample> take_sample(Session& session, FillRelation const& relation, int parts) {
  constexpr std::int64_t blocks_seen = 200;
  if (relation.blocks == 0) {
    return Sample{};
  }
  auto const step = std::max<std::int64_t>(1, relation.blocks / blocks_seen);
  auto const seen = session.run(sample_sql(relation, step, parts));
  (void)session.run("ROLLBACK");
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  if (seen->rows.empty()) {
    return Sample{};
  }
  auto const sampled = (relation.blocks + step - 1) / step;
  Sample sample{.rows = number_in(seen->rows.front()[0]) * relation.blocks / sampled};
  for (std::size_t i = 0; i + 1 < seen->rows.size(); ++i) {
    if (auto values = values_from(seen->rows[i], 1, relation.columns.size())) {
      sample.parting.push_back(std::move(*values));
    }
  }
  return sample;
}

}  // namespace runbookd::daemon
