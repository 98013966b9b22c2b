// Plans from files: checked and shown offline, uploaded with the SQL beside them.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"
#include "tests/web/ctl/folder.h"

using namespace runbookd::ctl::tests;
namespace fs = std::filesystem;

namespace {

constexpr auto good_plan = R"(runbook: 1
name: add-note
title: Add a note to orders
phases:
  - name: expand
    kind: expand
    goal: The column is there.
    steps:
      - name: add-column
        sql_file: add.sql
        rollback: ALTER TABLE orders DROP COLUMN note
)";

std::string plan_with_sql(Folder const& folder) {
  folder.write("add.sql", "ALTER TABLE orders ADD COLUMN note text");
  return folder.write("plan.yaml", good_plan);
}

}  // namespace

TEST_CASE("a plan without findings passes, with its SQL files") {
  Folder const folder;
  auto const said = runbookctl({"plan", "lint", plan_with_sql(folder)}, {});
  CHECK(said.exit == 0);
  CHECK(said.err.find(": no findings\n") != std::string::npos);
  CHECK(said.err.find("next: runbookctl run create --plan-file ") != std::string::npos);
}

TEST_CASE("errors in a plan are told with their places and exit code 9") {
  Folder const folder;
  auto const file = folder.write("bad.yaml", "runbook: 1\nnme: x\nphases: []\n");
  auto const said = runbookctl({"plan", "lint", file}, {});
  CHECK(said.exit == 9);
  CHECK(said.out.find("bad.yaml:2:1: error: ") != std::string::npos);
  CHECK(said.err.find("next: mend the errors, then again: runbookctl plan lint ") !=
        std::string::npos);
}

TEST_CASE("plan lint --fix changes the plan where its step may stand outside a transaction") {
  Folder const folder;
  auto const file = folder.write("plan.yaml", R"(runbook: 1
name: index
phases:
  - name: expand
    kind: expand
    steps:
      - name: build
        sql: CREATE INDEX orders_at ON orders (placed_at)
        rollback: DROP INDEX orders_at
)");
  auto const said = runbookctl({"plan", "lint", file, "--fix"}, {});
  CHECK(said.exit == 0);
  CHECK(said.err.find("2 edits made") != std::string::npos);
  CHECK(said.err.find(": no findings\n") != std::string::npos);
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  CHECK(text.str().find("sql: CREATE INDEX CONCURRENTLY orders_at ON") != std::string::npos);
  CHECK(text.str().find("rollback: DROP INDEX CONCURRENTLY orders_at") != std::string::npos);
}

TEST_CASE("findings are a document for programs") {
  Folder const folder;
  auto const file = folder.write("bad.yaml", "runbook: 1\nnme: x\nphases: []\n");
  auto const said = runbookctl({"plan", "lint", file, "--json"}, {});
  auto const document = Json::parse(said.out);
  CHECK(document.at("valid") == false);
  CHECK(document.at("findings").dump().find("\"line\":2") != std::string::npos);
  CHECK(said.err.empty());
}

TEST_CASE("a plan may come by standard input") {
  auto const said = runbookctl({"plan", "lint", "-"}, {.typed = "runbook: 1\nnme: x\n"});
  CHECK(said.exit == 9);
  CHECK(said.out.find("stdin:2:1: error: ") != std::string::npos);
}

TEST_CASE("a plan that cannot be read is a local error") {
  auto const said = runbookctl({"plan", "lint", "/nonexistent/plan.yaml"}, {});
  CHECK(said.exit == 3);
  CHECK(said.err ==
        "runbookctl: read /nonexistent/plan.yaml: No such file or directory\n"
        "try: ls -l /nonexistent\n");
  auto const folder = runbookctl({"plan", "lint", "/tmp"}, {});
  CHECK(folder.exit == 1);
  CHECK(folder.err.find("folder") != std::string::npos);
}

TEST_CASE("a plan file is shown with the way back") {
  Folder const folder;
  auto const said = runbookctl({"plan", "show", plan_with_sql(folder)}, {});
  CHECK(said.exit == 0);
  CHECK(said.out.find("1.1 add-column  sql") != std::string::npos);
  CHECK(said.out.find("       ALTER TABLE orders ADD COLUMN note text\n") != std::string::npos);
  CHECK(said.out.find("       back:\n         ALTER TABLE orders DROP COLUMN note\n") !=
        std::string::npos);
}

