#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

constexpr auto schema = R"sql(
  CREATE TABLE organisations (id uuid PRIMARY KEY, name text NOT NULL, code int NOT NULL);
  CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, age int CHECK (age > 0),
                      org uuid REFERENCES organisations ON DELETE CASCADE, joined timestamptz DEFAULT now());
  CREATE INDEX users_age ON users (age) WHERE age > 18;
  CREATE VIEW adults AS SELECT * FROM users WHERE age > 18;
  CREATE MATERIALIZED VIEW ages AS SELECT age, count(*) FROM users GROUP BY age;
  CREATE TYPE mood AS ENUM ('sad', 'glad');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TYPE pair AS (a int, b text);
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE SEQUENCE counter;
  CREATE TABLE logs (at date NOT NULL, line text) PARTITION BY RANGE (at);
  CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
)sql";

struct Change {
  char const* there;
  char const* back;
};

constexpr Change changes[] = {
    {"ALTER TABLE users ADD COLUMN org_id uuid", "ALTER TABLE users DROP COLUMN org_id"},
    {"ALTER TABLE users ALTER COLUMN age SET NOT NULL",
     "ALTER TABLE users ALTER COLUMN age DROP NOT NULL"},
    {"ALTER TABLE users ALTER COLUMN email DROP NOT NULL",
     "ALTER TABLE users ALTER COLUMN email SET NOT NULL"},
    {"ALTER TABLE users ALTER COLUMN age SET DEFAULT 1",
     "ALTER TABLE users ALTER COLUMN age DROP DEFAULT"},
    {"ALTER TABLE logs ALTER COLUMN line TYPE varchar(50)",
     "ALTER TABLE logs ALTER COLUMN line TYPE text"},
    {"ALTER TABLE users RENAME COLUMN joined TO joined_at",
     "ALTER TABLE users RENAME COLUMN joined_at TO joined"},
    {"ALTER TABLE users ALTER COLUMN email SET STORAGE EXTERNAL",
     "ALTER TABLE users ALTER COLUMN email SET STORAGE EXTENDED"},
    {"ALTER TABLE users ALTER COLUMN email SET STATISTICS 500",
     "ALTER TABLE users ALTER COLUMN email SET STATISTICS -1"},
    {"CREATE INDEX users_joined ON users (joined)", "DROP INDEX users_joined"},
    {"ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17) NOT VALID",
     "ALTER TABLE users DROP CONSTRAINT grown"},
    {"ALTER TABLE users DROP CONSTRAINT users_age_check",
     "ALTER TABLE users ADD CONSTRAINT users_age_check CHECK (age > 0)"},
    {"ALTER TABLE users DROP CONSTRAINT users_org_fkey",
     "ALTER TABLE users ADD CONSTRAINT users_org_fkey FOREIGN KEY (org) REFERENCES organisations "
     "ON DELETE CASCADE"},
    {"ALTER TABLE users DISABLE TRIGGER users_touch",
     "ALTER TABLE users ENABLE TRIGGER users_touch"},
    {"DROP TRIGGER users_touch ON users",
     "CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()"},
    {"CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; "
     "END'",
     "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; "
     "END'"},
    {"CREATE TABLE extra (a int)", "DROP TABLE extra"},
    {"CREATE SCHEMA side", "DROP SCHEMA side"},
    {"ALTER TABLE organisations SET (fillfactor = 80)",
     "ALTER TABLE organisations RESET (fillfactor)"},
    {"ALTER TABLE users ENABLE ROW LEVEL SECURITY", "ALTER TABLE users DISABLE ROW LEVEL SECURITY"},
    {"CREATE POLICY own ON users USING (id = 1)", "DROP POLICY own ON users"},
    {"CREATE RULE quiet AS ON DELETE TO users DO INSTEAD NOTHING", "DROP RULE quiet ON users"},
    {"GRANT SELECT ON users TO PUBLIC", "REVOKE SELECT ON users FROM PUBLIC"},
    {"GRANT UPDATE (email) ON users TO PUBLIC", "REVOKE UPDATE (email) ON users FROM PUBLIC"},
    {"REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC",
     "GRANT EXECUTE ON FUNCTION touch() TO PUBLIC"},
    {"COMMENT ON COLUMN users.age IS 'in years'", "COMMENT ON COLUMN users.age IS NULL"},
    {"COMMENT ON CONSTRAINT users_org_fkey ON users IS 'why'",
     "COMMENT ON CONSTRAINT users_org_fkey ON users IS NULL"},
    {"ALTER SEQUENCE counter INCREMENT 2", "ALTER SEQUENCE counter INCREMENT 1"},
    {"ALTER SEQUENCE counter OWNED BY users.id", "ALTER SEQUENCE counter OWNED BY NONE"},
    {"CREATE OR REPLACE VIEW adults AS SELECT * FROM users WHERE age > 21",
     "CREATE OR REPLACE VIEW adults AS SELECT * FROM users WHERE age > 18"},
    {"ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
     "ALTER TYPE mood RENAME VALUE 'blue' TO 'sad'"},
    {"ALTER DOMAIN positive SET DEFAULT 1", "ALTER DOMAIN positive DROP DEFAULT"},
    {"ALTER TYPE pair ADD ATTRIBUTE c int", "ALTER TYPE pair DROP ATTRIBUTE c"},
    {"CREATE TABLE logs_2027 PARTITION OF logs FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
     "DROP TABLE logs_2027"},
    {"ALTER TABLE logs DETACH PARTITION logs_2026",
     "ALTER TABLE logs ATTACH PARTITION logs_2026 FOR VALUES FROM ('2026-01-01') TO "
     "('2027-01-01')"},
    {"ALTER TABLE organisations REPLICA IDENTITY FULL",
     "ALTER TABLE organisations REPLICA IDENTITY DEFAULT"},
    {"ALTER TABLE users CLUSTER ON users_pkey", "ALTER TABLE users SET WITHOUT CLUSTER"},
    {"CREATE STATISTICS both_ages ON age, joined FROM users", "DROP STATISTICS both_ages"},
    {"CREATE PUBLICATION feed FOR TABLE users", "DROP PUBLICATION feed"},
    {"ALTER TABLE organisations ALTER COLUMN code ADD GENERATED BY DEFAULT AS IDENTITY",
     "ALTER TABLE organisations ALTER COLUMN code DROP IDENTITY"},
    {"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
     "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC"},
    {"DROP AGGREGATE total(int)", "CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int)"},
    {"ALTER TABLE organisations OWNER TO another", "ALTER TABLE organisations OWNER TO postgres"},
    {"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_age'::regclass",
     "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'users_age'::regclass"},
};

