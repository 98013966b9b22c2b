#include "planner/sql.h"

#include <algorithm>
#include <cstdint>

#include <doctest/doctest.h>

using namespace runbookd::planner;

namespace {

SqlText script(std::string text) {
  return {.text = std::move(text), .place = {"plan.yaml", 10, 5}, .indent = 4};
}
ReadSql read(std::string text) { return read_sql(script(std::move(text))); }

Statement only(std::string text) {
  auto const result = read(std::move(text));
  REQUIRE(result.statements.size() == 1);
  return result.statements[0];
}
std::vector<Need> needs(std::string text) { return needs_of(only(std::move(text))); }

bool found(Findings const& findings, std::string_view rule) {
  return std::ranges::any_of(findings, [&](Finding const& one) { return one.rule == rule; });
}
using Names = std::vector<std::pair<std::string, std::string>>;
using Kind = Need::Kind;

}  // namespace

TEST_SUITE("splitting") {
  TEST_CASE("a script is split where the server would split it") {
    auto const result = read("SELECT ';'; SELECT $$;$$ -- ;\n; /* ; */ SELECT 3;;");
    REQUIRE(result.statements.size() == 3);
    CHECK(result.statements[0].sql.text == "SELECT ';'");
    CHECK(result.statements[1].sql.text == "SELECT $$;$$ -- ;");
    CHECK(result.statements[2].sql.text == "SELECT 3");
    CHECK(result.findings.empty());
  }
  TEST_CASE("the body of an SQL function does not end at its first semicolon") {
    CHECK(read("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; "
               "SELECT 3")
              .statements.size() == 2);
  }
  TEST_CASE("a statement's place is its first word, past blanks and comments") {
    auto const result = read("SELECT 1;\n-- why\n  /* really */ SELECT 2");
    CHECK(result.statements[1].sql.place == Place{"plan.yaml", 12, 20});
    CHECK(result.statements[1].sql.text == "SELECT 2");
  }
  TEST_CASE("characters of several bytes do not shift what follows") {
    auto const result = read("SELECT 'äöü€𝄞'; SELECT 'Ω' AS größe");
    REQUIRE(result.statements.size() == 2);
    CHECK(result.statements[0].sql.text == "SELECT 'äöü€𝄞'");
    CHECK(result.statements[1].sql.text == "SELECT 'Ω' AS größe");
    CHECK(result.statements[1].sql.place == Place{"plan.yaml", 10, 21});
  }
  TEST_CASE("a planner hint stays with its statement") {
    CHECK(only("/*+ SeqScan(t) */ SELECT 1").sql.text == "/*+ SeqScan(t) */ SELECT 1");
  }
  TEST_CASE("a script of nothing but comments is empty") {
    CHECK(found(read("-- later\n").findings, "sql/empty"));
    CHECK(found(read("").findings, "sql/empty"));
  }
}

