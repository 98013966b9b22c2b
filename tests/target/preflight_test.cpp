#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

planner::Step step(planner::Action forward, planner::Action backward = planner::NoAction{}) {
  return {.name = "s", .forward = std::move(forward), .backward = std::move(backward)};
}

planner::Plan plan(std::vector<planner::Step> steps) {
  planner::Plan made;
  made.phases.push_back({.name = "expand", .steps = std::move(steps)});
  return made;
}

// A role without any right but to connect.
std::string role(std::string const& name) {
  server().sql("postgres", "DROP ROLE IF EXISTS " + name + "; CREATE ROLE " + name + " LOGIN");
  return name;
}

void allow_ours(Target const& target, std::string const& role) {
  target.sql("GRANT USAGE ON SCHEMA runbookd TO " + role +
             "; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA runbookd TO " + role);
}

bool says(daemon::SqlFailure const& failure, std::string const& words) {
  bool const said = failure.message.find(words) != std::string::npos;
  if (!said) {
    MESSAGE(failure.message);
  }
  return said;
}

}  // namespace

TEST_CASE("a plan that its role may carry out passes") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  CHECK(daemon::check_target(*target.connect(),
                             plan({step(action("ALTER TABLE t ADD COLUMN b int"))})));
}

TEST_CASE("the server says whether it knows what our parser does not, and runs nothing of it") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto const session = target.connect();
  auto const with = [](std::string const& sql) {
    planner::SqlAction unread;
    unread.statements.push_back({.sql = text(sql), .kind = "DELETE"});
    return plan({step(std::move(unread))});
  };
  auto const checked = daemon::check_target(*session, with("DELETE FROM t WITH MAGIC"));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().sqlstate == "42601");
  CHECK(says(checked.error(), "expand/s: the target (PostgreSQL "));
  auto const known =
      daemon::check_target(*session, with("ALTER OPERATOR = (int, int) SET (MERGES)"));
  CHECK(known.has_value() == (session->server_version() >= 170000));

  target.sql("INSERT INTO t VALUES (1)");
  CHECK(session->parse("DELETE FROM t"));
  CHECK(session->parse("ALTER TABLE t ADD COLUMN b int"));
  CHECK(session->parse("VACUUM t"));
  CHECK(session->parse("SELECT FROM missing").error().sqlstate == "42P01");
  CHECK(target.sql("SELECT count(*) FROM t") == "1");
}

TEST_CASE("an older server than the plan needs is refused with both versions") {
  Target target;
  auto made = plan({});
  made.database.min_version = 99;
  auto const checked = daemon::check_target(*target.connect(), made);
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "PostgreSQL 99"));
  CHECK(says(checked.error(), target.sql("SHOW server_version")));
}

TEST_CASE("every missing right is named at once with the statement that grants it, and no more") {
  Target target;
  auto const mover = role("mover_a");
  server().sql("postgres", "DROP ROLE IF EXISTS app_a; CREATE ROLE app_a");
  target.sql(
      "CREATE TABLE t (a int); ALTER TABLE t OWNER TO app_a; CREATE TABLE x (a int); CREATE TABLE "
      "u (id int PRIMARY KEY, b int); CREATE TABLE v (id int, c int); CREATE SCHEMA s; CREATE "
      "TABLE s.w (a int); CREATE TABLE parent (id int PRIMARY KEY)");
  planner::BackfillAction fill{
      .table = "u", .set = {{"b", "v.c"}}, .from = "v", .where = "v.id = u.id"};
  auto wanted = plan({step(action("ALTER TABLE t ADD COLUMN b int REFERENCES parent (id)")),
                      step(action("ALTER TABLE x ADD COLUMN b int")), step(fill),
                      step(planner::NoAction{}, action("DELETE FROM s.w"))});
  wanted.phases[0].validate.push_back({.name = "none-left", .sql = text("SELECT * FROM s.w")});
  auto const checked = daemon::check_target(*target.connect("test", mover), wanted);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().sqlstate == "42501");
  for (auto const* words :
       {"GRANT app_a TO mover_a; (or, for this one alone: ALTER TABLE public.t OWNER TO mover_a;)  "
        "-- expand/s",
        "\n  ALTER TABLE public.x OWNER TO mover_a;  -- expand/s",
        "GRANT REFERENCES (id) ON public.parent TO mover_a;",
        "GRANT UPDATE (b), SELECT ON public.u TO mover_a;", "GRANT SELECT ON public.v TO mover_a;",
        "GRANT USAGE ON SCHEMA s TO mover_a;",
        "GRANT SELECT, DELETE ON s.w TO mover_a;  -- check expand/none-left, the rollback of "
        "expand/s",
        "GRANT SELECT, INSERT, UPDATE ON runbookd.marker TO mover_a;  -- runbookd's own record"}) {
    CHECK(says(checked.error(), words));
  }
  CHECK(checked.error().message.find("GRANT postgres") == std::string::npos);
  CHECK(says(checked.error(),
             "a change of owner, an extension and a grant to another role than mover_a"));
  target.sql("DROP OWNED BY app_a");
}