daemon::Fingerprint taken(daemon::Session& session) {
  auto fingerprint = daemon::take_fingerprint(session);
  REQUIRE_MESSAGE(fingerprint.has_value(), (fingerprint ? "" : fingerprint.error().message));
  return *fingerprint;
}

}  // namespace

TEST_CASE("every change of the schema shows, and its undoing brings the fingerprint back") {
  Target target;
  server().sql("postgres", "DROP ROLE IF EXISTS another; CREATE ROLE another");
  target.sql(schema);
  auto session = target.connect();
  for (auto const& change : changes) {
    CAPTURE(std::string(change.there));
    auto const before = taken(*session);
    target.sql(change.there);
    auto const between = taken(*session);
    CHECK(between.digest != before.digest);
    CHECK_FALSE(daemon::fingerprint_diff(before.body, between.body).empty());
    target.sql(change.back);
    auto const after = taken(*session);
    CHECK(after.digest == before.digest);
    CHECK(daemon::fingerprint_diff(before.body, after.body) == "");
  }
}

TEST_CASE("what our own role is granted does not show; what others are granted, or lose, does") {
  Target target;
  server().sql(
      "postgres",
      "DROP ROLE IF EXISTS \"Mover 1\"; CREATE ROLE \"Mover 1\" LOGIN; DROP ROLE IF EXISTS "
      "another; CREATE ROLE another");
  target.sql(schema);
  auto session = target.connect("test", "'Mover 1'");
  auto const before = taken(*session);
  target.sql(
      "GRANT SELECT, UPDATE ON users TO \"Mover 1\"; GRANT UPDATE (name) ON organisations TO "
      "\"Mover "
      "1\"; GRANT USAGE, CREATE ON SCHEMA public TO \"Mover 1\"; GRANT USAGE ON SEQUENCE counter "
      "TO "
      "\"Mover 1\"; GRANT EXECUTE ON FUNCTION touch() TO \"Mover 1\"; GRANT USAGE ON TYPE mood TO "
      "\"Mover 1\"");
  auto const granted = taken(*session);
  CHECK(daemon::fingerprint_diff(before.body, granted.body) == "");
  target.sql("GRANT SELECT ON users TO another");
  auto const others = taken(*session);
  CHECK(daemon::fingerprint_diff(granted.body, others.body).find("another=r/") !=
        std::string::npos);
  target.sql("REVOKE ALL ON users FROM another, \"Mover 1\"");
  CHECK(taken(*session).digest == before.digest);
  target.sql("REVOKE INSERT ON users FROM postgres");
  CHECK(taken(*session).digest != before.digest);
  target.sql("DROP OWNED BY \"Mover 1\", another");
}

