// Types of new columns, and names.
#include <algorithm>
#include <array>
#include <cctype>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;
using Judge = bool (*)(NewColumn const&);

Hits columns_where(Site const& site, Judge wrong) {
  Hits hits;
  for (auto const& column : site.columns) {
    if (wrong(column)) {
      hits.push_back({.on = "column " + column.name, .offset = site.location(column.def)});
    }
  }
  return hits;
}

template <Judge wrong>
Hits columns(Site const& site) {
  return columns_where(site, wrong);
}

bool json(NewColumn const& column) { return column.type == "json"; }
bool money(NewColumn const& column) { return column.type == "money"; }
bool timetz(NewColumn const& column) { return column.type == "timetz"; }
bool timestamp(NewColumn const& column) { return column.type == "timestamp"; }
bool character(NewColumn const& column) { return column.type == "bpchar"; }

bool no_fractions(NewColumn const& column) {
  auto const type = pg::type_of(column.def["typeName"]);
  bool const stamp = type.name == "timestamp" || type.name == "timestamptz";
  return stamp && !type.modifiers.empty() && type.modifiers.front() == 0;
}

bool small_number(std::string const& type) {
  constexpr std::string_view small[] = {"int4",    "int2",    "serial",
                                        "serial4", "serial2", "smallserial"};
  return holds(small, type);
}

// A key that is counted up runs out; one that people give does not.
Hits small_key(Site const& site) {
  Hits hits;
  std::vector<std::string> keys;
  if (site.node.is("CreateStmt")) {
    for (auto const element : site.node.list("tableElts")) {
      if (element.text("contype") == "CONSTR_PRIMARY") {
        keys = pg::names(element.list("keys"));
      }
    }
  }
  for (auto const& column : site.columns) {
    bool const counted = column.type.find("serial") != std::string::npos ||
                         has_constraint(column.def, "CONSTR_IDENTITY");
    bool const alone = has_constraint(column.def, "CONSTR_PRIMARY") ||
                       (keys.size() == 1 && keys.front() == column.name);
    bool const refers = has_constraint(column.def, "CONSTR_FOREIGN");
    if (small_number(column.type) && (counted || alone) && !refers) {
      hits.push_back({.on = "column " + column.name, .offset = site.location(column.def)});
    }
  }
  return hits;
}

constexpr std::size_t longest = 63;

// Asked of every statement, so that few are taken apart.
bool may_hold_long_name(std::string const& text) {
  std::size_t run = 0;
  for (char const c : text) {
    bool const ends = c == ' ' || c == '\n' || c == ',' || c == '(' || c == ')' || c == '.';
    run = ends ? 0 : run + 1;
    if (run > longest || c == '"') {
      return true;
    }
  }
  return false;
}

Hits long_names(Site const& site) {
  if (!may_hold_long_name(site.statement.sql.text)) {
    return {};
  }
  for (auto const& token : site.tokens()) {
    auto word = token.in(site.statement.sql.text);
    bool const quoted = word.starts_with('"');
    bool const plain =
        !word.empty() && (std::isalpha(static_cast<unsigned char>(word[0])) != 0 ||
                          word[0] == '_' || static_cast<unsigned char>(word[0]) > 127);
    if (word.find('\'') != std::string_view::npos) {
      continue;  // E'…', B'…', U&'…'
    }
    if (quoted) {
      word = word.substr(1, word.size() - 2);
    }
    if ((quoted || plain) && word.size() > longest) {
      return {{.on = std::string(word.substr(0, longest)) + "…", .offset = token.offset}};
    }
  }
  return {};
}

Hits serial(Site const& site) {
  return columns_where(site, [](NewColumn const& column) {
    return column.of == NewColumn::Of::new_table && column.type.find("serial") != std::string::npos;
  });
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "type/json",
      .severity = Severity::warning,
      .title = "json instead of jsonb",
      .why = "json has no equality: SELECT DISTINCT, GROUP BY and UNION over the table fail from "
             "now on, and it cannot be indexed",
      .fix = "write jsonb",
      .like = "eugene E3, strong_migrations, pgsafe"},
     columns<json>},
    {{.id = "type/small-key",
      .severity = Severity::warning,
      .title = "A counted key of int or smallint",
      .why = "an int key runs out at 2 147 483 647 rows, and the way to bigint rewrites the table",
      .fix = "write bigint",
      .like = "squawk prefer-bigint-over-int and prefer-bigint-over-smallint, pgsafe"},
     small_key},
    {{.id = "type/serial",
      .severity = Severity::note,
      .title = "serial instead of an identity column",
      .why = "a serial column's sequence has rights of its own, and any INSERT can go past it",
      .fix = "write bigint GENERATED ALWAYS AS IDENTITY",
      .like = "squawk prefer-identity, pg-migration-lint"},
     serial},
    {{.id = "type/char",
      .severity = Severity::note,
      .title = "char(n)",
      .why = "char(n) is filled up with blanks, which comparisons ignore and LIKE does not; it is "
             "no faster than text",
      .fix = "write text, with a CHECK where the length matters",
      .like = "squawk ban-char-field, pg-migration-lint"},
     columns<character>},
    {{.id = "type/timestamp-without-time-zone",
      .severity = Severity::note,
      .title = "timestamp without time zone",
      .why = "it does not say which instant is meant: sessions with different time zones write and "
             "read different ones",
      .fix = "write timestamptz",
      .like = "squawk prefer-timestamp-tz, pg-migration-lint"},
     columns<timestamp>},
    {{.id = "type/money",
      .severity = Severity::warning,
      .title = "money",
      .why = "what a money value means, and how many decimals it has, depends on the session's "
             "lc_monetary",
      .fix = "write numeric, and the currency in a column of its own",
      .like = "pg-migration-lint"},
     columns<money>},
    {{.id = "type/timetz",
      .severity = Severity::note,
      .title = "time with time zone",
      .why = "a time of day with an offset and no date cannot follow daylight saving time",
      .fix = "write timestamptz, or time and the zone's name beside it",
      .like = "Bytebase"},
     columns<timetz>},
    {{.id = "type/timestamp-rounds",
      .severity = Severity::note,
      .title = "timestamp(0)",
      .why = "it rounds rather than cuts, so a value can lie up to half a second in the future",
      .fix = "write timestamptz, and date_trunc where it is shown",
      .like = "pg-migration-lint"},
     columns<no_fractions>},
    {{.id = "name/too-long",
      .severity = Severity::warning,
      .title = "A name of more than 63 bytes",
      .why =
          "the server cuts it off at 63 bytes without an error, and two long names can become one",
      .fix = "choose a shorter name",
      .like = "squawk identifier-too-long"},
     long_names},
});

}  // namespace

std::span<StatementRule const> type_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
