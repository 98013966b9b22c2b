// Lint's cases on a real server: a form that is called safe neither rewrites nor reads a table
// while it keeps writers out, and what is called unsafe is shown to be so where a server can show
// it.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <doctest/doctest.h>

#include "planner/effects.h"
#include "tests/planner/lint_cases.h"
#include "tests/target/seen.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using planner::SqlFailure;

namespace {

struct Place {  // a database with one schema
  Target target;
  std::unique_ptr<daemon::Session> session;
  explicit Place(std::string const& schema) {
    for (auto const* role : {"app", "app_owner", "app_reader"}) {
      target.sql("DO $$BEGIN CREATE ROLE " + std::string(role) +
                 "; EXCEPTION WHEN duplicate_object THEN NULL; END$$");
    }
    session = target.connect();
    auto const made = session->run(schema);
    REQUIRE_MESSAGE(made, made.error().message << "\n" << schema);
    REQUIRE(session->run(remember_relations));
  }
};

// One transaction can hold it, and it says nothing about transactions itself.
bool runs_inside(lint_cases::Case const& one) {
  auto const told = planner::explain({.text = one.sql}, {}, 18);
  return told.findings.empty() && !told.statements.empty() &&
         std::ranges::all_of(told.statements, [](auto const& statement) {
           auto const& kind = statement.statement.kind;
           return statement.effects.transactional && !kind.starts_with("BEGIN") &&
                  !kind.starts_with("START") && !kind.starts_with("COMMIT") &&
                  !kind.starts_with("END") && !kind.starts_with("ROLLBACK") &&
                  !kind.starts_with("SAVEPOINT");
         });
}

// What is known of the table's size, if anything: small and empty ones may be worked on.
bool small(lint_cases::Case const& one, std::string const& table) {
  for (auto const& [name, relation] : one.options.catalog.relations()) {
    if (planner::to_sql(name) == table) {
      return !relation.populated ||
             (relation.bytes >= 0 && relation.bytes <= one.options.sizes.small);
    }
  }
  return false;
}

struct Shown {
  std::optional<SqlFailure> refused;
  Seen seen;
};

Shown run(Place& place, std::string const& sql) {
  REQUIRE(place.session->run("BEGIN"));
  auto const before = scans_of(*place.session);
  Shown shown;
  if (auto const done = place.session->run(sql); !done) {
    shown.refused = done.error();
  } else {
    REQUIRE(place.session->run("RESET SESSION AUTHORIZATION; RESET ROLE"));
    shown.seen = look(*place.session, before);
  }
  REQUIRE(place.session->run("ROLLBACK"));
  return shown;
}

// Tables that writers wait for while all of their rows are read or written. Nobody writes to a
// materialized view, and readers do not wait for a concurrent refresh.
Names worked_on_behind_a_lock(lint_cases::Case const& one, Seen const& seen) {
  Names found;
  for (auto const& [table, mode] : seen.tables) {
    bool const refresh = mode == "ExclusiveLock";
    if (strength(mode) >= strength("ShareLock") && !refresh && !small(one, table) &&
        (seen.rewrites.contains(table) || seen.scans.contains(table))) {
      found.insert(table);
    }
  }
  return found;
}

bool keeps_writers_out(Seen const& seen) {
  return std::ranges::any_of(
      seen.tables, [](auto const& lock) { return strength(lock.second) >= strength("ShareLock"); });
}

std::string words(lint_cases::Case const& one) {
  return one.file + ":" + std::to_string(one.line) + ": " + one.sql;
}

// Rules whose claim is that the server will not do it.
bool says_refused(std::string const& rule) {
  static std::set<std::string> const rules{"sql/no-such-table", "sql/no-such-column",
                                           "sql/already-there", "sql/refused-by-dependents",
                                           "version/not-in-this-server"};
  return rules.contains(rule);
}

}  // namespace

TEST_CASE("what lint calls safe is safe on a real server, and what it calls unsafe shows it") {
  std::map<std::string, std::unique_ptr<Place>> places;
  int safe = 0, refused = 0, locking = 0, elsewhere = 0, outside = 0;
  for (auto const& one : lint_cases::read_all()) {
    // what lint knows; else a place where the case makes its own tables, or finds those of its file
    bool const told = !one.options.catalog.relations().empty();
    bool const makes = one.sql.starts_with("CREATE TABLE t ");
    auto const& schema = told || !makes ? one.schema : std::string();
    auto& place = places[schema];
    if (place == nullptr) {
      place = std::make_unique<Place>(schema);
    }
    auto const major = place->session->server_version() / 10'000;
    if (major < one.from || major > one.to) {
      continue;
    }
    if (!runs_inside(one)) {
      ++outside;
      continue;
    }
    auto const shown = run(*place, one.sql);
    auto const statements = planner::explain({.text = one.sql}, {}, 18).statements.size();
    CAPTURE(words(one));
    if (told && std::ranges::any_of(one.expected, says_refused)) {
      CHECK(shown.refused.has_value());
      ++refused;
    } else if (shown.refused) {
      // that a sequence or tablespace is not there is no claim of lint
      bool const missing = shown.refused->sqlstate == "42P01" || shown.refused->sqlstate == "42704";
      CHECK_MESSAGE((!told || missing || !one.expected.empty()), shown.refused->message);
      ++elsewhere;
    } else if (one.expected.empty() && statements == 1 && (told || makes)) {
      auto const worked_on = worked_on_behind_a_lock(one, shown.seen);
      CHECK_MESSAGE(worked_on.empty(), (worked_on.empty() ? "" : *worked_on.begin()));
      ++safe;
    } else if (!shown.seen.tables.empty() && std::ranges::any_of(one.expected, [](auto const& id) {
                 return id.starts_with("lock/");
               })) {
      CHECK(keeps_writers_out(shown.seen));
      ++locking;
    } else {
      ++elsewhere;
    }
  }
  MESSAGE(safe << " safe, " << refused << " refused as said, " << locking << " lock as said; "
               << elsewhere << " make claims that no server shows, or are about tables that no "
               << "schema here has; " << outside << " cannot stand in a transaction");
  CHECK(safe >= 60);
  CHECK(locking >= 60);
  CHECK(refused >= 8);
}
