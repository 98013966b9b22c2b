// How long it takes to tell the effects of a long script, beside parsing it alone.
#include "planner/effects.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include <pg_query.h>

#include "planner/pg_tree.h"

namespace {

using Clock = std::chrono::steady_clock;

std::string script(int tables) {
  std::string sql;
  for (int i = 0; i < tables; ++i) {
    auto const t = "t" + std::to_string(i);
    sql += "CREATE TABLE " + t +
           " (id bigint PRIMARY KEY, org_id bigint, email varchar(120) NOT NULL);\n";
    sql += "ALTER TABLE " + t + " ADD COLUMN note text DEFAULT 'x';\n";
    sql += "CREATE INDEX CONCURRENTLY " + t + "_org_idx ON " + t + " (org_id);\n";
    sql += "ALTER TABLE " + t + " ADD CONSTRAINT c CHECK (org_id IS NOT NULL) NOT VALID;\n";
    sql += "UPDATE " + t + " SET note = 'y' WHERE id BETWEEN 1 AND 1000;\n";
  }
  return sql;
}

template <typename Work>
double milliseconds(Work work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    auto const begin = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  return best;
}

}  // namespace

int main() {
  using namespace runbookd::planner;
  constexpr int tables = 2'000;  // five statements each
  auto const sql = script(tables);
  std::size_t told = 0;
  auto const bare = milliseconds([&] { pg_query_free_parse_result(pg_query_parse(sql.c_str())); });
  auto const trees = milliseconds([&] { pg::parse(sql); });
  auto const all = milliseconds([&] { told = explain({.text = sql}, {}, 15).statements.size(); });
  std::printf(
      "%zu statements: libpg_query alone %.0f ms, with our trees %.0f ms (%.2f x), effects %.0f ms "
      "(%.2f x)\n",
      told, bare, trees, trees / bare, all, all / bare);
}