TEST_SUITE("errors in SQL") {
  TEST_CASE("a syntax error carries the server parser's words and the author's place") {
    auto const result = read("SELECT 'äöü', 1;\nSELECT 'ß' froom x");
    REQUIRE(result.findings.size() == 1);
    CHECK(result.findings[0].rule == "sql/syntax");
    CHECK(result.findings[0].message == "syntax error at or near \"x\"");
    CHECK(result.findings[0].place == Place{"plan.yaml", 11, 22});
    CHECK(result.statements.empty());
  }
  TEST_CASE("every statement with a syntax error is reported") {
    auto const result = read("SELEC 1;\nSELECT 2;\nSELECT FROM WHERE;\nUPDTE x");
    REQUIRE(result.findings.size() == 3);
    CHECK(result.findings[0].place.line == 10);
    CHECK(result.findings[1].place == Place{"plan.yaml", 12, 17});
    CHECK(result.findings[2].place.line == 13);
  }
  TEST_CASE("an unfinished statement is reported at its end") {
    auto const result = read("SELECT 1 FROM");
    CHECK(result.findings.at(0).message == "syntax error at end of input");
    CHECK(result.findings.at(0).place == Place{"plan.yaml", 10, 18});
  }
  TEST_CASE("an unfinished quotation is reported where it begins") {
    CHECK(read("SELECT 'abc").findings.at(0).place == Place{"plan.yaml", 10, 12});
  }
  TEST_CASE("UPDATE with LIMIT is answered with a backfill step") {
    for (auto const* text :
         {"UPDATE users SET a = 1 WHERE a IS NULL LIMIT 1000", "SELECT 1; DELETE FROM t LIMIT 5"}) {
      auto const result = read(text);
      REQUIRE(result.findings.size() == 1);
      CHECK(result.findings[0].rule == "sql/syntax");
      CHECK(result.findings[0].fix.find("backfill step") != std::string::npos);
    }
  }
  TEST_CASE("UPDATE with LIMIT is found inside a DO block, at its own line") {
    auto const result =
        read("DO $$\nBEGIN\n  LOOP\n    UPDATE t SET a = 1\n    LIMIT 10;\n  END LOOP;\nEND $$");
    REQUIRE(result.findings.size() == 1);
    CHECK(result.findings[0].place == Place{"plan.yaml", 14, 9});
    CHECK(result.findings[0].fix.find("backfill step") != std::string::npos);
  }
  TEST_CASE("the procedural language's own words are no errors") {
    CHECK(read("DO $$ DECLARE n int; BEGIN UPDATE t SET a = 1 RETURNING a INTO n; END $$")
              .findings.empty());
  }
  TEST_CASE("a psql command is named as one") {
    auto const result = read("SELECT 1;\n\\d users\nSELECT 2;");
    REQUIRE(result.findings.size() == 1);
    CHECK(result.findings[0].rule == "sql/psql-command");
    CHECK(result.findings[0].place == Place{"plan.yaml", 11, 5});
  }
  TEST_CASE("COPY through the client is refused, not its data") {
    for (auto const* text :
         {"COPY t FROM STDIN;\n1\t2\n\\.\n", "COPY t FROM STDIN", "COPY t TO STDOUT"}) {
      auto const result = read(text);
      REQUIRE(result.findings.size() == 1);
      CHECK(result.findings[0].rule == "sql/copy-client");
    }
    CHECK(read("COPY t FROM '/srv/t.csv'").findings.empty());
  }
  TEST_CASE("a NUL byte and broken UTF-8 are refused before the parser sees them") {
    CHECK(found(read(std::string("SELECT 1;\0DROP TABLE t", 22)).findings, "sql/nul-byte"));
    CHECK(found(read("SELECT '\xC3").findings, "sql/encoding"));
    CHECK(found(read("SELECT '\xFF'").findings, "sql/encoding"));
    CHECK(found(read("SELECT '\xE2\x28\xA1'").findings, "sql/encoding"));
  }
  TEST_CASE("an expression too deep for the parser's stack is refused") {
    std::string chain = "SELECT 1";
    for (int i = 0; i < 200'000; ++i) {
      chain += "+1";
    }
    CHECK(found(read(chain).findings, "sql/too-deep"));
  }
  TEST_CASE("many rows in one INSERT are not deep") {
    std::string insert = "INSERT INTO t VALUES (1, 'a')";
    for (int i = 0; i < 20'000; ++i) {
      insert += ", (1, 'a')";
    }
    CHECK(read(insert).findings.empty());
  }
}