namespace {

// Runs each statement that the refusal names, as an administrator would.
void run_remedies(Target const& target, daemon::SqlFailure const& refused) {
  std::istringstream lines(refused.message);
  std::string line;
  std::getline(lines, line);  // says what the rest is
  while (std::getline(lines, line)) {
    target.sql(line.substr(0, line.find(';') + 1));
  }
}

}  // namespace

TEST_CASE(
    "what the refusal names is missing indeed, and is enough: one round, then the step runs") {
  constexpr char const* scripts[] = {
      "ALTER TABLE t ADD COLUMN b int",
      "CREATE INDEX i ON t (a)",
      "CREATE INDEX i ON app.t (a)",
      "ALTER TABLE t ADD UNIQUE (a)",
      "ALTER TABLE t RENAME TO t2",
      "ALTER TABLE t RENAME a TO b",
      "CREATE TABLE app.made (a int REFERENCES app.p (id))",
      "CREATE TABLE app.made (LIKE app.p)",
      "CREATE TABLE made (a int)",
      "CREATE VIEW app.w AS SELECT 1 AS one",
      "CREATE SEQUENCE app.s",
      "CREATE TYPE app.mood AS ENUM ('ok')",
      "CREATE DOMAIN app.d AS int",
      "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.p",
      "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES p NOT VALID",
      "CREATE TRIGGER g BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.tr()",
      "CREATE SCHEMA fresh CREATE TABLE x (a int)",
      "DROP TABLE app.t",
      "DROP INDEX p_pkey_twin",
      "ALTER TYPE app.e ADD VALUE 'b'",
      "DROP FUNCTION app.tr()",
      "DROP SCHEMA empty_one",
      "COMMENT ON COLUMN t.a IS 'x'",
      "TRUNCATE app.t",
      "INSERT INTO t (a) SELECT id FROM p",
      "UPDATE t SET a = 1",
      "UPDATE t SET a = a + 1",
      "DELETE FROM t WHERE a = 1",
      "REFRESH MATERIALIZED VIEW app.mv",
      "REINDEX TABLE app.t",
      "ANALYZE app.t",
  };
  for (auto const* sql : scripts) {
    CAPTURE(std::string(sql));
    Target target;
    auto const mover = role("mover_e");
    target.sql(
        "CREATE SCHEMA app; CREATE TABLE app.t (a int); CREATE TABLE app.p (id int PRIMARY KEY); "
        "CREATE INDEX p_pkey_twin ON app.p (id); CREATE TYPE app.e AS ENUM ('a'); CREATE SCHEMA "
        "empty_one; CREATE MATERIALIZED VIEW app.mv AS SELECT 1 AS one; CREATE FUNCTION app.tr() "
        "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; REVOKE CREATE ON SCHEMA "
        "public FROM public; ALTER ROLE mover_e IN DATABASE " +
        target.name() + " SET search_path = app, public");
    auto const wanted = plan({step(action(sql))});
    auto const refused = daemon::check_target(*target.connect("test", mover), wanted);
    REQUIRE_FALSE(refused);
    CAPTURE(refused.error().message);
    CHECK(says(refused.error(), "-- expand/s"));
    run_remedies(target, refused.error());
    auto const session = target.connect("test", mover);
    auto const passed = daemon::check_target(*session, wanted);
    CHECK_MESSAGE(passed.has_value(), (passed ? "" : passed.error().message));
    auto const done = daemon::run_transactional(*session, tag(), action(sql), never());
    CHECK_MESSAGE(done.end == planner::AttemptEnd::done,
                  (done.failure ? done.failure->message : ""));
    target.sql("REASSIGN OWNED BY mover_e TO postgres; DROP OWNED BY mover_e");
  }
}

