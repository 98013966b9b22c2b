// Lint's cases on a real server: a form that is called safe neither rewrites nor reads a table
// while it keeps writers out, and what is called unsafe is shown to be so where a server can show
// it.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <doctest/doctest.h>

#include "planner/effects.h"
#include "tests/planner/lint_cases.h"
#include "tests/target/seen.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

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

// What it is about stands in its text alone: a table, column, role or extension of no schema here.
bool about_something_else(SqlFailure const& failure) {
  static std::set<std::string> const missing{"42P01", "42703", "42704", "42883",
                                             "3F000", "0A000", "58P01", "42P17"};
  return missing.contains(failure.sqlstate);
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
    shown.seen = look(*place.session, before);
  }
  REQUIRE(place.session->run("ROLLBACK"));
  return shown;
}

// Tables that writers wait for while all of their rows are read or written.
Names worked_on_behind_a_lock(Seen const& seen) {
  static int const share = strength("ShareLock");
  Names found;
  for (auto const& [table, mode] : seen.tables) {
    if (strength(mode) >= share && (seen.rewrites.contains(table) || seen.scans.contains(table))) {
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
    auto& place = places[one.schema];
    if (place == nullptr) {
      place = std::make_unique<Place>(one.schema);
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
    bool const must_fail = std::ranges::any_of(one.expected, says_refused);
    CAPTURE(words(one));
    if (must_fail) {
      CHECK(shown.refused.has_value());
      ++refused;
    } else if (shown.refused) {
      CHECK_MESSAGE((about_something_else(*shown.refused) || !one.expected.empty()),
                    shown.refused->message);
      ++elsewhere;
    } else if (one.expected.empty()) {
      auto const worked_on = worked_on_behind_a_lock(shown.seen);
      CHECK_MESSAGE(worked_on.empty(), (worked_on.empty() ? "" : *worked_on.begin()));
      ++safe;
    } else if (std::ranges::any_of(one.expected,
                                   [](auto const& rule) { return rule.starts_with("lock/"); })) {
      CHECK(keeps_writers_out(shown.seen));
      ++locking;
    }
  }
  MESSAGE(safe << " safe, " << refused << " refused as said, " << locking << " lock as said; "
               << elsewhere << " are about tables that no schema here has, " << outside
               << " cannot stand in a transaction");
  CHECK(safe >= 100);
  CHECK(locking >= 60);
  CHECK(refused >= 10);
}