TEST_SUITE("transactions") {
  TEST_CASE("transaction control has no place in a step") {
    for (auto const* text :
         {"BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE a",
          "ROLLBACK TO a", "PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'"}) {
      CAPTURE(std::string(text));
      CHECK(found(read(text).findings, "sql/transaction-control"));
    }
  }
  TEST_CASE("COMMIT inside a DO block is found before the server refuses it") {
    auto const result = read("DO $$ BEGIN\nUPDATE t SET a = 1;\nCOMMIT;\nEND $$");
    REQUIRE(result.findings.size() == 1);
    CHECK(result.findings[0].rule == "sql/transaction-control");
    CHECK(result.findings[0].place.line == 12);
  }
  TEST_CASE("BEGIN, CREATE INDEX CONCURRENTLY and COMMIT get one finding each") {
    auto const result = read(
        "BEGIN;\nALTER TABLE t ADD COLUMN a int;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;");
    REQUIRE(result.findings.size() == 3);
    CHECK(result.findings[0].rule == "sql/transaction-control");
    CHECK(result.findings[1].rule == "sql/not-transactional-with-others");
    CHECK(result.findings[1].place.line == 12);
    CHECK(result.findings[2].place.line == 13);
  }
  TEST_CASE("a statement that needs no transaction may stand alone") {
    CHECK(read("CREATE INDEX CONCURRENTLY i ON t (a);").findings.empty());
  }
}

TEST_CASE(
    "each statement knows its kind, whether a transaction may hold it, and whether shapes change") {
  struct Row {
    char const* sql;
    char const* kind;
    bool transactional, changes_schema;
  };
  constexpr Row rows[] = {
      {"create index on t (a)", "CREATE INDEX", true, true},
      {"create unique index concurrently i on s.t (a)", "CREATE INDEX CONCURRENTLY", false, true},
      {"drop index a, b", "DROP INDEX", true, true},
      {"drop index concurrently if exists a", "DROP INDEX CONCURRENTLY", false, true},
      {"reindex index a", "REINDEX INDEX", true, true},
      {"reindex (concurrently) table a", "REINDEX TABLE CONCURRENTLY", false, true},
      {"reindex (concurrently off) table a", "REINDEX TABLE", true, true},
      {"reindex schema a", "REINDEX SCHEMA", false, true},
      {"reindex database a", "REINDEX DATABASE", false, true},
      {"reindex system a", "REINDEX SYSTEM", false, true},
      {"alter table a add b int", "ALTER TABLE", true, true},
      {"alter table a detach partition b", "ALTER TABLE", true, true},
      {"alter table a detach partition b finalize", "ALTER TABLE", true, true},
      {"alter table a detach partition b concurrently", "ALTER TABLE DETACH PARTITION CONCURRENTLY",
       false, true},
      {"alter table a rename to b", "ALTER TABLE RENAME", true, true},
      {"alter table a rename b to c", "ALTER TABLE RENAME COLUMN", true, true},
      {"alter table a rename constraint b to c", "ALTER TABLE RENAME CONSTRAINT", true, true},
      {"alter materialized view a set schema b", "ALTER MATERIALIZED VIEW", true, true},
      {"vacuum", "VACUUM", false, false},
      {"vacuum (analyze, full false) t", "VACUUM", false, false},
      {"analyze t", "ANALYZE", true, false},
      {"cluster", "CLUSTER", false, true},
      {"cluster t using i", "CLUSTER", true, true},
      {"create database d", "CREATE DATABASE", false, true},
      {"drop database d", "DROP DATABASE", false, true},
      {"alter database d set tablespace t", "ALTER DATABASE", false, true},
      {"alter database d set work_mem = '1MB'", "ALTER DATABASE", true, true},
      {"create tablespace t location '/t'", "CREATE TABLESPACE", false, true},
      {"drop tablespace t", "DROP TABLESPACE", false, true},
      {"alter system set work_mem = '1MB'", "ALTER SYSTEM", false, false},
      {"discard all", "DISCARD", false, false},
      {"create subscription s connection '' publication p", "CREATE SUBSCRIPTION", false, true},
      {"create subscription s connection '' publication p with (create_slot = false)",
       "CREATE SUBSCRIPTION", true, true},
      {"create subscription s connection '' publication p with (connect = false)",
       "CREATE SUBSCRIPTION", true, true},
      {"alter subscription s refresh publication", "ALTER SUBSCRIPTION", false, true},
      {"alter subscription s set publication p", "ALTER SUBSCRIPTION", false, true},
      {"alter subscription s set publication p with (refresh = off)", "ALTER SUBSCRIPTION", true,
       true},
      {"alter subscription s disable", "ALTER SUBSCRIPTION", true, true},
      {"drop subscription s", "DROP SUBSCRIPTION", false, true},
      {"call p()", "CALL", true, true},
      {"do 'begin end'", "DO", true, true},
      {"create table t (a int)", "CREATE TABLE", true, true},
      {"create table t as select 1", "CREATE TABLE AS", true, true},
      {"create materialized view t as select 1", "CREATE MATERIALIZED VIEW", true, true},
      {"create or replace view v as select 1", "CREATE VIEW", true, true},
      {"create publication p for all tables", "CREATE PUBLICATION", true, true},
      {"create extension e", "CREATE EXTENSION", true, true},
      {"create aggregate s (int) (sfunc = int4pl, stype = int)", "CREATE AGGREGATE", true, true},
      {"alter type m add value 'x'", "ALTER TYPE", true, true},
      {"comment on table t is 'x'", "COMMENT", true, true},
      {"grant select on t to r", "GRANT", true, true},
      {"revoke r from q", "REVOKE", true, true},
      {"refresh materialized view concurrently m", "REFRESH MATERIALIZED VIEW", true, true},
      {"select 1", "SELECT", true, false},
      {"values (1)", "SELECT", true, false},
      {"select 1 into t", "SELECT", true, true},
      {"insert into t values (1)", "INSERT", true, false},
      {"update t set a = 1", "UPDATE", true, false},
      {"delete from t", "DELETE", true, false},
      {"merge into t using u on true when matched then delete", "MERGE", true, false},
      {"truncate t", "TRUNCATE", true, false},
      {"copy t from '/t'", "COPY", true, false},
      {"explain analyze delete from t", "EXPLAIN", true, false},
      {"explain analyze create table t as select 1", "EXPLAIN", true, true},
      {"lock table t", "LOCK", true, false},
      {"set local work_mem = '1MB'", "SET", true, false},
      {"reset all", "RESET", true, false},
      {"show work_mem", "SHOW", true, false},
      {"notify c", "NOTIFY", true, false},
  };
  for (auto const& row : rows) {
    CAPTURE(std::string(row.sql));
    auto const statement = only(row.sql);
    CHECK(statement.kind == row.kind);
    CHECK(statement.transactional == row.transactional);
    CHECK(statement.changes_schema == row.changes_schema);
  }
}