TEST_CASE("checks and baselines are asked about, but for those that show what the role may not") {
  Target target;
  auto const mover = role("mover_f");
  target.sql("CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE TABLE v (a int)");
  auto wanted = plan({});
  wanted.baselines.push_back({.name = "rows", .sql = text("SELECT count(*) FROM t")});
  wanted.final_checks.push_back({.name = "filled", .sql = text("SELECT count(*) FROM u")});
  wanted.final_checks.push_back({.name = "forbidden",
                                 .sql = text("SELECT count(*) FROM v"),
                                 .expect = planner::FailsWith{"insufficient_privilege", "42501"}});
  auto const checked = daemon::check_target(*target.connect("test", mover), wanted);
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "GRANT SELECT ON public.t TO mover_f;  -- baseline rows"));
  CHECK(says(checked.error(), "GRANT SELECT ON public.u TO mover_f;  -- check filled"));
  CHECK(checked.error().message.find("public.v") == std::string::npos);
  CHECK(checked.error().message.find("Mind that") ==
        std::string::npos);  // grants to us do not show
}

TEST_CASE("rights that came by membership, by grant or by owning the schema are enough") {
  Target target;
  auto const mover = role("mover_b");
  server().sql("postgres",
               "DROP ROLE IF EXISTS owner_b; CREATE ROLE owner_b; GRANT owner_b TO mover_b");
  allow_ours(target, mover);
  target.sql(
      "CREATE TABLE t (a int); ALTER TABLE t OWNER TO owner_b; CREATE TABLE u (a int, b int); "
      "GRANT SELECT, DELETE, UPDATE (b) ON u TO mover_b; CREATE SCHEMA mine AUTHORIZATION mover_b; "
      "CREATE TABLE mine.gone (a int)");
  auto const wanted =
      plan({step(action("ALTER TABLE t ADD COLUMN b int; DELETE FROM u WHERE a = "
                        "1; UPDATE u SET b = 1; DROP TABLE mine.gone"))});
  auto const checked = daemon::check_target(*target.connect("test", mover), wanted);
  CHECK_MESSAGE(checked.has_value(), (checked ? "" : checked.error().message));
  target.sql("DROP OWNED BY owner_b; DROP OWNED BY mover_b CASCADE");
}

TEST_CASE("a step that takes a role is asked about with that role's rights") {
  Target target;
  auto const mover = role("mover_g");
  server().sql("postgres",
               "DROP ROLE IF EXISTS owner_g; CREATE ROLE owner_g; GRANT owner_g TO mover_g; ALTER "
               "ROLE mover_g NOINHERIT");
  allow_ours(target, mover);
  target.sql("CREATE TABLE t (a int); ALTER TABLE t OWNER TO owner_g");
  auto const taken =
      daemon::check_target(*target.connect("test", mover),
                           plan({step(action("SET LOCAL ROLE owner_g; ALTER TABLE t ADD b int"))}));
  CHECK_MESSAGE(taken.has_value(), (taken ? "" : taken.error().message));
  auto const not_taken = daemon::check_target(*target.connect("test", mover),
                                              plan({step(action("ALTER TABLE t ADD b int"))}));
  target.sql("DROP OWNED BY owner_g; DROP OWNED BY mover_g");
  if (target.connect()->server_version() < 160000) {  // else the grant itself says who inherits
    REQUIRE_FALSE(not_taken);
    CHECK(says(not_taken.error(), "begin the step with SET LOCAL ROLE owner_g;"));
  }
}

