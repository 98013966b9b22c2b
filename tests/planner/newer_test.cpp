// SQL that only servers newer than the parser know.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "planner/effects.h"
#include "planner/pg_tree.h"
#include "planner/plan_needs.h"
#include "planner/plan_reader.h"
#include "planner/sql.h"

using namespace runbookd::planner;

namespace {

Catalog shop() {
  Catalog catalog;
  catalog.complete = true;
  return replay({.text = "CREATE TABLE parent (a int, b int, pid int);"
                         "CREATE TABLE child (c int) INHERITS (parent);"
                         "CREATE TABLE other (id int PRIMARY KEY);"
                         "CREATE TABLE g (a int, s int GENERATED ALWAYS AS (a + 1) STORED,"
                         " v int GENERATED ALWAYS AS (a + 1));"
                         "ALTER TABLE parent ADD CONSTRAINT f FOREIGN KEY (pid) REFERENCES other"
                         " NOT ENFORCED;"
                         "CREATE TABLE m (a int, at date) PARTITION BY RANGE (at);"
                         "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO"
                         " ('2027-01-01')"},
                std::move(catalog))
      .catalog;
}

std::vector<ExplainedStatement> told(std::string const& sql, int major = 18) {
  return explain({.text = sql}, shop(), major).statements;
}

Effects one(std::string const& sql, int major = 18) {
  auto all = told(sql, major);
  REQUIRE(all.size() == 1);
  CHECK_MESSAGE(all[0].effects.analysed, sql << ": " << all[0].effects.not_analysed);
  return all[0].effects;
}

using Names = std::vector<std::string>;

Plan const& plan_of(ReadPlan const& read) {
  REQUIRE(read.plan);
  return *read.plan;
}

std::string plan_text(std::string const& version, std::string const& sql) {
  return "runbook: 1\nname: p\n" +
         (version.empty() ? std::string() : "database: {version: \"" + version + "\"}\n") +
         "phases:\n  - name: expand\n    steps:\n      - name: s\n        sql: |\n          " +
         sql + "\n        irreversible: a test\n";
}

constexpr auto unknown = "SELECT 1 FROM GRAPH_TABLE (g MATCH (a) COLUMNS (a.id))";

}  // namespace

TEST_CASE("forms of newer servers are read with the effects that they have there") {
  CHECK(one("ALTER TABLE parent ADD COLUMN v int GENERATED ALWAYS AS (a * 2) VIRTUAL").rewrites ==
        Names{});
  CHECK(one("ALTER TABLE parent ADD COLUMN v int GENERATED ALWAYS AS (a * 2)").rewrites == Names{});
  CHECK(one("ALTER TABLE parent ADD COLUMN v int GENERATED ALWAYS AS (a * 2) STORED").rewrites ==
        Names{"public.child", "public.parent"});
  CHECK(one("ALTER TABLE parent ADD CHECK (a > 0)").scans ==
        Names{"public.child", "public.parent"});
  CHECK(one("ALTER TABLE parent ADD CHECK (a > 0) NOT ENFORCED").scans == Names{});
  CHECK(one("ALTER TABLE parent ADD CHECK (a > 0) ENFORCED").scans ==
        Names{"public.child", "public.parent"});
  CHECK(one("ALTER TABLE parent ADD NOT NULL a").scans == Names{"public.child", "public.parent"});
  CHECK(one("ALTER TABLE parent ADD CONSTRAINT n NOT NULL a NO INHERIT").scans ==
        Names{"public.parent"});
  CHECK(one("ALTER TABLE parent ADD CONSTRAINT n NOT NULL a NOT VALID").scans == Names{});
  CHECK(one("ALTER TABLE g ALTER COLUMN s SET EXPRESSION AS (a + 2)").rewrites ==
        Names{"public.g"});
  CHECK(one("ALTER TABLE g ALTER COLUMN v SET EXPRESSION AS (a + 2)").rewrites == Names{});
  CHECK(one("ALTER TABLE parent ALTER CONSTRAINT f ENFORCED").scans ==
        Names{"public.child", "public.parent"});
  CHECK(one("VACUUM ONLY m").locks.size() == 1);
  CHECK(one("VACUUM m").locks.size() == 2);
}

