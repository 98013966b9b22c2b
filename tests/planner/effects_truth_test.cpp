// The foretold effects against what real servers did (locktruth/README.md).
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/effects.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;
using Json = nlohmann::json;

namespace {

using Names = std::set<std::string>;
using Locks = std::map<std::string, std::string>;

// Where the answer is known to differ, and why that is so. Each must go on differing: an entry that
// has come right is an error too.
struct Exception {
  std::string_view id;
  std::set<int> versions;
  std::string_view why;
};
std::vector<Exception> const exceptions = {
#include "tests/planner/locktruth/exceptions.inc"
};

Exception const* exception_for(std::string const& id, int version) {
  auto const found = std::ranges::find_if(
      exceptions, [&](Exception const& e) { return e.id == id && e.versions.contains(version); });
  return found == exceptions.end() ? nullptr : &*found;
}

Catalog empty_catalog() {
  Catalog catalog;
  catalog.complete = true;
  catalog.schemas = {"public"};
  return catalog;
}

Catalog catalog_of(Json const& one) {
  auto catalog = empty_catalog();
  for (auto const* key : {"setup", "session"}) {
    for (auto const& sql : one.value(key, Json::array())) {
      catalog = replay({.text = sql.get<std::string>()}, std::move(catalog)).catalog;
    }
  }
  return catalog;
}

Names names(Json const& list) {
  Names all;
  for (auto const& name : list) {
    all.insert(name.get<std::string>());
  }
  return all;
}
Names names(std::vector<std::string> const& list) { return {list.begin(), list.end()}; }

Names without(Names all, Names const& some) {
  for (auto const& one : some) {
    all.erase(one);
  }
  return all;
}

std::string text(Names const& all) {
  std::string line;
  for (auto const& one : all) {
    line += one + " ";
  }
  return line;
}
std::string text(Locks const& locks) {
  std::string line;
  for (auto const& [table, mode] : locks) {
    line += table + "=" + mode + " ";
  }
  return line;
}

Locks locks(Json const& list) {
  Locks all;
  for (auto const& lock : list) {
    all[lock[0].get<std::string>()] = lock[1].get<std::string>();
  }
  return all;
}
Locks locks(std::vector<RelationLock> const& list) {
  Locks all;
  for (auto const& lock : list) {
    all[lock.name] = std::string(to_text(lock.mode));
  }
  return all;
}

template <typename T>
void compare(std::string& report, std::string const& what, T const& seen, T const& told) {
  if (seen != told) {
    report += "  " + what + "\n    servers: " + text(seen) + "\n    told:    " + text(told) + "\n";
  }
}

// What is told of views, sequences and indexes must be so; the strongest locks must be told.
void compare_others(std::string& report, Json const& seen, Effects const& told) {
  auto const all = locks(seen);
  for (auto const& [name, mode] : locks(told.other_locks)) {
    if (!all.contains(name) || all.at(name) != mode) {
      report += "  other lock told: " + name + "=" + mode +
                ", servers: " + (all.contains(name) ? all.at(name) : "none") + "\n";
    }
  }
  for (auto const& [name, mode] : all) {
    if (mode == "AccessExclusiveLock" && !locks(told.other_locks).contains(name)) {
      report += "  other lock not told: " + name + "=" + mode + "\n";
    }
  }
}

std::string difference(Json const& seen, Effects const& told) {
  std::string report;
  if (!told.analysed) {
    return "  " + told.not_analysed + "\n";
  }
  auto const may = names(seen.value("plan_dependent_scans", Json::array()));
  compare(report, "locks", locks(seen["locks"]), locks(told.locks));
  compare(report, "rewrites", names(seen.value("rewrites", Json::array())), names(told.rewrites));
  compare(report, "emptied", names(seen.value("emptied", Json::array())), names(told.emptied));
  compare(report, "scans", without(names(seen.value("scans", Json::array())), may),
          without(names(told.scans), may));
  compare(report, "rebuilt indexes", names(seen.value("rebuilt_indexes", Json::array())),
          names(told.rebuilt_indexes));
  compare(report, "blocks reads", names(seen.value("blocks_reads", Json::array())),
          names(told.blocks_reads()));
  compare(report, "blocks writes", names(seen.value("blocks_writes", Json::array())),
          names(told.blocks_writes()));
  if (seen["transactional"].get<bool>() != told.transactional) {
    report += "  transactional: servers " + seen["transactional"].dump() + "\n";
  }
  compare_others(report, seen["other_locks"], told);
  return report;
}

Effects told_for(Json const& one, Catalog const& catalog, int version) {
  auto explanation = explain({.text = one["statement"].get<std::string>()}, catalog, version);
  if (explanation.statements.size() != 1) {
    Effects none;
    none.analysed = false;
    none.not_analysed = "not one statement";
    return none;
  }
  return explanation.statements.front().effects;
}

}  // namespace

TEST_CASE("effects are those that real servers of six versions showed") {
  auto const truth = Json::parse(content(source_dir() / "tests/planner/locktruth/cases.json"));
  int right = 0, all = 0;
  std::string wrong, healed;
  std::map<std::string, std::string> reports;
  for (auto const& one : truth["cases"]) {
    auto const id = one["id"].get<std::string>();
    auto const catalog = catalog_of(one);
    for (auto const& observed : one["observed"]) {
      if (observed["status"] != "ok") {
        continue;
      }
      for (auto const& version : observed["versions"]) {
        auto const report = difference(observed, told_for(one, catalog, version.get<int>()));
        ++all;
        right += report.empty() ? 1 : 0;
        auto const* known = exception_for(id, version.get<int>());
        if (report.empty() && known != nullptr) {
          healed += id + " " + version.dump() + "\n";
        }
        if (!report.empty() && known == nullptr) {
          auto& entry = reports[id + "\n  " + one["statement"].get<std::string>() + "\n" + report];
          entry += version.dump() + " ";
        }
      }
    }
  }
  for (auto const& [report, versions] : reports) {
    wrong += versions + report + "\n";
  }
  MESSAGE(right << " of " << all << " agree");
  CHECK(all >= 1900);
  CHECK_MESSAGE(wrong.empty(), wrong);
  CHECK_MESSAGE(healed.empty(), healed);
}
