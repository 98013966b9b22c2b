// Effects where no catalog, or only part of one, is known; and what they mean for people.
#include "planner/effects.h"

#include <algorithm>

#include <doctest/doctest.h>

using namespace runbookd::planner;

namespace {

Effects told(std::string const& sql, int major = 15) {
  auto explanation = explain({.text = sql}, {}, major);
  REQUIRE(!explanation.statements.empty());
  return explanation.statements.back().effects;
}

bool mentions(std::vector<std::string> const& sentences, std::string const& words) {
  return std::ranges::any_of(sentences,
                             [&](auto const& one) { return one.find(words) != std::string::npos; });
}

bool mentions(std::vector<Consequence> const& all, std::string const& what) {
  return std::ranges::any_of(
      all, [&](auto const& one) { return one.what.find(what) != std::string::npos; });
}

}  // namespace

TEST_CASE("without a catalog the answer says what it took for granted") {
  auto const effects = told("ALTER TABLE orders ALTER COLUMN amount TYPE bigint");
  CHECK(effects.rewrites == std::vector<std::string>{"public.orders"});
  CHECK(mentions(effects.assumed, "public.orders is taken for a table"));
  CHECK(mentions(effects.assumed, "type that public.orders.amount has now is not known"));
  CHECK_FALSE(effects.locks.front().only);
}

TEST_CASE("a statement sees what those before it in the script did") {
  auto const effects = told(
      "CREATE TABLE t (id int PRIMARY KEY, v varchar(10)); CREATE TABLE u (t int REFERENCES t);"
      "DROP TABLE u");
  CHECK(effects.blocks_reads() == std::vector<std::string>{"public.t", "public.u"});
  CHECK(effects.dropped == std::vector<std::string>{"public.u"});
  CHECK(effects.assumed.empty());
}

TEST_CASE("apply gives the catalog for the statement that follows") {
  auto const catalog = apply({}, {.sql = {.text = "CREATE TABLE t (id int, v varchar(10))"}});
  auto const widened =
      effects_of({.sql = {.text = "ALTER TABLE t ALTER v TYPE varchar(20)"}}, catalog, 15);
  CHECK(widened.rewrites.empty());
  CHECK(widened.blocks_reads() == std::vector<std::string>{"public.t"});
  auto const narrowed =
      effects_of({.sql = {.text = "ALTER TABLE t ALTER v TYPE varchar(5)"}}, catalog, 15);
  CHECK(narrowed.rewrites == std::vector<std::string>{"public.t"});
}

TEST_CASE(
    "a CHECK that proves it spares SET NOT NULL its scan, and one that is not valid does not") {
  auto const script = [](std::string const& end) {
    return "CREATE TABLE t (v int); ALTER TABLE t ADD CONSTRAINT c CHECK (v IS NOT NULL) NOT "
           "VALID;" +
           end + "ALTER TABLE t ALTER v SET NOT NULL";
  };
  CHECK(told(script("")).scans == std::vector<std::string>{"public.t"});
  CHECK(told(script("ALTER TABLE t VALIDATE CONSTRAINT c;")).scans.empty());
}

TEST_CASE("what is lost and what breaks is named") {
  auto const effects = told("CREATE TABLE t (id int, v int); ALTER TABLE t DROP COLUMN v");
  CHECK(mentions(effects.destructive, "column public.t.v"));
  CHECK(mentions(effects.breaks_old_app, "column public.t.v"));
  CHECK(mentions(told("ALTER TABLE nobody_knows DROP COLUMN v").destructive,
                 "column public.nobody_knows.v"));
  CHECK(told("CREATE TABLE t (id int); ALTER TABLE t DROP COLUMN IF EXISTS v").destructive.empty());
  CHECK(mentions(told("CREATE TABLE t (v int); TRUNCATE t").destructive, "rows of public.t"));
  CHECK(told("CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN v int").destructive.empty());
}

TEST_CASE("code that runs is opaque, and what stands in its text is told") {
  auto const effects = told(
      "CREATE TABLE t (id int); DO $$BEGIN IF true THEN ALTER TABLE t ADD COLUMN x int; END IF; "
      "END$$");
  CHECK(effects.opaque);
  CHECK(effects.blocks_reads() == std::vector<std::string>{"public.t"});
  CHECK(told("DO $$BEGIN EXECUTE 'DROP TABLE t'; END$$").opaque);
  CHECK(told("DO $$BEGIN UPDATE t SET x = 1; COMMIT; END$$").transactional == false);
}