TEST_CASE("a stored plan is shown like its file") {
  Folder const folder;
  auto const file = plan_with_sql(folder);
  auto const document = runbookctl({"plan", "show", file, "--json"}, {}).out;
  CannedServer const server([&](Asked const&) { return Canned{.body = document}; });
  auto const stored =
      runbookctl({"plan", "show", "sha256:0123456789ab"}, {.address = server.address()});
  CHECK(stored.out == runbookctl({"plan", "show", file}, {}).out);
  CHECK(server.asked().at(0).target == "/api/v1/plans/sha256%3A0123456789ab");
}

TEST_CASE("an upload carries the SQL files that the plan names") {
  Folder const folder;
  CannedServer const server([](Asked const&) {
    return Canned{.status = 201,
                  .body = R"({"digest":"sha256:ab","name":"add-note","findings":[]})"};
  });
  auto const said =
      runbookctl({"plan", "upload", plan_with_sql(folder)}, {.address = server.address()});
  CHECK(said.out == "add-note stored as sha256:ab\n");
  auto const bundle = Json::parse(server.asked().at(0).body);
  CHECK(bundle.at("text") == good_plan);
  CHECK(bundle.at("files") == Json{{"add.sql", "ALTER TABLE orders ADD COLUMN note text"}});
  CHECK(server.asked().at(0).headers.at("content-type") == "application/vnd.runbook.bundle+json");
}

TEST_CASE("no file outside the plan's folder is read or uploaded") {
  Folder const folder;
  std::string plan = good_plan;
  plan.replace(plan.find("add.sql"), 7, "../../../../etc/hostname");
  auto const file = folder.write("plan.yaml", plan);
  CannedServer const server([](Asked const&) { return Canned{.status = 201, .body = "{}"}; });
  runbookctl({"plan", "upload", file}, {.address = server.address()});
  CHECK(Json::parse(server.asked().at(0).body).at("files").empty());
}

TEST_CASE("a plan that is not UTF-8 is refused before it is sent") {
  Folder const folder;
  auto const file = folder.write("plan.yaml", "name: \xff\xfe\n");
  CannedServer const server([](Asked const&) { return Canned{}; });
  CHECK(runbookctl({"plan", "upload", file}, {.address = server.address()}).exit == 9);
  CHECK(server.asked().empty());
}

TEST_CASE("a run is created from a file by uploading it first") {
  Folder const folder;
  CannedServer const server([](Asked const& asked) {
    return asked.target == "/api/v1/plans"
               ? Canned{.status = 200, .body = R"({"digest":"sha256:cd"})"}
               : Canned{.status = 201, .body = waiting_run().dump()};
  });
  auto const said = runbookctl(
      {"run", "create", "--plan-file", plan_with_sql(folder), "--target", "main", "-o", "name"},
      {.address = server.address()});
  CHECK(said.out == "run_0a1b2c3d4e5f\n");
  CHECK(Json::parse(server.asked().at(1).body).at("plan") == "sha256:cd");
}

TEST_CASE("the schema of plans is JSON") {
  auto const schema = Json::parse(runbookctl({"plan", "schema"}, {}).out);
  CHECK(schema.at("$schema").get<std::string>().find("draft-07") != std::string::npos);
}

TEST_CASE("stored plans are listed") {
  CannedServer const server([](Asked const&) {
    return Canned{.body =
                      R"({"plans":[{"digest":"sha256:0123456789abcdef","name":"p","title":"T"}]})"};
  });
  auto const said = runbookctl({"plan", "list"}, {.address = server.address()});
  CHECK(said.out.find("sha256:0123456789ab  p     T") != std::string::npos);
  CHECK(runbookctl({"plan", "list", "-o", "name"}, {.address = server.address()}).out ==
        "sha256:0123456789abcdef\n");
}

TEST_CASE("a plan that is neither a file nor a digest is not found") {
  auto const said = runbookctl({"plan", "show", "/nonexistent/plan.yaml"}, {});
  CHECK(said.exit == 3);
  CHECK(
      said.err.find("neither a file nor the digest of a stored plan\ntry: runbookctl plan list") !=
      std::string::npos);
}