TEST_CASE("what has no effect on relations is read all the same") {
  for (
      auto const* sql :
      {"ALTER TABLE parent ALTER a SET STATISTICS DEFAULT",
       "ALTER TABLE parent SET ACCESS METHOD DEFAULT",
       "ALTER TABLE parent ALTER b SET STORAGE DEFAULT",
       "ALTER TABLE parent ADD t text STORAGE EXTERNAL",
       "CREATE STATISTICS ON a, b FROM parent",
       "CREATE STATISTICS (ndistinct) ON a, b FROM parent",
       "CREATE TABLE w (id int, during tstzrange, PRIMARY KEY (id, during WITHOUT OVERLAPS))",
       "ALTER TABLE parent ADD FOREIGN KEY (a, PERIOD b) REFERENCES other (id, PERIOD id) NOT "
       "VALID",
       "MERGE INTO parent p USING other o ON p.a = o.id WHEN MATCHED THEN DELETE RETURNING p.a",
       "MERGE INTO parent p USING other o ON p.a = o.id WHEN NOT MATCHED BY TARGET THEN DO "
       "NOTHING",
       "UPDATE parent SET a = 1 RETURNING WITH (OLD AS o, NEW AS n) o.a, n.a",
       "UPDATE parent SET a = 1 RETURNING old.a, new.a",
       "MERGE INTO parent p USING other o ON p.a = o.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
       "MERGE INTO parent p USING other o ON p.a = o.id WHEN NOT MATCHED BY SOURCE AND CASE WHEN "
       "p.b = 1 THEN true ELSE p.a = 2 END OR p.c = 3 THEN UPDATE SET a = 1 WHEN MATCHED THEN DO "
       "NOTHING",
       "SELECT JSON_OBJECT('a': 1, 'b' VALUE other.id NULL ON NULL WITH UNIQUE KEYS RETURNING "
       "jsonb) FROM other",
       "SELECT JSON_OBJECT(KEY 'a' VALUE JSON_OBJECT('b': 2))",
       "SELECT JSON_ARRAY(SELECT id FROM other RETURNING jsonb), JSON_ARRAY(1, NULL ABSENT ON "
       "NULL)",
       "SELECT JSON_OBJECTAGG(id: 1 ABSENT ON NULL), JSON_ARRAYAGG(id ORDER BY id RETURNING jsonb) "
       "FROM other",
       "SELECT JSON_VALUE('{}', '$.a' PASSING 1 AS x RETURNING int DEFAULT 0 ON EMPTY ERROR ON "
       "ERROR)",
       "SELECT JSON_QUERY('{}', '$' WITH CONDITIONAL ARRAY WRAPPER EMPTY OBJECT ON ERROR), "
       "JSON_EXISTS('{}', '$' FALSE ON ERROR)",
       "SELECT JSON_SERIALIZE('{}' RETURNING text), JSON('{}' WITH UNIQUE KEYS)",
       "SELECT j.x FROM other, JSON_TABLE(id::text, '$[*]' AS root PASSING id AS i COLUMNS (n FOR "
       "ORDINALITY, x int PATH '$.x' DEFAULT 0 ON EMPTY, NESTED PATH '$.k' COLUMNS (y text)) ERROR "
       "ON ERROR) AS j",
       "SELECT XMLSERIALIZE(DOCUMENT '<a/>' AS text INDENT)",
       "SELECT * FROM (SELECT id FROM other), (VALUES (1))",
       "ANALYZE ONLY parent",
       "SELECT now() AT LOCAL",
       "ALTER TABLE parent ADD CHECK (a::text IS JSON OBJECT WITH UNIQUE KEYS)",
       "SELECT 1_000_000 + 0xFF + 0b11",
       "GRANT app TO other WITH INHERIT TRUE, SET FALSE",
       "ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO app",
       "REINDEX DATABASE CONCURRENTLY",
       "CREATE TABLE w (a int NOT NULL NO INHERIT, CONSTRAINT n NOT NULL a)",
       "CREATE TABLE w (a int REFERENCES other NOT ENFORCED, b int CHECK (b > 0) NOT ENFORCED)",
       "ALTER DOMAIN d ADD CONSTRAINT n NOT NULL"}) {
    CAPTURE(sql);
    auto const all = told(sql);
    CHECK(all.size() == 1);
    CHECK(all.at(0).effects.analysed);
  }
}

TEST_CASE("what a form says is in the tree, at its place in the text") {
  std::string const sql =
      "SELECT 1;\nALTER TABLE t ADD CONSTRAINT c CHECK (NOT enforced) NOT ENFORCED, ADD x "
      "int;\nSELECT 2";
  auto const tree = pg::parse(sql);
  REQUIRE(tree.statements.size() == 3);
  CHECK(sql.substr(tree.statements[2].offset, tree.statements[2].length) == "\nSELECT 2");
  auto const commands = tree.statements[1].node.list("cmds");
  CHECK(commands[0]["def"].flag("not_enforced"));
  CHECK(commands[0]["def"].number("location") ==
        static_cast<std::int64_t>(sql.find("CONSTRAINT c")));
  CHECK(commands[1]["def"].number("location") == static_cast<std::int64_t>(sql.find("x int")));
  REQUIRE(tree.newer.size() == 1);
  CHECK(tree.newer[0].since == 18);
  std::string const wrong =
      "ALTER TABLE t ADD v int GENERATED ALWAYS AS (a) VIRTUAL, ADD x int wrong";
  auto const refused = pg::parse(wrong);
  CHECK_FALSE(refused.ok());
  CHECK(refused.error_offset == wrong.find("wrong"));
}