TEST_CASE("rows, statistics, our own schema and time do not show") {
  Target target;
  target.sql(schema);
  auto session = target.connect();
  auto const before = taken(*session);
  target.sql(
      "INSERT INTO organisations VALUES (gen_random_uuid(), 'x', 1); SELECT nextval('counter'); "
      "ANALYZE");
  target.sql(
      "INSERT INTO runbookd.marker (store, run, phase, step, direction, attempt, label) "
      "VALUES ('s', 'r', 0, 0, 'f', 1, 'x'); CREATE TABLE runbookd.more (a int)");
  target.sql("VACUUM FULL users");
  CHECK(taken(*session).digest == before.digest);
}

TEST_CASE("two databases made by the same statements have the same fingerprint") {
  Target one;
  Target other;
  other.sql("CREATE TABLE shifted_oids (a int); DROP TABLE shifted_oids");
  one.sql(schema);
  other.sql(schema);
  CHECK(taken(*one.connect()).digest == taken(*other.connect()).digest);
}

TEST_CASE("the search path of the session does not show, and is left as it was") {
  Target target;
  target.sql(schema);
  auto session = target.connect();
  auto const before = taken(*session);
  REQUIRE(session->run("SET search_path = ''"));
  CHECK(taken(*session).digest == before.digest);
  CHECK(session->run("SHOW search_path")->rows.front().front() == "\"\"");
}

TEST_CASE("a not-null constraint that is not validated shows from version 18 on") {
  Target target;
  auto session = target.connect();
  if (session->server_version() < 180000) {
    return;
  }
  target.sql("CREATE TABLE t (a int)");
  auto const nullable = taken(*session);
  target.sql("ALTER TABLE t ADD CONSTRAINT filled NOT NULL a NOT VALID");
  auto const pending = taken(*session);
  target.sql("ALTER TABLE t VALIDATE CONSTRAINT filled");
  auto const valid = taken(*session);
  CHECK(pending.digest != valid.digest);
  target.sql("ALTER TABLE t ALTER COLUMN a DROP NOT NULL");
  CHECK(taken(*session).digest == nullable.digest);
  target.sql("ALTER TABLE t ALTER COLUMN a SET NOT NULL");
  CHECK(taken(*session).digest == valid.digest);
}

TEST_CASE("an object is one line, even where its definition has many") {
  Target target;
  target.sql("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n SELECT 1\n$$");
  auto const body = taken(*target.connect()).body;
  auto const at = body.find("function public.f(): ");
  REQUIRE(at != std::string::npos);
  CHECK(body.substr(at, body.find('\n', at) - at).find("SELECT 1") != std::string::npos);
}

TEST_CASE("a difference is shown line by line with the old one first") {
  std::string const before = "column public.t.a: int\ncolumn public.t.b: int\ntable public.t: x\n";
  std::string const after = "column public.t.a: bigint\ntable public.t: x\ntable public.u: y\n";
  CHECK(daemon::fingerprint_diff(before, after) ==
        "- column public.t.a: int\n+ column public.t.a: bigint\n- column public.t.b: int\n+ table "
        "public.u: y\n");
}
