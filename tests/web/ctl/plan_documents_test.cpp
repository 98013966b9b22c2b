// Plans as documents: imported, rendered, compared.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"
#include "tests/web/ctl/folder.h"

using namespace runbookd::ctl::tests;
using Json = nlohmann::json;

namespace {

constexpr auto document = R"(# Database Migration Plan: Add a note

### Phase 1 — Expand

**Goal:** The column is there.

```sql
BEGIN;
ALTER TABLE orders ADD COLUMN note text;
CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);
COMMIT;
```
)";

std::string plan_text(std::string const& sql) {
  return "runbook: 1\nname: users-org-id\nphases:\n  - name: expand\n    steps:\n      - name: "
         "add-column\n"
         "        sql: " +
         sql + "\n        rollback: {nothing: why}\n";
}

}  // namespace

TEST_CASE("plan import writes the plan, tells defects at their lines, and the plan passes lint") {
  Folder const folder;
  auto const said = runbookctl({"plan", "import", folder.write("plan.md", document)}, {});
  CHECK(said.exit == 0);
  CHECK(said.err.find("plan.md:10:1: warning: CREATE INDEX CONCURRENTLY") != std::string::npos);
  CHECK(said.err.find("next: read the plan") != std::string::npos);
  auto const linted = runbookctl({"plan", "lint", folder.write("plan.yaml", said.out)}, {});
  CHECK(linted.exit == 0);
}

TEST_CASE("plan import gives programs the plan and its findings") {
  auto const said = runbookctl({"plan", "import", "-", "-o", "json"}, {.typed = document});
  CHECK(said.exit == 0);
  auto const answer = Json::parse(said.out);
  CHECK(answer["plan"].get<std::string>().starts_with("runbook: 1\n"));
  CHECK(answer["findings"][0]["rule"] == "import/not-in-transaction");
}

TEST_CASE("plan import of what is no plan ends with 9") {
  auto const said = runbookctl({"plan", "import", "-"}, {.typed = "# Notes\n\nNothing here.\n"});
  CHECK(said.exit == 9);
  CHECK(said.err.find("import/no-phase") != std::string::npos);
}

TEST_CASE("plan render and plan import are each other's reverse") {
  Folder const folder;
  auto const plan = folder.write("plan.yaml", plan_text("ALTER TABLE t ADD COLUMN a int"));
  auto const rendered = runbookctl({"plan", "render", plan}, {});
  CHECK(rendered.exit == 0);
  CHECK(rendered.out.starts_with("# Database Migration Plan:"));
  auto const again =
      folder.write("again.yaml", runbookctl({"plan", "import", "-"}, {.typed = rendered.out}).out);
  auto const diff = runbookctl({"plan", "diff", plan, again}, {});
  CHECK(diff.exit == 0);
  CHECK(diff.out == "");
  CHECK(diff.err.find("the plans are the same") != std::string::npos);
}

TEST_CASE("plan diff tells what changed in which step") {
  Folder const folder;
  auto const before = folder.write("before.yaml", plan_text("SELECT 1"));
  auto const after = folder.write("after.yaml", plan_text("SELECT 2"));
  auto const said = runbookctl({"plan", "diff", before, after}, {});
  CHECK(said.out == "changed step expand/add-column  sql\n  - SELECT 1\n  + SELECT 2\n");
  auto const json = Json::parse(runbookctl({"plan", "diff", before, after, "-o", "json"}, {}).out);
  CHECK(json["same"] == false);
  CHECK(json["changes"][0]["lines"] == Json::array({"-SELECT 1", "+SELECT 2"}));
}

TEST_CASE("plan diff and plan render name the file that is no plan") {
  Folder const folder;
  auto const good = folder.write("good.yaml", plan_text("SELECT 1"));
  auto const bad = folder.write("bad.yaml", "runbook: 1\n");
  auto const said = runbookctl({"plan", "diff", good, bad}, {});
  CHECK(said.exit == 9);
  CHECK(said.err.find("bad.yaml") != std::string::npos);
  CHECK(runbookctl({"plan", "render", "/nowhere.yaml"}, {}).exit == 3);
  CHECK(runbookctl({"plan", "render"}, {}).exit == 2);
  CHECK(runbookctl({"plan", "render", good, "--run", "@latest"}, {}).exit == 2);
}

