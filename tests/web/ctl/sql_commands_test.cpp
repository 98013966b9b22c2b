// sql explain and sql lint: offline, for people and for programs.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/ctl/command.h"

using namespace runbookd::ctl::tests;
using Json = nlohmann::json;

TEST_CASE("sql explain tells each statement's effects as one line of JSON") {
  auto const said = runbookctl({"sql", "explain", "-", "-o", "jsonl", "--server-version", "15"},
                               {.typed = "CREATE TABLE t (id int, v varchar(10));\n\n"
                                         "ALTER TABLE t ALTER v TYPE varchar(5);\n"});
  CHECK(said.exit == 0);
  auto const first_end = said.out.find('\n');
  auto const second = Json::parse(said.out.substr(first_end + 1));
  CHECK(second["statement"] == 2);
  CHECK(second["line"] == 3);
  CHECK(second["locks"][0]["table"] == "public.t");
  CHECK(second["locks"][0]["mode"] == "AccessExclusiveLock");
  CHECK(second["rewrites"] == Json::array({"public.t"}));
  CHECK(second["transactional"] == true);
  CHECK(second["assumed"].empty());
}

TEST_CASE("sql explain knows the schema that it is given") {
  auto const dump = (std::filesystem::temp_directory_path() / "runbookctl-explain.sql").string();
  std::ofstream(dump) << "CREATE TABLE public.t (id integer, v character varying(10));\n";
  auto const said = runbookctl({"sql", "explain", "-", "--schema", dump},
                               {.typed = "ALTER TABLE t ALTER v TYPE text"});
  std::filesystem::remove(dump);
  CHECK(said.exit == 0);
  CHECK(said.out.find("public.t  AccessExclusiveLock  stops reads and writes") !=
        std::string::npos);
  CHECK(said.out.find("rewrites") == std::string::npos);
  CHECK(said.out.find("assumed") == std::string::npos);
}

TEST_CASE("sql explain says what it could not read, and where") {
  auto const said = runbookctl({"sql", "explain", "-"}, {.typed = "ALTER TABLE;\nDROP TABLE t;"});
  CHECK(said.exit == 9);
  CHECK(said.err.find("stdin:1:12") != std::string::npos);
  CHECK(said.out.find("public.t") != std::string::npos);
  auto const missing = runbookctl({"sql", "explain", "/nowhere.sql"}, {});
  CHECK(missing.exit != 0);
  CHECK(missing.err.find("/nowhere.sql") != std::string::npos);
}

TEST_CASE("sql explain takes one schema, and says what stands in the way of reading it") {
  auto const two = runbookctl({"sql", "explain", "-", "--schema", "a.sql", "--dsn", "host=/"}, {});
  CHECK(two.exit == 2);
  CHECK(two.err.find("give one of them") != std::string::npos);
  auto const away = runbookctl({"sql", "explain", "-", "--target", "main"}, {});
  CHECK(away.exit == 10);
  CHECK(away.err.find("read the schema of target main") != std::string::npos);
}

TEST_CASE("sql lint takes sizes for small and large tables, with their units") {
  auto const bad = runbookctl({"sql", "lint", "-", "--large-table", "8"}, {.typed = "SELECT 1"});
  CHECK(bad.exit == 2);
  CHECK(bad.err.find("write 16MB or 8GB") != std::string::npos);
  CHECK(runbookctl({"sql", "lint", "-", "--small-table", "1MB"}, {.typed = "SELECT 1"}).exit == 0);
}

TEST_CASE("sql lint tells findings, and its exit code says whether errors are among them") {
  auto const unsafe = runbookctl({"sql", "lint", "-"}, {.typed = "CREATE INDEX i ON t (a);\n"});
  CHECK(unsafe.exit == 9);
  CHECK(unsafe.out.find("stdin:1:1: error: ") == 0);
  CHECK(unsafe.out.find("[lock/create-index-not-concurrent]\n  fix: ") != std::string::npos);
  auto const safe =
      runbookctl({"sql", "lint", "-"}, {.typed = "CREATE INDEX CONCURRENTLY i ON t (a);\n"});
  CHECK(safe.exit == 0);
  CHECK(safe.err.find("stdin: no findings") != std::string::npos);
}

TEST_CASE("sql lint knows that a tool runs the file in one transaction, and house rules") {
  auto const sql = "CREATE INDEX CONCURRENTLY i ON t (a);\n";
  auto const inside = runbookctl({"sql", "lint", "-", "--in-transaction"}, {.typed = sql});
  CHECK(inside.out.find("[transaction/cannot-run-inside]") != std::string::npos);
  auto const house = runbookctl({"sql", "lint", "-", "--enable", "policy"}, {.typed = sql});
  CHECK(house.out.find("[policy/schema-qualified]") != std::string::npos);
  CHECK(runbookctl({"sql", "lint", "-", "--server-version", "12"}, {.typed = sql}).exit == 2);
}

TEST_CASE("sql lint writes SARIF with the rules that it used, and acknowledgements") {
  auto const said = runbookctl({"sql", "lint", "-", "--report", "sarif", "--timeouts-given"},
                               {.typed = "CREATE INDEX i ON t (a);\n"
                                         "-- runbookd:ignore lock/rewrites-table: at night\n"
                                         "VACUUM FULL t;\n"});
  auto const run = Json::parse(said.out)["runs"][0];
  CHECK(run["tool"]["driver"]["rules"].size() == 2);
  REQUIRE(run["results"].size() == 2);
  auto const& first = run["results"][0];
  CHECK(first["ruleId"] == "lock/create-index-not-concurrent");
  CHECK(first["level"] == "error");
  CHECK(first["locations"][0]["physicalLocation"]["region"]["startLine"] == 1);
  auto const& edit = first["fixes"][0]["artifactChanges"][0]["replacements"][0];
  CHECK(edit["insertedContent"]["text"] == "INDEX CONCURRENTLY");
  CHECK(run["results"][1]["suppressions"][0]["justification"] == "at night");
}

TEST_CASE("sql lint writes annotations for pull requests, on one line each") {
  auto const said = runbookctl({"sql", "lint", "-", "--report", "github", "--timeouts-given"},
                               {.typed = "CREATE INDEX i ON t (a);\n"});
  CHECK(said.out.starts_with(
      "::error file=stdin,line=1,col=1,title=lock/create-index-not-concurrent::"));
  CHECK(said.out.find("%0Afix: ") != std::string::npos);
  CHECK(said.out.find('\n') == said.out.size() - 1);
}

TEST_CASE("sql lint --fix changes the file, and says what is left") {
  auto const file = (std::filesystem::temp_directory_path() / "runbookctl-mend.sql").string();
  std::ofstream(file) << "CREATE INDEX i ON t (a);\nVACUUM FULL t;\n";
  auto const said = runbookctl({"sql", "lint", file, "--fix", "--timeouts-given"}, {});
  std::ifstream in(file);
  std::string first;
  std::getline(in, first);
  CHECK(first == "CREATE INDEX CONCURRENTLY i ON t (a);");
  CHECK(said.err.find("1 edit made") != std::string::npos);
  CHECK(said.out.find("[lock/rewrites-table]") != std::string::npos);
  CHECK(said.out.find("[lock/create-index-not-concurrent]") == std::string::npos);
  CHECK(said.exit == 9);
  std::filesystem::remove(file);
}

TEST_CASE("sql rules lists every rule") {
  auto const said = runbookctl({"sql", "rules", "-o", "json"}, {});
  auto const rules = Json::parse(said.out)["rules"];
  CHECK(rules.size() > 100);
  CHECK(rules[0].contains("why"));
}