TEST_CASE("functions that call each other come to an end") {
  auto const effects = told(
      "CREATE TABLE t (id int);"
      "CREATE FUNCTION a() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM b(); RETURN 1; END';"
      "CREATE FUNCTION b() RETURNS int LANGUAGE plpgsql AS "
      "'BEGIN DELETE FROM t; PERFORM a(); RETURN 1; END';"
      "SELECT a()");
  CHECK(effects.opaque);
  REQUIRE(effects.locks.size() == 1);
  CHECK(effects.locks.front().mode == LockMode::row_exclusive);
}

TEST_CASE("what only newer servers know is not analysed, and the rest of the script is") {
  auto const explanation = explain(
      {.text = "CREATE TABLE t (v int);\nSELECT 1 FROM GRAPH_TABLE (g MATCH (a) COLUMNS (a.id));\n"
               "DROP TABLE t;",
       .place = {.line = 1, .column = 1}},
      {}, 18);
  REQUIRE(explanation.statements.size() == 3);
  CHECK_FALSE(explanation.statements[1].effects.analysed);
  CHECK(explanation.statements[1].statement.sql.place.line == 2);
  CHECK(explanation.statements[2].effects.dropped == std::vector<std::string>{"public.t"});
  CHECK(explanation.findings.size() == 1);
}

TEST_CASE("the time zone decides whether timestamps are rewritten") {
  std::string const table = "CREATE TABLE t (at timestamp);";
  std::string const change = "ALTER TABLE t ALTER at TYPE timestamptz";
  CHECK(told(table + change).rewrites.empty());
  CHECK(told(table + "SET TimeZone = 'Europe/Berlin';" + change).rewrites.size() == 1);
}

TEST_CASE("a dump of pg_dump is read: its psql lines and its empty search path") {
  auto const explanation =
      explain({.text = "\\restrict 1abc\nSELECT pg_catalog.set_config('search_path', '', false);\n"
                       "CREATE TABLE public.t (id integer NOT NULL);\n"
                       "ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n"
                       "\\unrestrict 1abc\n"},
              {}, 15);
  CHECK(explanation.findings.empty());
  REQUIRE(explanation.statements.size() == 3);
  CHECK(explanation.statements[2].effects.scans == std::vector<std::string>{"public.t"});
}

TEST_CASE("lock modes conflict as PostgreSQL's table says") {
  CHECK(conflict(LockMode::access_share, LockMode::access_exclusive));
  CHECK_FALSE(conflict(LockMode::access_share, LockMode::exclusive));
  CHECK(conflict(LockMode::share_update_exclusive, LockMode::share_update_exclusive));
  CHECK_FALSE(conflict(LockMode::share, LockMode::share));
  CHECK_FALSE(conflict(LockMode::row_exclusive, LockMode::row_exclusive));
  for (int one = 0; one < 8; ++one) {
    for (int other = 0; other < 8; ++other) {
      auto const a = static_cast<LockMode>(one), b = static_cast<LockMode>(other);
      CHECK(conflict(a, b) == conflict(b, a));
    }
  }
}

TEST_CASE("names are quoted where SQL needs it, and only there") {
  CHECK(to_sql({"public", "orders"}) == "public.orders");
  CHECK(to_sql({"Sales", "Order \"Items\""}) == "\"Sales\".\"Order \"\"Items\"\"\"");
  CHECK(to_sql({"public", "user"}) == "public.\"user\"");
  CHECK(to_sql({"public", "größe"}) == "public.\"größe\"");
}

TEST_CASE("a table is estimated by its size, and nothing is estimated without one") {
  Catalog catalog;
  catalog.complete = true;
  Relation table{.name = {"public", "t"}};
  table.columns = {{.name = "v", .type = {.name = "int4"}}};
  table.bytes = 60'000'000'000;
  table.heap_bytes = 40'000'000'000;
  catalog.put(table);
  Statement const rewrite{.sql = {.text = "ALTER TABLE t ALTER v TYPE bigint"}};
  Statement const scan{.sql = {.text = "ALTER TABLE t ADD CHECK (v > 0)"}};
  Statement const light{.sql = {.text = "ALTER TABLE t ADD COLUMN w int"}};
  CHECK(effects_of(rewrite, catalog, 15).hold_ms > effects_of(scan, catalog, 15).hold_ms);
  CHECK(effects_of(scan, catalog, 15).hold_ms > 1000);
  CHECK(effects_of(light, catalog, 15).hold_ms == 0);
  table.bytes = table.heap_bytes = -1;
  catalog.put(table);
  CHECK(effects_of(scan, catalog, 15).hold_ms == -1);
}