TEST_SUITE("queries of checks") {
  static Findings check(std::string text, bool expects_error = false) {
    return check_query_findings(script(std::move(text)), expects_error);
  }
  TEST_CASE("reading statements are welcome") {
    for (auto const* text : {"SELECT count(*) FROM t", "WITH a AS (SELECT 1) SELECT * FROM a",
                             "VALUES (1)", "TABLE t", "SHOW server_version", "EXPLAIN SELECT 1"}) {
      CAPTURE(std::string(text));
      CHECK(check(text).empty());
    }
  }
  TEST_CASE("a check is exactly one statement") {
    CHECK(found(check("SELECT 1; SELECT 2"), "sql/one-statement"));
    CHECK(found(check(" -- nothing"), "sql/empty"));
    CHECK(check("SELECT 1;").empty());
  }
  TEST_CASE("an obviously writing check is refused, also where the writing hides") {
    for (auto const* text :
         {"UPDATE t SET a = 1", "CREATE TABLE t (a int)", "SELECT 1 INTO t",
          "SELECT * FROM t FOR UPDATE", "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
          "EXPLAIN ANALYZE DELETE FROM t", "DO ''"}) {
      CAPTURE(std::string(text));
      CHECK(found(check(text), "sql/check-writes"));
    }
  }
  TEST_CASE("a probe that expects an error may write") {
    CHECK(check("INSERT INTO t VALUES (NULL)", true).empty());
  }
  TEST_CASE("a probe must be something that a rollback undoes") {
    CHECK(
        found(check("CREATE INDEX CONCURRENTLY i ON t (a)", true), "sql/probe-not-transactional"));
    CHECK(found(check("COMMIT", true), "sql/transaction-control"));
  }
}

