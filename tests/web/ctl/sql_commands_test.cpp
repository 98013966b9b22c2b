// sql explain: offline, for people and for programs.
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
