// Rollbacks that only the catalog tells, on a real server: each script forward and back, and the
// schema is what it was, rows included.
#include "daemon/target/definitions.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "planner/sql.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

constexpr auto schema = R"sql(
  CREATE SCHEMA "Side"; CREATE SCHEMA tools;
  CREATE FUNCTION tools.same(a text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT a';
  CREATE TYPE mood AS ENUM ('sad', 'it''s', 'glad'); COMMENT ON TYPE mood IS 'how';
  CREATE DOMAIN positive AS int DEFAULT 7 CONSTRAINT above CHECK (VALUE > 0);
  COMMENT ON CONSTRAINT above ON DOMAIN positive IS 'never below';
  CREATE TYPE pair AS (a int, "B" text COLLATE "C"); COMMENT ON COLUMN pair.a IS 'first';
  CREATE TABLE users (id bigint PRIMARY KEY, email varchar(40) NOT NULL DEFAULT 'it''s', age int DEFAULT 1,
    at timestamp(3) DEFAULT now(), price numeric(8,2), "Odd Name" text COLLATE "C", span int4range);
  INSERT INTO users SELECT i, 'u' || i, i % 90, '2026-01-01', i * 1.25, 'o' || i, int4range(i, i + 1) FROM generate_series(1, 300) i;
  CREATE TABLE orders (id bigint, user_id bigint, CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users
    ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
  ALTER TABLE orders ADD CONSTRAINT late CHECK (id > 0) NOT VALID;
  ALTER TABLE orders ADD CONSTRAINT late_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
  ALTER TABLE users ADD CONSTRAINT "Grown Up" CHECK (age >= 0) NO INHERIT;
  ALTER TABLE users ADD CONSTRAINT one_mail UNIQUE (email) INCLUDE (age) WITH (fillfactor = 80) DEFERRABLE;
  ALTER TABLE users ADD CONSTRAINT apart EXCLUDE USING gist (span WITH &&) WHERE (age > 5);
  COMMENT ON CONSTRAINT "Grown Up" ON users IS 'it''s "so"'; COMMENT ON CONSTRAINT one_mail ON users IS 'one';
  COMMENT ON INDEX one_mail IS 'of the constraint';
  CREATE INDEX plain ON users (age); COMMENT ON INDEX plain IS 'plain';
  CREATE UNIQUE INDEX partial ON users (lower(email), age DESC NULLS LAST) INCLUDE (price) WHERE age IS NOT NULL;
  CREATE INDEX opclass ON users (email varchar_pattern_ops, tools.same("Odd Name") COLLATE "C") WITH (fillfactor = 70);
  ALTER INDEX opclass ALTER COLUMN 2 SET STATISTICS 500;
  CREATE INDEX "Side Index" ON users USING brin (id) WITH (pages_per_range = 16);
  CREATE UNIQUE INDEX identity_of ON orders (id); ALTER TABLE orders ALTER COLUMN id SET NOT NULL;
  ALTER TABLE orders REPLICA IDENTITY USING INDEX identity_of; ALTER TABLE orders CLUSTER ON identity_of;
  CREATE VIEW adults WITH (security_barrier) AS SELECT id, age AS years, tools.same("Odd Name") AS odd FROM users
    WHERE age > 18 WITH CASCADED CHECK OPTION;
  GRANT SELECT ON adults TO reader WITH GRANT OPTION; GRANT UPDATE (years) ON adults TO writer; ALTER VIEW adults OWNER TO owner;
  GRANT SELECT ON users TO owner; COMMENT ON VIEW adults IS 'grown'; COMMENT ON COLUMN adults.years IS 'of age';
  ALTER VIEW adults ALTER COLUMN years SET DEFAULT 20;
  CREATE VIEW "Side"."Base View" AS SELECT id FROM users; CREATE VIEW above AS SELECT id FROM "Side"."Base View";
  CREATE MATERIALIZED VIEW ages WITH (autovacuum_enabled = false) AS SELECT age, count(*) AS n FROM users GROUP BY age;
  CREATE UNIQUE INDEX ages_age ON ages (age); COMMENT ON MATERIALIZED VIEW ages IS 'by age'; GRANT SELECT ON ages TO reader;
  CREATE MATERIALIZED VIEW empty AS SELECT 1 AS one WITH NO DATA;
  CREATE FUNCTION secure(a int, b text DEFAULT 'x;y', VARIADIC c text[] DEFAULT '{}') RETURNS TABLE (d int) LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = tools, pg_temp SET work_mem = '8MB' STABLE STRICT COST 7 ROWS 3 AS $f$ BEGIN RETURN QUERY SELECT $1; END; $f$;
  REVOKE ALL ON FUNCTION secure(int, text, text[]) FROM PUBLIC; GRANT EXECUTE ON FUNCTION secure(int, text, text[]) TO reader;
  COMMENT ON FUNCTION secure(int, text, text[]) IS 'of the definer'; ALTER FUNCTION secure(int, text, text[]) OWNER TO owner;
  CREATE PROCEDURE work(INOUT a int) LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER touched BEFORE UPDATE OF email ON users FOR EACH ROW WHEN (OLD.age > 1) EXECUTE FUNCTION touch();
  ALTER TABLE users DISABLE TRIGGER touched; COMMENT ON TRIGGER touched ON users IS 'off';
  CREATE CONSTRAINT TRIGGER "Late One" AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch();
  ALTER TABLE users ENABLE ALWAYS TRIGGER "Late One";
  CREATE TRIGGER copied AFTER INSERT ON users REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touch();
  CREATE TRIGGER instead INSTEAD OF INSERT ON above FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE POLICY own ON users AS RESTRICTIVE FOR UPDATE TO reader, writer USING (age > 1) WITH CHECK (email <> ''); COMMENT ON POLICY own ON users IS 'mine';
  CREATE RULE quiet AS ON DELETE TO orders WHERE OLD.id < 0 DO INSTEAD NOTHING; ALTER TABLE orders DISABLE RULE quiet;
  CREATE STATISTICS both_of (dependencies) ON age, email FROM users; COMMENT ON STATISTICS both_of IS 'together'; ALTER STATISTICS both_of SET STATISTICS 50;
  CREATE SEQUENCE counter AS int INCREMENT 3 MINVALUE -5 MAXVALUE 900 START 4 CACHE 7 CYCLE OWNED BY orders.id; SELECT nextval('counter');
  CREATE TABLE logs (at date NOT NULL, line text DEFAULT 'l') PARTITION BY RANGE (at);
  CREATE TABLE old_logs PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  ALTER TABLE old_logs ALTER COLUMN line SET DEFAULT 'old';
  ALTER TABLE users ALTER COLUMN email SET STATISTICS 300; ALTER TABLE users ALTER COLUMN email SET STORAGE EXTERNAL;
  ALTER TABLE users ALTER COLUMN age SET (n_distinct = 90); ALTER TABLE users SET (fillfactor = 60, toast.autovacuum_enabled = off);
  COMMENT ON TABLE users IS E'back\\slash and ''quote'''; COMMENT ON COLUMN users."Odd Name" IS 'odd'; COMMENT ON SCHEMA tools IS 't';
  GRANT SELECT (email), UPDATE (email) ON users TO writer; GRANT INSERT ON users TO reader WITH GRANT OPTION;
  CREATE TABLE sizes (n int DEFAULT 3 CONSTRAINT small CHECK (n < 1000), v varchar(10) DEFAULT 'x' NOT NULL, p numeric(8,2) DEFAULT 1.5,
    at timestamp(3) DEFAULT now(), s varchar(20) COLLATE "C"); INSERT INTO sizes VALUES (5, 'v', 2.5, '2026-01-01 10:00:00.123', 's');
  CREATE INDEX by_all ON sizes (n, lower(v)) WHERE v <> 'a'; ALTER TABLE sizes ALTER COLUMN v SET STORAGE MAIN; COMMENT ON COLUMN sizes.v IS 'v';
  CREATE TABLE "Side".things (a int); CREATE TABLE "Side".more (a int); GRANT SELECT ON "Side".more TO reader;
)sql";

constexpr char const* scripts[] = {
    // columns
    "ALTER TABLE users ALTER COLUMN email SET DEFAULT 'none'",
    "ALTER TABLE users ALTER COLUMN age DROP DEFAULT, ALTER COLUMN at SET DEFAULT '2020-01-01'",
    "ALTER TABLE users ALTER COLUMN \"Odd Name\" SET DEFAULT 'x'",
    "ALTER TABLE logs ALTER COLUMN line SET DEFAULT 'all'",
    "ALTER VIEW adults ALTER COLUMN years SET DEFAULT 30",
    "ALTER TABLE sizes ALTER COLUMN n TYPE bigint",
    "ALTER TABLE sizes ALTER COLUMN p TYPE numeric(12,4), ALTER COLUMN at TYPE timestamp",
    "ALTER TABLE sizes ALTER COLUMN v TYPE text COLLATE \"C\"; ALTER TABLE sizes ALTER COLUMN v "
    "SET DEFAULT 'y'",
    "ALTER TABLE sizes ALTER COLUMN s TYPE varchar(30)",
    "ALTER TABLE users ALTER COLUMN email SET STATISTICS 10",
    "ALTER TABLE users ALTER COLUMN email SET STORAGE PLAIN",
    "ALTER TABLE users ALTER COLUMN age SET (n_distinct = -1, n_distinct_inherited = 3)",
    "ALTER TABLE users ALTER COLUMN age RESET (n_distinct)",
    "ALTER TABLE users SET (fillfactor = 90, autovacuum_enabled = off, toast.autovacuum_enabled = "
    "on)",
    "ALTER TABLE users RESET (fillfactor, toast.autovacuum_enabled)",
    "ALTER INDEX opclass SET (fillfactor = 90)",
    // constraints
    "ALTER TABLE users DROP CONSTRAINT \"Grown Up\"",
    "ALTER TABLE users DROP CONSTRAINT IF EXISTS one_mail",
    "ALTER TABLE users DROP CONSTRAINT apart",
    "ALTER TABLE orders DROP CONSTRAINT orders_user, DROP CONSTRAINT late",
    "ALTER TABLE orders DROP CONSTRAINT late_user",
    "ALTER TABLE orders VALIDATE CONSTRAINT late",
    "ALTER TABLE orders VALIDATE CONSTRAINT late_user",
    "ALTER TABLE users DROP CONSTRAINT \"Grown Up\"; ALTER TABLE users ADD CONSTRAINT \"Grown Up\" "
    "CHECK (age > 0 OR age = 0)",
    // indexes
    "DROP INDEX plain",
    "DROP INDEX CONCURRENTLY partial",
    "DROP INDEX opclass",
    "DROP INDEX public.\"Side Index\"",
    "DROP INDEX partial, identity_of",
    // views
    "DROP VIEW adults",
    "DROP VIEW above",
    "DROP MATERIALIZED VIEW ages",
    "DROP MATERIALIZED VIEW empty",
    "CREATE OR REPLACE VIEW adults AS SELECT id, age AS years, email::text COLLATE \"C\" AS odd, "
    "price FROM "
    "users",
    "CREATE OR REPLACE VIEW \"Side\".\"Base View\" WITH (security_barrier) AS SELECT id FROM users "
    "WHERE id > 5",
    "CREATE OR REPLACE VIEW fresh AS SELECT 1 AS one",
    "ALTER VIEW adults SET (security_barrier = false, check_option = local)",
    "ALTER VIEW adults RESET (check_option)",
    // functions, triggers, policies, rules
    "DROP FUNCTION secure(int, text, text[])",
    "DROP PROCEDURE work",
    "CREATE OR REPLACE FUNCTION secure(a int, b text DEFAULT 'z', VARIADIC c text[] DEFAULT '{}') "
    "RETURNS TABLE (d int) LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
    "'BEGIN RETURN OLD; END'",
    "CREATE OR REPLACE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION secure(int, text, text[]) SECURITY INVOKER RESET ALL COST 100",
    "DROP TRIGGER touched ON users",
    "DROP TRIGGER \"Late One\" ON users",
    "DROP TRIGGER copied ON users; DROP TRIGGER instead ON above",
    "ALTER TABLE users ENABLE TRIGGER touched",
    "ALTER TABLE users DISABLE TRIGGER USER",
    "ALTER TABLE users DISABLE TRIGGER ALL",
    "DROP POLICY own ON users",
    "ALTER POLICY own ON users TO PUBLIC USING (true)",
    "DROP RULE quiet ON orders",
    "CREATE OR REPLACE RULE quiet AS ON DELETE TO orders DO INSTEAD NOTHING",
    "ALTER TABLE orders ENABLE RULE quiet",
    "DROP STATISTICS both_of",
    // comments, owners, rights
    "COMMENT ON TABLE users IS 'new'",
    "COMMENT ON COLUMN users.\"Odd Name\" IS NULL; COMMENT ON COLUMN public.users.age IS 'years'",
    "COMMENT ON INDEX plain IS NULL; COMMENT ON CONSTRAINT \"Grown Up\" ON users IS 'x'; COMMENT "
    "ON TRIGGER touched ON users IS 'y'",
    "COMMENT ON FUNCTION secure(int, text, text[]) IS NULL; COMMENT ON TYPE mood IS 'm'; COMMENT "
    "ON SCHEMA tools IS NULL; COMMENT ON POLICY own ON users IS NULL",
    "COMMENT ON DOMAIN positive IS 'p'; COMMENT ON VIEW adults IS NULL; COMMENT ON STATISTICS "
    "both_of IS NULL",
    "ALTER TABLE users OWNER TO owner",
    "ALTER VIEW adults OWNER TO writer; ALTER SCHEMA tools OWNER TO owner; ALTER FUNCTION touch() "
    "OWNER TO owner; ALTER TYPE mood OWNER TO owner",
    "GRANT SELECT ON users TO reader, writer, PUBLIC",
    "GRANT ALL ON users TO writer",
    "GRANT INSERT, UPDATE ON users TO reader WITH GRANT OPTION",
    "GRANT SELECT, UPDATE (age) ON users TO writer",
    "REVOKE INSERT, SELECT ON users FROM reader, PUBLIC",
    "REVOKE ALL ON users FROM writer",
    "REVOKE GRANT OPTION FOR SELECT ON adults FROM reader",
    "REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC",
    "GRANT SELECT ON ALL TABLES IN SCHEMA \"Side\" TO reader",
    "GRANT USAGE ON SCHEMA tools TO reader; GRANT USAGE ON SEQUENCE counter TO reader; GRANT USAGE "
    "ON TYPE mood TO reader",
    "REVOKE ALL ON ALL TABLES IN SCHEMA \"Side\" FROM reader",
    // types, sequences, partitions, places
    "DROP TYPE mood",
    "DROP TYPE pair",
    "DROP DOMAIN positive",
    "ALTER DOMAIN positive DROP CONSTRAINT above; ALTER DOMAIN positive SET DEFAULT 9",
    "ALTER SEQUENCE counter INCREMENT 1 MAXVALUE 5000 NO CYCLE CACHE 1",
    "ALTER SEQUENCE counter OWNED BY NONE",
    "ALTER TABLE logs DETACH PARTITION old_logs",
    "ALTER TABLE orders REPLICA IDENTITY FULL",
    "ALTER TABLE orders SET WITHOUT CLUSTER",
    "ALTER TABLE users CLUSTER ON users_pkey",
    "ALTER TABLE orders SET SCHEMA tools",
    "ALTER FUNCTION touch() RENAME TO touched",
    // perhaps there, and what the step itself makes
    "CREATE TABLE IF NOT EXISTS fresh (a int); COMMENT ON TABLE fresh IS 'new'; GRANT SELECT ON "
    "fresh TO reader",
    "CREATE INDEX IF NOT EXISTS fresh ON users (price)",
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS extra int",
    "DROP VIEW IF EXISTS nowhere, above",
    "SET LOCAL search_path = \"Side\"; COMMENT ON TABLE things IS 'side'; ALTER TABLE things ALTER "
    "a SET DEFAULT 3",
};

std::string rows(Target const& target) {
  return target.sql(
      "SELECT md5(string_agg(u::text, ';' ORDER BY id)) || (SELECT sizes::text FROM sizes) FROM "
      "users u");
}

struct Pair {
  char const* sql;
  char const* why;
};
constexpr Pair refusals[] = {
    {"ALTER TABLE sizes ALTER COLUMN p TYPE int", "values may be lost"},
    {"ALTER TABLE sizes ALTER COLUMN v TYPE varchar(5)", "values may be lost"},
    {"DROP INDEX CONCURRENTLY plain", "stands alone"},
    {"DROP VIEW nowhere", "is not there"},
    {"DROP TABLE IF EXISTS users", "the rows of users are gone"},
    {"ALTER TABLE nowhere ALTER a SET DEFAULT 1", "is not there"},
    {"ALTER TABLE users RENAME COLUMN age TO years; ALTER TABLE users ALTER years SET DEFAULT 3",
     "renames what it is about"},
    {"GRANT SELECT ON users TO nobody", "role nobody is not there"},
};

void make_schema(Target& target) {
  for (std::string const role : {"reader", "writer", "owner"}) {
    if (target.sql("SELECT count(*) FROM pg_roles WHERE rolname = '" + role + "'") == "0") {
      target.sql("CREATE ROLE " + role);
    }
  }
  target.sql(schema);
}

}  // namespace