TEST_CASE("what the plan makes itself is not asked about") {
  Target target;
  auto const mover = role("mover_c");
  allow_ours(target, mover);
  target.sql("GRANT CREATE ON SCHEMA public TO mover_c; CREATE TABLE other (a int)");
  auto const wanted =
      plan({step(action("CREATE TABLE public.fresh (a int)"), action("DROP TABLE fresh")),
            step(action("ALTER TABLE fresh ADD COLUMN b int; SELECT * FROM fresh"))});
  auto const checked = daemon::check_target(*target.connect("test", mover), wanted);
  CHECK_MESSAGE(checked.has_value(), (checked ? "" : checked.error().message));
  target.sql("DROP OWNED BY mover_c");
}

TEST_CASE("a name that a later step gives away again is asked about until then") {
  Target target;
  auto const mover = role("mover_h");
  allow_ours(target, mover);
  target.sql("GRANT CREATE ON SCHEMA public TO mover_h; CREATE TABLE t (a int)");
  auto const checked = daemon::check_target(
      *target.connect("test", mover),
      plan({step(action("CREATE TABLE t_new (a int); ALTER TABLE t RENAME TO t_old")),
            step(action("ALTER TABLE t_new RENAME TO t"))}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "ALTER TABLE public.t OWNER TO mover_h;"));
  target.sql("DROP OWNED BY mover_h");
}

TEST_CASE("an extension that only an administrator may create is told as that") {
  Target target;
  auto const mover = role("mover_i");
  allow_ours(target, mover);
  auto const refused =
      daemon::check_target(*target.connect("test", mover),
                           plan({step(action("CREATE EXTENSION IF NOT EXISTS file_fdw"))}));
  bool const available =
      target.sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'") == "1";
  CHECK(refused.has_value() != available);
  if (available) {
    CHECK(says(refused.error(), "CREATE EXTENSION file_fdw;  -- once, by an administrator"));
  }
  target.sql("DROP OWNED BY mover_i");
}

TEST_CASE("a role that could not make our schema is told before anything runs") {
  Target target;
  auto const mover = role("mover_d");
  target.sql("DROP SCHEMA runbookd CASCADE");
  auto const checked = daemon::check_target(*target.connect("test", mover), plan({}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "GRANT CREATE ON DATABASE " + target.name() + " TO mover_d;"));
}

TEST_CASE("a schema of ours that another role made is told with the plan's own rights, not after") {
  Target target;
  auto const mover = role("mover_j");
  target.sql("CREATE TABLE t (a int); DROP TABLE runbookd.backfill");
  auto const checked = daemon::check_target(*target.connect("test", mover),
                                            plan({step(action("UPDATE t SET a = 1"))}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "GRANT USAGE, CREATE ON SCHEMA runbookd TO mover_j;"));
  CHECK(says(checked.error(), "GRANT UPDATE (a) ON public.t TO mover_j;"));
  run_remedies(target, checked.error());
  auto const session = target.connect("test", mover);
  CHECK(daemon::check_target(*session, plan({step(action("UPDATE t SET a = 1"))})));
  CHECK(daemon::prepare_target(*session));
  target.sql("DROP OWNED BY mover_j");
}

TEST_CASE("a role that may only read is told") {
  Target target;
  target.sql("ALTER DATABASE " + target.name() + " SET default_transaction_read_only = on");
  auto const checked = daemon::check_target(*target.connect(), plan({}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "default_transaction_read_only"));
}

TEST_CASE("a standby is refused, and it is not asked how an attempt ended") {
  char const* major = std::getenv("RUNBOOKD_TEST_MAJOR");
  PostgresCluster standby({.major = major == nullptr ? 15 : std::stoi(major)});
  standby.stop();
  std::ofstream(standby.folder() + "/data/standby.signal");
  standby.start();
  auto const session = daemon::connect({.name = "main", .dsn = standby.dsn()}, "test");
  REQUIRE(session);
  auto const checked = daemon::check_target(**session, plan({}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "standby in recovery"));
  auto const doubt = daemon::settle_doubt(**session, tag(), action("SELECT 1"));
  REQUIRE_FALSE(doubt);
  CHECK(says(doubt.error(), "standby in recovery"));
}