TEST_SUITE("the parts of a backfill") {
  static BackfillAction backfill() {
    return {.table = "s.users",
            .set = {{"org_id", "accounts.organisation_id"}},
            .from = "accounts",
            .where = "users.account_id = accounts.id AND users.org_id IS NULL",
            .place = {"plan.yaml", 7, 3}};
  }
  TEST_CASE("a sound backfill has no findings") { CHECK(backfill_findings(backfill()).empty()); }
  TEST_CASE("DEFAULT is a value to set") {
    auto action = backfill();
    action.set = {{"\"Org\"", "DEFAULT"}};
    CHECK(backfill_findings(action).empty());
  }
  TEST_CASE("a syntax error names its key and its place in it") {
    auto action = backfill();
    action.where = "a = = 1";
    auto const findings = backfill_findings(action);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].message ==
          "`where` of the backfill: syntax error at or near \"=\" (at character 5 of it)");
    CHECK(findings[0].place.line == 7);
  }
  TEST_CASE("no part may break out of its place") {
    for (auto const* where :
         {"true; DROP TABLE users", "true RETURNING *", "a) OR (b", "true -- rest"}) {
      CAPTURE(std::string(where));
      auto action = backfill();
      action.where = where;
      CHECK(backfill_findings(action).size() == 1);
    }
    for (auto const* value : {"1, b = 2", "1 WHERE true", "1 FROM x", "1 -- rest", "1; SELECT 1"}) {
      CAPTURE(std::string(value));
      auto action = backfill();
      action.set[0].second = value;
      CHECK(backfill_findings(action).size() == 1);
    }
    for (auto const* from : {"accounts WHERE true", "accounts; SELECT 1", "accounts RETURNING 1"}) {
      CAPTURE(std::string(from));
      auto action = backfill();
      action.from = from;
      CHECK(backfill_findings(action).size() == 1);
    }
  }
  TEST_CASE("the table is a table, the column a column") {
    auto action = backfill();
    action.table = "users u";
    action.set[0].first = "a = 1, b";
    CHECK(backfill_findings(action).size() == 2);
    action.table = "users *";
    CHECK(backfill_findings(action).size() == 2);
    action.table = "ONLY users";
    action.set[0].first = "a[1]";
    CHECK(backfill_findings(action).size() == 2);
  }
}

