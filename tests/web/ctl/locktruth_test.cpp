// `sql explain -o jsonl` against what real servers of six versions did: every case, every version,
// every field (tests/planner/locktruth/README.md).
#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/planner/source_files.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/folder.h"

using namespace runbookd::ctl::tests;
using Json = nlohmann::json;

namespace {

// Where the answer is known to differ, and the proof that it is right all the same. Each must go on
// differing: an entry that has come right is an error too.
struct Exception {
  std::string_view id;
  std::set<int> versions;
  std::string_view field, why;
};
std::vector<Exception> const exceptions = {
#include "tests/planner/locktruth/exceptions.inc"
};

std::string script(Json const& one, char const* key) {
  std::string text;
  for (auto const& sql : one.value(key, Json::array())) {
    text += sql.get<std::string>() + ";\n";
  }
  return text;
}

// As a person would ask: the schema in one file, the statement (and what its session did before it)
// in another.
Json told_by_command(Folder const& folder, Json const& one, int version) {
  auto const schema = folder.write("schema.sql", script(one, "setup"));
  auto const file = folder.write(
      "statement.sql", script(one, "session") + one["statement"].get<std::string>() + "\n");
  auto const said = runbookctl({"sql", "explain", file, "-o", "jsonl", "--schema", schema,
                                "--server-version", std::to_string(version)},
                               {});
  REQUIRE_MESSAGE(said.exit == 0, one["id"] << ": " << said.err);
  auto const end = said.out.rfind('\n', said.out.size() - 2);
  return Json::parse(said.out.substr(end == std::string::npos ? 0 : end + 1));
}

Json sorted(Json list) {
  std::sort(list.begin(), list.end());
  return list;
}

// Either answer is right where the server's planner or sampling decides.
Json without(Json const& list, Json const& some) {
  auto rest = Json::array();
  std::copy_if(list.begin(), list.end(), std::back_inserter(rest), [&](Json const& one) {
    return std::find(some.begin(), some.end(), one) == some.end();
  });
  return rest;
}

struct Field {
  char const* seen;
  char const* told;
};
constexpr Field lists[] = {{"locks", "locks"},
                           {"other_locks", "other_locks"},
                           {"rewrites", "rewrites"},
                           {"emptied", "emptied"},
                           {"rebuilt_indexes", "rebuilt_indexes"},
                           {"dropped", "dropped"},
                           {"created", "created"},
                           {"blocks_reads", "blocks_reads"},
                           {"blocks_writes", "blocks_writes"}};
// What was not measured everywhere, and so can be missing.
constexpr Field measured[] = {{"reads_blocked_measured", "reads_blocked"},
                              {"writes_blocked_measured", "writes_blocked"},
                              {"waits_for", "waits_for"}};

using Differences = std::map<std::string, std::string>;  // by field

void compare(Differences& all, std::string const& field, Json const& seen, Json const& told) {
  if (seen != told) {
    all[field] = "    servers: " + without(seen, told).dump() +
                 "\n    told:    " + without(told, seen).dump() + "\n";
  }
}

Differences differences(Json const& seen, Json const& told) {
  Differences all;
  if (!told["analysed"].get<bool>()) {
    all["analysed"] = "    " + told["not_analysed"].get<std::string>() + "\n";
    return all;
  }
  for (auto const& [by_servers, by_us] : lists) {
    REQUIRE_MESSAGE(told.contains(by_us), by_us);
    compare(all, by_servers, sorted(seen.value(by_servers, Json::array())), sorted(told[by_us]));
  }
  for (auto const& [by_servers, by_us] : measured) {
    REQUIRE_MESSAGE(told.contains(by_us), by_us);
    if (seen.contains(by_servers)) {
      compare(all, by_servers, sorted(seen[by_servers]), sorted(told[by_us]));
    }
  }
  auto const may = seen.value("plan_dependent_scans", Json::array());
  compare(all, "scans", without(sorted(seen.value("scans", Json::array())), may),
          without(sorted(told["scans"]), may));
  compare(all, "transactional", Json::array({seen["transactional"]}),
          Json::array({told["transactional"]}));
  return all;
}

}  // namespace

TEST_CASE("sql explain tells what real servers of six versions did, field by field") {
  auto const truth = Json::parse(runbookd::planner::content(runbookd::planner::source_dir() /
                                                            "tests/planner/locktruth/cases.json"));
  Folder const folder;
  int all = 0;
  std::map<std::string, std::string> reports;
  std::map<std::string, int> wrong;
  std::set<std::pair<std::string, int>> excused;
  for (auto const& one : truth["cases"]) {
    auto const id = one["id"].get<std::string>();
    for (auto const& observed : one["observed"]) {
      for (int const version : observed["status"] == "ok"
                                   ? observed["versions"].get<std::vector<int>>()
                                   : std::vector<int>{}) {
        ++all;
        for (auto const& [field, text] :
             differences(observed, told_by_command(folder, one, version))) {
          auto const known = std::ranges::find_if(exceptions, [&](Exception const& e) {
            return e.id == id && e.field == field && e.versions.contains(version);
          });
          if (known != exceptions.end()) {
            excused.insert({id + "." + field, version});
            continue;
          }
          ++wrong[field];
          reports[id + " " + field + "\n    " + one["statement"].get<std::string>() + "\n" +
                  text] += std::to_string(version) + " ";
        }
      }
    }
  }
  std::string text;
  for (auto const& [report, versions] : reports) {
    text += versions + report;
  }
  for (auto const& [field, count] : wrong) {
    MESSAGE(field << ": " << count << " differ");
  }
  MESSAGE(all << " results compared");
  CHECK(all >= 1900);
  CHECK_MESSAGE(reports.empty(), text);
  for (auto const& e : exceptions) {
    for (int const version : e.versions) {
      CHECK_MESSAGE(excused.contains({std::string(e.id) + "." + std::string(e.field), version}),
                    e.id << " has come right in " << version);
    }
  }
}
