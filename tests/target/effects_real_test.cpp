// What is foretold of a statement is what a server does when it runs it: locks, rewrites and full
// reads, by the catalog of that server and by replaying the SQL that made it.
#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "daemon/target/catalog.h"
#include "planner/effects.h"
#include "tests/target/seen.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

struct Case {
  int line = 0, from = 0, to = 99;
  std::string sql;
};
struct Cases {
  std::string schema;
  std::vector<Case> all;
};

// "@14 " and "@13-17 " before a statement.
Case case_of(std::string text, int line) {
  Case one{.line = line};
  if (text.starts_with("@")) {
    auto const space = text.find(' ');
    auto const* end = text.data() + space;
    auto const from = std::from_chars(text.data() + 1, end, one.from);
    if (from.ptr != end) {
      std::from_chars(from.ptr + 1, end, one.to);
    }
    text.erase(0, space + 1);
  }
  one.sql = std::move(text);
  return one;
}

Cases read_cases() {
  std::ifstream in(std::string(RUNBOOKD_SOURCE_DIR) + "/tests/target/effects_cases.sql");
  Cases cases;
  bool in_schema = false;
  int line = 0;
  for (std::string text; std::getline(in, text);) {
    ++line;
    if (text.starts_with("--")) {
      in_schema = text == "--@schema" || (in_schema && text != "--@cases");
    } else if (in_schema) {
      cases.schema += text + "\n";
    } else if (!text.empty()) {
      cases.all.push_back(case_of(text, line));
    }
  }
  return cases;
}

std::string words(Names const& names) {
  std::string text;
  for (auto const& name : names) {
    text += name + " ";
  }
  return text;
}
std::string words(Locks const& locks) {
  std::string text;
  for (auto const& [name, mode] : locks) {
    text += name + "=" + mode + " ";
  }
  return text;
}

Locks kept_locks(std::vector<planner::RelationLock> const& locks) {
  Locks all;
  for (auto const& lock : locks) {
    all[lock.name] = std::string(to_text(lock.mode));
  }
  return all;
}

Names without(Names names, std::vector<std::string> const& some) {
  for (auto const& one : some) {
    names.erase(one);
  }
  return names;
}
Names names(std::vector<std::string> const& list) { return {list.begin(), list.end()}; }

// A lock that was let go before the end is told and cannot be seen here.
void compare_locks(std::string& report, planner::Effects const& told, Locks const& seen) {
  auto all = kept_locks(told.locks);
  for (auto const& lock : told.locks) {
    if (!lock.kept && !seen.contains(lock.name)) {
      all.erase(lock.name);
    }
  }
  if (all != seen) {
    report += "  locks\n    server: " + words(seen) + "\n    told:   " + words(all) + "\n";
  }
}

std::string difference(planner::Effects const& told, Seen const& seen) {
  if (!told.analysed) {
    return "  " + told.not_analysed + "\n";
  }
  std::string report;
  compare_locks(report, told, seen.tables);
  auto const others = kept_locks(told.other_locks);
  for (auto const& [name, mode] : seen.others) {
    if (mode == "AccessExclusiveLock" && !others.contains(name)) {
      report += "  not told: " + name + "=" + mode + "\n";
    }
  }
  auto const compare = [&](std::string const& what, Names const& server, Names const& by_us) {
    if (server != by_us) {
      report +=
          "  " + what + "\n    server: " + words(server) + "\n    told:   " + words(by_us) + "\n";
    }
  };
  compare("rewrites", seen.rewrites, names(told.rewrites));
  compare("emptied", seen.emptied, names(told.emptied));
  auto open = told.plan_dependent_scans;
  open.insert(open.end(), told.dropped.begin(), told.dropped.end());
  open.insert(open.end(), told.emptied.begin(), told.emptied.end());
  compare("rebuilt indexes", seen.rebuilt, names(told.rebuilt_indexes));
  compare("scans", without(seen.scans, open), without(names(told.scans), open));
  return report;
}

planner::Catalog complete() {
  planner::Catalog catalog;
  catalog.complete = true;
  return catalog;
}

}  // namespace

TEST_CASE("what is foretold of a statement is what the server does") {
  auto const cases = read_cases();
  Target const target;
  auto const session = target.connect();
  auto const major = session->server_version() / 10000;
  for (auto const* role : {"app_owner", "app_reader"}) {
    auto const made = session->run("DO $$BEGIN CREATE ROLE " + std::string(role) +
                                   "; EXCEPTION WHEN duplicate_object THEN NULL; END$$");
    REQUIRE(made);
  }
  auto const filled = session->run(cases.schema);
  REQUIRE_MESSAGE(filled, filled.error().message);
  auto const by_server = daemon::read_catalog(*session);
  REQUIRE(by_server);
  auto const by_replay = planner::replay({.text = cases.schema}, complete()).catalog;
  REQUIRE(session->run(remember_relations));

  int right = 0, wrong = 0, refused = 0;
  for (auto const& one : cases.all) {
    if (major < one.from || major > one.to) {
      continue;
    }
    REQUIRE(session->run("BEGIN"));
    auto const before = scans_of(*session);
    if (auto const done = session->run(one.sql); !done) {
      ++refused;
      MESSAGE("effects_cases.sql:" << one.line << ": " << one.sql
                                   << "\n  refused: " << done.error().message);
      REQUIRE(session->run("ROLLBACK"));
      continue;
    }
    auto const seen = look(*session, before);
    REQUIRE(session->run("ROLLBACK"));
    for (auto const& [catalog, of] : {std::pair(&*by_server, std::string("the server's catalog")),
                                      std::pair(&by_replay, std::string("the replayed catalog"))}) {
      auto const told = planner::explain({.text = one.sql}, *catalog, major).statements;
      REQUIRE(told.size() == 1);
      auto const report = difference(told[0].effects, seen);
      (report.empty() ? right : wrong) += 1;
      CHECK_MESSAGE(report.empty(), "effects_cases.sql:" << one.line << " by " << of << ": "
                                                         << one.sql << "\n"
                                                         << report);
    }
  }
  MESSAGE(right << " of " << right + wrong << " agree, " << refused << " refused");
  CHECK(refused == 0);
  CHECK(right >= 950);
}