TEST_SUITE("rights") {
  TEST_CASE("changing a table asks for its owner") {
    CHECK(needs("ALTER TABLE s.t ADD a int") == std::vector<Need>{{Kind::owner, "s", "t"}});
    CHECK(needs("DROP TRIGGER x ON s.t") == std::vector<Need>{{Kind::owner, "s", "t"}});
    CHECK(needs("COMMENT ON COLUMN s.t.a IS 'x'") == std::vector<Need>{{Kind::owner, "s", "t"}});
    CHECK(needs("ALTER TABLE t RENAME a TO b") == std::vector<Need>{{Kind::owner, "", "t"}});
    CHECK(needs("ALTER TABLE p ATTACH PARTITION q DEFAULT") ==
          std::vector<Need>{{Kind::owner, "", "p"}, {Kind::owner, "", "q"}});
  }
  TEST_CASE("dropping and maintaining ask for what somebody else may have as well") {
    CHECK(needs("DROP TABLE t, s.u") ==
          std::vector<Need>{{Kind::drop, "", "t"}, {Kind::drop, "s", "u"}});
    CHECK(needs("REINDEX TABLE t") == std::vector<Need>{{Kind::maintain, "", "t"}});
    CHECK(needs("VACUUM t") == std::vector<Need>{{Kind::vacuum, "", "t"}});
  }
  TEST_CASE("making something asks for its schema") {
    CHECK(needs("CREATE TABLE s.t (a int)") ==
          std::vector<Need>{{Kind::create_in_schema, "s", ""}});
    CHECK(needs("CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1'") ==
          std::vector<Need>{{Kind::create_in_schema, "s", ""}});
    CHECK(needs("CREATE INDEX i ON s.t (a)") ==
          std::vector<Need>{{Kind::owner, "s", "t"}, {Kind::create_in_schema, "s", ""}});
    CHECK(needs("CREATE TEMP TABLE t (a int)").empty());
  }
  TEST_CASE("an index, a key and a new name go where their table is") {
    for (auto const* text : {"CREATE INDEX i ON t (a)", "ALTER TABLE t ADD UNIQUE (a)",
                             "ALTER TABLE t ADD b int PRIMARY KEY", "ALTER TABLE t RENAME TO u"}) {
      CAPTURE(std::string(text));
      CHECK(needs(text) ==
            std::vector<Need>{{Kind::owner, "", "t"}, {Kind::create_in_schema, "", "t"}});
    }
    CHECK(needs("ALTER TABLE t ADD UNIQUE USING INDEX i") ==
          std::vector<Need>{{Kind::owner, "", "t"}});
  }
  TEST_CASE("a foreign key asks for its columns of the other table, wherever it is written") {
    Need const of_column{Kind::references, "", "u", "id"};
    for (auto const* text : {"ALTER TABLE t ADD a int REFERENCES u (id)",
                             "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id)",
                             "CREATE TABLE s.t (a int REFERENCES u (id))",
                             "CREATE TABLE s.t (a int, FOREIGN KEY (a) REFERENCES u (id))"}) {
      CAPTURE(std::string(text));
      auto const asked = needs(text);
      CHECK(std::ranges::find(asked, of_column) != asked.end());
    }
    CHECK(needs("CREATE TABLE t (a int REFERENCES t)") ==
          std::vector<Need>{{Kind::create_in_schema, "", ""}});
  }
  TEST_CASE("changing rows asks for the right of that change, on the columns that it names") {
    CHECK(needs("INSERT INTO t SELECT * FROM u") ==
          std::vector<Need>{{Kind::insert, "", "t"}, {Kind::select, "", "u"}});
    CHECK(needs("INSERT INTO t (b) VALUES (1)") == std::vector<Need>{{Kind::insert, "", "t", "b"}});
    CHECK(needs("UPDATE s.t SET a = 1") == std::vector<Need>{{Kind::update, "s", "t", "a"}});
    CHECK(needs("UPDATE t SET a = b") ==
          std::vector<Need>{{Kind::update, "", "t", "a"}, {Kind::select, "", "t"}});
    CHECK(needs("DELETE FROM t WHERE a = 1") ==
          std::vector<Need>{{Kind::remove, "", "t"}, {Kind::select, "", "t"}});
    CHECK(needs("TRUNCATE t") == std::vector<Need>{{Kind::truncate, "", "t"}});
    CHECK(needs("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1") ==
          std::vector<Need>{{Kind::insert, "", "t"}, {Kind::update, "", "t", "b"}});
  }
  TEST_CASE("types, functions and schemas have owners too") {
    CHECK(needs("ALTER TYPE s.mood ADD VALUE 'x'") ==
          std::vector<Need>{{Kind::own_type, "s", "mood"}});
    CHECK(needs("DROP FUNCTION f(int)") == std::vector<Need>{{Kind::own_function, "", "f"}});
    CHECK(needs("DROP SCHEMA s") == std::vector<Need>{{Kind::own_schema, "", "s"}});
    CHECK(needs("DROP TYPE s.mood") == std::vector<Need>{{Kind::own_type, "s", "mood"}});
  }
  TEST_CASE("a role that a statement takes holds for the next ones") {
    CHECK(role_set_by(only("SET ROLE owner")) == "owner");
    CHECK(role_set_by(only("SET LOCAL ROLE owner")) == "owner");
    CHECK(role_set_by(only("RESET ROLE")) == "");
    CHECK(role_set_by(only("SET ROLE NONE")) == "");
    CHECK_FALSE(role_set_by(only("SET search_path = s")));
  }
  TEST_CASE("the names of WITH are no tables, and neither are the aliases of FOR UPDATE") {
    CHECK(needs("WITH u AS (SELECT * FROM t) SELECT * FROM u x FOR UPDATE OF x") ==
          std::vector<Need>{{Kind::select, "", "t"}});
  }
  TEST_CASE("what a statement makes is told, also by renaming and moving") {
    CHECK(created_by(only("CREATE TABLE s.t (a int)")) == Names{{"s", "t"}});
    CHECK(created_by(only("CREATE INDEX i ON s.t (a)")) == Names{{"s", "i"}});
    CHECK(created_by(only("CREATE INDEX ON t (a)")).empty());
    CHECK(created_by(only("ALTER TABLE s.t RENAME TO u")) == Names{{"s", "u"}});
    CHECK(created_by(only("ALTER TABLE s.t SET SCHEMA z")) == Names{{"z", "t"}});
    CHECK(created_by(only("SELECT 1 AS a INTO t")) == Names{{"", "t"}});
    CHECK(created_by(only("CREATE SCHEMA s CREATE TABLE t (a int)")) == Names{{"s", "t"}});
    CHECK(created_by(only("ALTER TABLE t RENAME a TO b")).empty());
  }
}