TEST_CASE("a rendered run has its plan, and who did what when") {
  CannedServer const server([](Asked const& asked) -> Canned {
    if (asked.target.find("/plans/") != std::string::npos) {
      return {.body = Json{{"canonical",
                            {{"runbook", 1},
                             {"name", "users-org-id"},
                             {"phases",
                              {{{"name", "expand"},
                                {"steps",
                                 {{{"name", "add-column"},
                                   {"sql", "SELECT 1"},
                                   {"rollback", "SELECT 2"}}}}}}}}}}
                          .dump()};
    }
    if (asked.target.find("/steps/") != std::string::npos) {
      return {.body = Json{{"label", asked.target.substr(asked.target.find("/steps/") + 7)},
                           {"attempts",
                            {{{"direction", "forward"},
                              {"number", 1},
                              {"result", "succeeded"},
                              {"started_at", "2026-01-01T03:12:07.000Z"},
                              {"duration_ms", 341},
                              {"actor", "ana"}}}}}
                          .dump()};
    }
    auto run = running_backfill();
    run["plan"]["digest"] = "sha256:0123456789ab";
    return {.body = run.dump()};
  });
  auto const said = runbookctl({"plan", "render", "--run", run_a}, {.address = server.address()});
  INFO(said.err);
  CHECK(said.exit == 0);
  CHECK(said.out.find("#### Step `add-column`") != std::string::npos);
  CHECK(said.out.find("**Recorded:** forward, attempt 1: **succeeded**, 2026-01-01T03:12:07.000Z, "
                      "0.3 s, by ana") != std::string::npos);
  CHECK(said.out.find("**Recorded:** **running** since") != std::string::npos);
}

TEST_CASE("a dump of pg_dump, which empties the search path, is a schema like any other") {
  Folder const folder;
  auto const dump = folder.write("dump.sql",
                                 "SELECT pg_catalog.set_config('search_path', '', false);\n"
                                 "CREATE TABLE public.t (id integer);\n");
  auto const said = runbookctl({"sql", "explain", "-", "--schema", dump},
                               {.typed = "ALTER TABLE t ADD COLUMN a int"});
  CHECK(said.out.find("public.t  AccessExclusiveLock") != std::string::npos);
}

TEST_CASE("plan derive shows the SQL that auto stands for, and --fix writes it into the file") {
  Folder const folder;
  std::string const text =
      "runbook: 1\nname: p\nphases:\n  - name: expand\n    steps:\n      - name: add\n"
      "        sql: ALTER TABLE t ADD COLUMN a int\n        rollback: auto\n";
  auto const file = folder.write("auto.yaml", text);
  auto const same = folder.write("same.yaml", text);
  auto const said = runbookctl({"plan", "derive", file}, {});
  CHECK(said.exit == 0);
  CHECK(said.out.find("step expand/add\n") != std::string::npos);
  CHECK(said.out.find("  ALTER TABLE t DROP COLUMN a\n") != std::string::npos);
  CHECK(runbookctl({"plan", "derive", file, "--fix"}, {}).exit == 0);
  auto const written = Json::parse(runbookctl({"plan", "show", file, "-o", "json"}, {}).out);
  auto const derived = Json::parse(runbookctl({"plan", "show", same, "-o", "json"}, {}).out);
  CHECK(written["digest"] == derived["digest"]);
  CHECK(runbookctl({"plan", "derive", file, "--fix"}, {}).err.find("edit") == std::string::npos);
}

TEST_CASE("plan derive takes one database to ask") {
  Folder const folder;
  auto const file = folder.write("p.yaml",
                                 "runbook: 1\nname: p\nphases:\n  - name: a\n    steps:\n"
                                 "      - {name: s, sql: DROP VIEW v, rollback: auto}\n");
  auto const said = runbookctl({"plan", "derive", file, "--dsn", "x", "--target", "y"}, {});
  CHECK(said.exit == 2);
  CHECK(said.err.find("--dsn and --target say the same thing") != std::string::npos);
}

TEST_CASE("plan derive of what cannot be derived ends with 9 and says why") {
  Folder const folder;
  auto const file = folder.write("bad.yaml",
                                 "runbook: 1\nname: p\nphases:\n  - name: a\n    steps:\n"
                                 "      - {name: s, sql: DROP TABLE t, rollback: auto}\n");
  auto const said = runbookctl({"plan", "derive", file}, {});
  CHECK(said.exit == 9);
  CHECK((said.out + said.err).find("the rows of t are gone with it") != std::string::npos);
}