TEST_CASE("what stands in the newer forms is told: tables, full reads, and who knows them") {
  auto const merged =
      one("MERGE INTO other o USING parent p ON p.a = o.id WHEN NOT MATCHED BY SOURCE THEN DELETE");
  CHECK(merged.since == 17);
  CHECK(std::ranges::find(merged.scans, "public.other") != merged.scans.end());
  auto const made = one("CREATE TABLE x AS SELECT JSON_ARRAY(SELECT id FROM other) AS ids");
  CHECK(made.since == 16);
  CHECK(made.scans == Names{"public.other"});
  CHECK(one("SELECT * FROM JSON_TABLE((SELECT max(id)::text FROM other), '$' COLUMNS (x int)) j")
            .locks.size() == 1);
  CHECK(one("SELECT * FROM (SELECT id FROM other)").since == 16);
}

TEST_CASE("an older server refuses it, and that is said") {
  auto const effects = one("ALTER TABLE parent ADD CHECK (a > 0) NOT ENFORCED", 17);
  CHECK(effects.since == 18);
  REQUIRE(effects.assumed.size() == 1);
  CHECK(effects.assumed[0].find("before version 18 refuses it") != std::string::npos);
  CHECK(one("ALTER TABLE parent ADD CHECK (a > 0)").since == 0);
}

TEST_CASE("NOT NULL of the table comes and goes with its constraint") {
  auto const not_null = [](std::string const& sql) {
    auto const catalog = replay({.text = sql}, shop()).catalog;
    return catalog.find({"public", "child"})->column("a")->not_null;
  };
  CHECK(not_null("ALTER TABLE parent ADD CONSTRAINT n NOT NULL a"));
  CHECK_FALSE(not_null("ALTER TABLE parent ADD CONSTRAINT n NOT NULL a NO INHERIT"));
  CHECK(
      not_null("ALTER TABLE parent ADD CONSTRAINT n NOT NULL a NO INHERIT;"
               "ALTER TABLE parent ALTER CONSTRAINT n INHERIT"));
  CHECK_FALSE(
      not_null("ALTER TABLE parent ADD CONSTRAINT n NOT NULL a;"
               "ALTER TABLE parent DROP CONSTRAINT n"));
}

TEST_CASE("what stays unknown is told as not analysed, and the rest of the script is judged") {
  auto const all = told(std::string("ALTER TABLE parent ADD x int; ") + unknown +
                        "; ALTER TABLE parent ALTER a SET NOT NULL");
  REQUIRE(all.size() == 3);
  CHECK(all[0].effects.analysed);
  CHECK_FALSE(all[1].effects.analysed);
  CHECK(all[1].statement.kind == "SELECT");
  CHECK(all[2].effects.scans == Names{"public.child", "public.parent"});
}

TEST_CASE("a plan for newer servers alone takes SQL that only they can judge") {
  auto const older = read_plan(plan_text(">=15", unknown), "p.yaml");
  CHECK_FALSE(older.plan);
  auto const any = read_plan(plan_text("", unknown), "p.yaml");
  REQUIRE(any.findings.size() == 1);
  CHECK(any.findings[0].rule == "sql/syntax");
  CHECK(any.findings[0].fix.find("database: {version") != std::string::npos);

  auto const newer = read_plan(plan_text(">=17", unknown), "p.yaml");
  auto const& plan = plan_of(newer);
  REQUIRE(newer.findings.size() == 1);
  CHECK(newer.findings[0].rule == "sql/not-analysed");
  CHECK(newer.findings[0].severity == Severity::warning);
  auto const unread = unread_sql(plan);
  REQUIRE(unread.size() == 1);
  CHECK(unread[0].where == "expand/s");
  CHECK(unread[0].sql.text == unknown);
}

TEST_CASE("what cannot stand in a transaction has to be read") {
  auto const read = read_plan(plan_text(">=17", "VACUUM (FULL) t WITH MAGIC"), "p.yaml");
  CHECK_FALSE(read.plan);
}