TEST_SUITE("statements outside transactions") {
  using Kind = Outside::Kind;
  struct Row {
    char const* sql;
    Outside outside;
  };

  TEST_CASE("each tells what it is about") {
    Row const rows[] = {
        {"CREATE INDEX CONCURRENTLY IF NOT EXISTS \"I\" ON s.t (a)",
         {Kind::create_index, "s", "I", "s", "t", {}}},
        {"DROP INDEX CONCURRENTLY s.i", {Kind::drop_index, "s", "i", "", "", {}}},
        {"DROP INDEX CONCURRENTLY i", {Kind::drop_index, "", "i", "", "", {}}},
        {"REINDEX INDEX CONCURRENTLY s.i", {Kind::reindex_index, "s", "i", "", "", {}}},
        {"REINDEX (CONCURRENTLY) TABLE t", {Kind::reindex_table, "", "t", "", "", {}}},
        {"REINDEX SCHEMA CONCURRENTLY s", {Kind::reindex_many, "", "s", "", "", {}}},
        {"REINDEX DATABASE CONCURRENTLY d", {Kind::reindex_many, "", "", "", "", {}}},
        {"REINDEX SCHEMA s", {Kind::maintenance, "", "", "", "", {}}},
        {"ALTER TABLE a.p DETACH PARTITION b.q CONCURRENTLY",
         {Kind::detach, "b", "q", "a", "p", {}}},
        {"VACUUM t", {Kind::maintenance, "", "", "", "", {}}},
        {"CLUSTER", {Kind::maintenance, "", "", "", "", {}}},
        {"DISCARD ALL", {Kind::maintenance, "", "", "", "", {}}},
        {"CREATE DATABASE d", {Kind::create_database, "", "d", "", "", {}}},
        {"DROP DATABASE IF EXISTS d", {Kind::drop_database, "", "d", "", "", {}}},
        {"ALTER DATABASE d SET TABLESPACE \"T\"", {Kind::move_database, "", "d", "", "", "T"}},
        {"ALTER SYSTEM SET work_mem = '1MB'", {Kind::alter_system, "", "work_mem", "", "", "1MB"}},
        {"ALTER SYSTEM SET work_mem = 100", {Kind::alter_system, "", "work_mem", "", "", "100"}},
        {"ALTER SYSTEM SET seq_page_cost = 0.5",
         {Kind::alter_system, "", "seq_page_cost", "", "", "0.5"}},
        {"ALTER SYSTEM SET log_checkpoints = on",
         {Kind::alter_system, "", "log_checkpoints", "", "", "on"}},
        {"ALTER SYSTEM SET vacuum_cost_delay = 0",
         {Kind::alter_system, "", "vacuum_cost_delay", "", "", "0"}},
        {"ALTER SYSTEM SET DateStyle = iso, dmy",
         {Kind::alter_system, "", "datestyle", "", "", "iso, dmy"}},
        {"ALTER SYSTEM RESET work_mem", {Kind::alter_system, "", "work_mem", "", "", {}}},
        {"ALTER SYSTEM SET work_mem TO DEFAULT", {Kind::alter_system, "", "work_mem", "", "", {}}},
        {"ALTER SYSTEM RESET ALL", {Kind::alter_system, "", "", "", "", {}}},
        {"CREATE TABLESPACE x LOCATION '/x'", {Kind::create_tablespace, "", "x", "", "", {}}},
        {"DROP TABLESPACE x", {Kind::drop_tablespace, "", "x", "", "", {}}},
        {"CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
         {Kind::create_subscription, "", "s", "", "", {}}},
        {"DROP SUBSCRIPTION s", {Kind::drop_subscription, "", "s", "", "", {}}},
        {"ALTER SUBSCRIPTION s ADD PUBLICATION p", {Kind::alter_subscription, "", "s", "", "", {}}},
        {"ALTER SUBSCRIPTION s REFRESH PUBLICATION", {Kind::maintenance, "", "s", "", "", {}}},
    };
    for (auto const& row : rows) {
      CAPTURE(std::string(row.sql));
      auto const statement = only(row.sql);
      CHECK_FALSE(statement.transactional);
      auto const outside = outside_of(statement);
      REQUIRE(outside);
      CHECK(*outside == row.outside);
    }
  }
  TEST_CASE("a statement that can stand in a transaction is about nothing of the kind") {
    for (auto const* sql :
         {"CREATE INDEX i ON t (a)", "ANALYZE t", "REINDEX TABLE t", "ALTER TYPE m ADD VALUE 'x'",
          "ALTER TABLE p DETACH PARTITION q FINALIZE", "CALL p()",
          "REFRESH MATERIALIZED VIEW CONCURRENTLY m"}) {
      CAPTURE(std::string(sql));
      CHECK_FALSE(outside_of(only(sql)));
    }
  }
  TEST_CASE("a concurrent index build without a name is refused, with the form that works") {
    auto const read = read_sql({.text = "CREATE INDEX CONCURRENTLY ON t (a)"});
    REQUIRE(read.findings.size() == 1);
    CHECK(read.findings[0].rule == "sql/index-without-name");
    CHECK(read.findings[0].fix.find("CREATE INDEX CONCURRENTLY t_<columns>_idx ON t") !=
          std::string::npos);
    CHECK(read_sql({.text = "CREATE INDEX ON t (a)"}).findings.empty());
  }
}

TEST_SUITE("condition names") {
  TEST_CASE("a name gives its SQLSTATE and back") {
    CHECK(sqlstate_of("not_null_violation") == "23502");
    CHECK(condition_of("23502") == "not_null_violation");
    CHECK(sqlstate_of("lock_not_available") == "55P03");
    CHECK(condition_of("40P01") == "deadlock_detected");
  }
  TEST_CASE("a SQLSTATE stays as it is") { CHECK(sqlstate_of("P0001") == "P0001"); }
  TEST_CASE("where a name has several codes, the error of a plain statement is meant") {
    CHECK(sqlstate_of("string_data_right_truncation") == "22001");
    CHECK(sqlstate_of("null_value_not_allowed") == "22004");
  }
  TEST_CASE("what does not exist is empty") {
    CHECK(sqlstate_of("no_such_condition").empty());
    CHECK(sqlstate_of("23 02").empty());
    CHECK(sqlstate_of("successful_completion").empty());
    CHECK(condition_of("ZZZZZ").empty());
  }
}