TEST_CASE("what only the catalog tells is taken back as it was, and no row is another") {
  Target target;
  make_schema(target);
  auto const session = target.connect();
  auto const had = rows(target);
  for (std::string const script : scripts) {
    CAPTURE(script);
    auto const before = daemon::take_fingerprint(*session);
    REQUIRE(before);
    auto const statements = planner::read_sql(text(script)).statements;
    auto const derived = daemon::way_back_now(*session, statements);
    if (!derived) {
      FAIL_CHECK(derived.error().message);
      continue;
    }
    auto const same = daemon::take_fingerprint(*session);
    CHECK(daemon::fingerprint_diff(before->body, same->body) == "");  // reading changes nothing
    target.sql(script);
    CHECK(daemon::take_fingerprint(*session)->digest != before->digest);
    CAPTURE(derived->sql);
    CHECK(planner::read_sql(text(derived->sql)).findings.empty());
    target.sql(derived->sql);
    auto const after = daemon::take_fingerprint(*session);
    CHECK(daemon::fingerprint_diff(before->body, after->body) == "");
    CHECK(rows(target) == had);
  }
}

TEST_CASE("what no catalog can bring back is refused with its reason") {
  Target target;
  make_schema(target);
  auto const session = target.connect();
  for (auto const& [sql, why] : refusals) {
    CAPTURE(std::string(sql));
    auto const derived = daemon::way_back_now(*session, planner::read_sql(text(sql)).statements);
    REQUIRE_FALSE(derived);
    CHECK(derived.error().message.find(why) != std::string::npos);
  }
}

TEST_CASE("what a statement does not change needs no way back") {
  Target target;
  make_schema(target);
  auto const session = target.connect();
  for (std::string const script : {"GRANT INSERT ON users TO reader", "DROP VIEW IF EXISTS nowhere",
                                   "CREATE TABLE IF NOT EXISTS users (a int)",
                                   "ALTER TABLE users VALIDATE CONSTRAINT \"Grown Up\"",
                                   "ALTER TABLE users DROP CONSTRAINT IF EXISTS nowhere"}) {
    CAPTURE(script);
    auto const derived = daemon::way_back_now(*session, planner::read_sql(text(script)).statements);
    REQUIRE(derived);
    CHECK(derived->sql == "");
    CHECK(derived->nothing != "");
    CHECK(planner::read_sql(text(planner::recorded_text(*derived))).statements.empty());
  }
}
