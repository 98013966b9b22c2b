#include "tests/target/seen.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace runbookd::testing {

// What was there before, and where its rows lay.
char const* const remember_relations = R"sql(
CREATE TEMP TABLE runbookd_before AS
SELECT c.oid, pg_relation_filenode(c.oid) AS node, c.relkind AS kind, pg_relation_size(c.oid) AS size,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I') AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
)sql";

namespace {

constexpr auto held = R"sql(
SELECT b.name, b.kind, l.mode FROM pg_locks l JOIN pg_temp.runbookd_before b ON b.oid = l.relation
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
)sql";

constexpr auto moved = R"sql(
SELECT b.name, b.kind = 'i', b.size > 0 AND coalesce(pg_relation_size(c.oid), 0) = 0
FROM pg_temp.runbookd_before b JOIN pg_class c ON c.oid = b.oid
WHERE b.kind IN ('r', 'm', 'i') AND pg_relation_filenode(c.oid) <> b.node
)sql";

// How often each was read from end to end. The server adds these up in its own time, so what
// counts is the difference.
constexpr auto read_through = R"sql(
SELECT b.name, pg_stat_get_xact_numscans(b.oid) FROM pg_temp.runbookd_before b
WHERE b.kind IN ('r', 'm')
)sql";

void keep(Locks& locks, std::string const& name, std::string const& mode) {
  auto& kept = locks[name];
  if (kept.empty() || strength(kept) < strength(mode)) {
    kept = mode;
  }
}

std::vector<std::vector<daemon::Cell>> rows(daemon::Session& session, char const* query) {
  auto const answer = session.run(query);
  REQUIRE_MESSAGE(answer, answer.error().message);
  return answer->rows;
}

}  // namespace

int strength(std::string const& mode) {
  constexpr std::string_view modes[] = {
      "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
      "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};
  return static_cast<int>(std::ranges::find(modes, mode) - std::begin(modes));
}

Counts scans_of(daemon::Session& session) {
  Counts counts;
  for (auto const& row : rows(session, read_through)) {
    counts[*row[0]] = row[1].value_or("");
  }
  return counts;
}

Seen look(daemon::Session& session, Counts const& before) {
  Seen seen;
  for (auto const& row : rows(session, held)) {
    bool const table = row[1] == "r" || row[1] == "p" || row[1] == "m";
    keep(table ? seen.tables : seen.others, *row[0], *row[2]);
  }
  for (auto const& row : rows(session, moved)) {
    (row[1] == "t" ? seen.rebuilt : row[2] == "t" ? seen.emptied : seen.rewrites).insert(*row[0]);
  }
  for (auto const& [name, count] : scans_of(session)) {
    if (before.at(name) != count && !count.empty()) {
      seen.scans.insert(name);
    }
  }
  return seen;
}

}  // namespace runbookd::testing
