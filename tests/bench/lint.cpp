// How long it takes to judge a long script, beside parsing it alone: parse, effects and every rule.
#include "planner/lint.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include <pg_query.h>

#include "planner/effects.h"
#include "planner/pg_tree.h"

namespace {

std::string script(int tables) {
  std::string sql = "SET lock_timeout = '2s';\n";
  for (int i = 0; i < tables; ++i) {
    auto const t = "t" + std::to_string(i);
    sql += "CREATE TABLE " + t +
           " (id bigint PRIMARY KEY, org_id bigint, email varchar(120) NOT NULL);\n";
    sql += "ALTER TABLE old_" + t + " ADD COLUMN note text DEFAULT 'x';\n";
    sql += "CREATE INDEX old_" + t + "_org_idx ON old_" + t + " (org_id);\n";
    sql += "ALTER TABLE old_" + t + " ADD CONSTRAINT c CHECK (org_id IS NOT NULL) NOT VALID;\n";
    sql += "UPDATE old_" + t + " SET note = 'y' WHERE id BETWEEN 1 AND 1000;\n";
  }
  return sql;
}

template <typename Work>
double milliseconds(Work work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    auto const begin = std::clock();  // of this process: a busy machine hardly changes it
    work();
    best = std::min(best, 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return best;
}

}  // namespace

int main() {
  using namespace runbookd::planner;
  constexpr int tables = 2'000;  // five statements each
  auto const sql = script(tables);
  LintedSql linted;
  auto const bare = milliseconds([&] { pg_query_free_parse_result(pg_query_parse(sql.c_str())); });
  auto const trees = milliseconds([&] { pg::parse(sql); });
  auto const effects = milliseconds([&] { (void)explain({.text = sql}, {}, 15); });
  auto const all = milliseconds([&] {
    linted = lint_sql({.text = sql, .place = {"bench.sql", 1, 1}}, {.server_major = 15});
  });
  std::printf(
      "%zu statements, %zu findings: libpg_query alone %.0f ms, with our trees %.0f ms (%.2f x), "
      "with effects %.0f ms (%.2f x), with lint %.0f ms (%.2f x)\n",
      linted.statements, linted.findings.size(), bare, trees, trees / bare, effects, effects / bare,
      all, all / bare);
}
