// Statements outside transactions, cut wherever they can be cut: what is settled, and what a retry
// makes of it. Two tables: what each kind is about, and where each can be held fast.
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/target/marker.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using planner::AttemptEnd;
using planner::Doubt;

namespace {

int major() { return std::stoi(server().sql("postgres", "SHOW server_version_num")) / 10000; }

std::string replaced(std::string text, std::string const& what, std::string const& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// A session that was closed lives on in the server for a moment, and would be found there.
void close(Target const& target, std::unique_ptr<daemon::Session> session) {
  auto const pid = std::to_string(session->pid());
  session.reset();
  target.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = " + pid);
}

daemon::AttemptResult run(Target const& target, std::string const& sql, int attempt,
                          int since_attempt = 1) {
  auto session = target.connect(daemon::application_name(tag(attempt)));
  auto result = daemon::run_concurrent(*session, tag(attempt), action(sql), since_attempt, never());
  close(target, std::move(session));
  return result;
}

daemon::DoubtAnswer settle(Target const& target, std::string const& sql, int attempt = 1,
                           std::string const& user = PostgresCluster::superuser) {
  auto const answer =
      daemon::settle_doubt(*target.connect("asker", user), tag(attempt), action(sql));
  REQUIRE(answer);
  return *answer;
}

// As an attempt does it just before it sends the statement.
void set_out(Target const& target, std::string const& sql) {
  auto session = target.connect("setter out");
  auto const statement = action(sql).statements.front();
  REQUIRE(session->run(
      daemon::insert_intent_sql(*session, tag(1), statement, *planner::outside_of(statement))));
  close(target, std::move(session));
}

void forget_the_end(Target const& target) {
  target.sql("DELETE FROM runbookd.marker; UPDATE runbookd.intent SET done_at = NULL");
}

bool left_over(Target const& target) {
  return target.sql(
             "SELECT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid) OR EXISTS (SELECT "
             "FROM pg_class WHERE relname ~ '_cc(new|old)[0-9]*$') OR EXISTS (SELECT FROM "
             "pg_inherits h WHERE to_jsonb(h) ->> 'inhdetachpending' = 'true')") == "t";
}

// --- what each kind is about. DB stands for the test's own database, DIR for a folder of the
// server's.

struct Kind {
  char const *setup, *sql;
  char const* there;  // true once the statement took effect
  Doubt when_done;    // what is settled without a marker, once it took effect
  char const* undo = "";
  int since = 13;
};

constexpr auto table =
    "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'); "
    "CREATE INDEX t_b ON t (b); CREATE TABLE note AS SELECT oid, relname FROM pg_class";
constexpr auto parts =
    "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN "
    "(1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); CREATE INDEX p_a ON p (a); CREATE "
    "TABLE note AS SELECT oid, relname FROM pg_class";
// An index of that name has another oid than at first.
constexpr auto rebuilt_t_b =
    "SELECT 't_b'::regclass <> (SELECT oid FROM note WHERE relname = 't_b')";
constexpr auto rebuilt_t =
    "SELECT count(*) = 0 FROM pg_index JOIN note ON oid = indexrelid WHERE indrelid IN "
    "('t'::regclass, (SELECT reltoastrelid FROM pg_class WHERE oid = 't'::regclass))";
constexpr auto rebuilt_p =
    "SELECT count(*) = 0 FROM pg_index JOIN note ON oid = indexrelid WHERE indrelid IN "
    "('p1'::regclass, 'p2'::regclass)";

Kind const kinds[] = {
    {table, "CREATE INDEX CONCURRENTLY t_a ON t (a)", "SELECT to_regclass('t_a') IS NOT NULL",
     Doubt::applied},
    {table, "DROP INDEX CONCURRENTLY t_b", "SELECT to_regclass('t_b') IS NULL", Doubt::applied},
    {table, "REINDEX INDEX CONCURRENTLY t_b", rebuilt_t_b, Doubt::applied},
    {table, "REINDEX TABLE CONCURRENTLY t", rebuilt_t, Doubt::applied},
    {table, "REINDEX SCHEMA CONCURRENTLY public", rebuilt_t, Doubt::not_applied},
    {table, "REINDEX DATABASE CONCURRENTLY \"DB\"", rebuilt_t, Doubt::not_applied},
    {table, "REINDEX SCHEMA public", "SELECT true", Doubt::not_applied},
    {parts, "REINDEX INDEX CONCURRENTLY p_a", rebuilt_p, Doubt::applied, "", 14},
    {parts, "REINDEX TABLE CONCURRENTLY p", rebuilt_p, Doubt::applied, "", 14},
    {parts, "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
     "SELECT NOT relispartition FROM pg_class WHERE relname = 'p1'", Doubt::applied, "", 14},
    {table, "VACUUM t", "SELECT true", Doubt::not_applied},
    {table, "VACUUM (FULL, ANALYZE) t", "SELECT true", Doubt::not_applied},
    {table, "CLUSTER", "SELECT true", Doubt::not_applied},
    {"", "DISCARD ALL", "SELECT true", Doubt::not_applied},
    {"", "CREATE DATABASE \"DB_x\"", "SELECT count(*) = 1 FROM pg_database WHERE datname = 'DB_x'",
     Doubt::applied, "DROP DATABASE \"DB_x\""},
    {"CREATE DATABASE \"DB_x\"", "DROP DATABASE \"DB_x\"",
     "SELECT count(*) = 0 FROM pg_database WHERE datname = 'DB_x'", Doubt::applied},
    {"", "ALTER SYSTEM SET log_checkpoints = 'on'",
     "SELECT count(*) = 1 FROM pg_file_settings WHERE name = 'log_checkpoints'", Doubt::applied,
     "ALTER SYSTEM RESET log_checkpoints"},
    {"ALTER SYSTEM SET work_mem = '5MB'", "ALTER SYSTEM RESET work_mem",
     "SELECT count(*) = 0 FROM pg_file_settings WHERE name = 'work_mem'", Doubt::applied},
    {"COPY (SELECT 1) TO PROGRAM 'mkdir -p DIR/ts_DB && cat > /dev/null'",
     "CREATE TABLESPACE \"ts_DB\" LOCATION 'DIR/ts_DB'",
     "SELECT count(*) = 1 FROM pg_tablespace WHERE spcname = 'ts_DB'", Doubt::applied,
     "DROP TABLESPACE \"ts_DB\""},
    {"COPY (SELECT 1) TO PROGRAM 'mkdir -p DIR/ts_DB && cat > /dev/null';CREATE TABLESPACE "
     "\"ts_DB\" LOCATION "
     "'DIR/ts_DB'",
     "DROP TABLESPACE \"ts_DB\"", "SELECT count(*) = 0 FROM pg_tablespace WHERE spcname = 'ts_DB'",
     Doubt::applied},
    {"COPY (SELECT 1) TO PROGRAM 'mkdir -p DIR/ts_DB && cat > /dev/null';CREATE TABLESPACE "
     "\"ts_DB\" LOCATION "
     "'DIR/ts_DB';CREATE DATABASE \"DB_x\"",
     "ALTER DATABASE \"DB_x\" SET TABLESPACE \"ts_DB\"",
     "SELECT spcname = 'ts_DB' FROM pg_database d JOIN pg_tablespace s ON s.oid = dattablespace "
     "WHERE datname = 'DB_x'",
     Doubt::applied, "DROP DATABASE \"DB_x\";DROP TABLESPACE \"ts_DB\""},
    {"CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = "
     "false);ALTER SUBSCRIPTION s SET (slot_name = NONE)",
     "DROP SUBSCRIPTION s", "SELECT count(*) = 0 FROM pg_subscription WHERE subname = 's'",
     Doubt::applied},
};

// One database for one kind; statements that no transaction holds are set up one by one.
struct Place {
  explicit Place(Kind const& of) : kind(of) { each(kind.setup); }
  ~Place() { each(kind.undo); }
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;

  std::string text(char const* sql) const {
    return replaced(replaced(sql, "DB", target.name()), "DIR", server().folder());
  }
  void each(char const* script) const {
    auto rest = text(script);
    bool const apart = rest.find("TABLESPACE") != std::string::npos ||
                       rest.find("SUBSCRIPTION") != std::string::npos;
    for (auto at = rest.find(';'); apart && at != std::string::npos; at = rest.find(';')) {
      target.sql(rest.substr(0, at));
      rest.erase(0, at + 1);
    }
    if (!rest.empty()) {
      target.sql(rest);
    }
  }
  std::string sql() const { return text(kind.sql); }
  bool there() const { return target.sql(text(kind.there)) == "t"; }

  Kind const& kind;
  Target target;
};

template <typename Check>
void for_each_kind(Check const& check) {
  for (auto const& kind : kinds) {
    CAPTURE(std::string(kind.sql));
    if (major() >= kind.since) {
      check(Place(kind));
    }
  }
}

// --- where they can be held fast

struct Stop {
  char const* where;
  char const *setup, *sql, *there;
  char const* holder;       // a transaction that stands in the way
  std::string reached;      // true once it does
  char const* second = "";  // begun then; after it the first one commits
  std::string second_reached = "";
  int since = 13;
};

std::string phase(std::string const& name) {
  return "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE phase = '" + name + "'";
}

constexpr auto writes = "BEGIN; INSERT INTO t VALUES (2, 'y')";
constexpr auto reads = "BEGIN; SELECT * FROM t";
constexpr auto old_snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM note";
constexpr auto build = "CREATE INDEX CONCURRENTLY t_a ON t (a)";
constexpr auto build_there =
    "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('t_a')";
constexpr auto rebuild = "REINDEX INDEX CONCURRENTLY t_b";
constexpr auto rebuild_all = "REINDEX TABLE CONCURRENTLY t";
constexpr auto drop = "DROP INDEX CONCURRENTLY t_b";
constexpr auto dropped = "SELECT to_regclass('t_b') IS NULL";
constexpr auto detach = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY";
constexpr auto detached = "SELECT NOT relispartition FROM pg_class WHERE relname = 'p1'";
constexpr auto waits_for_lock =
    "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%' AND "
    "wait_event_type = 'Lock'";
Stop const stops[] = {
    {"build: writers before it", table, build, build_there, writes,
     phase("waiting for writers before build")},
    {"build: writers before validation", table, build, build_there, writes,
     phase("waiting for writers before build"), writes,
     phase("waiting for writers before validation")},
    {"build: old snapshots", table, build, build_there, old_snapshot,
     phase("waiting for old snapshots")},
    {"reindex: writers before build", table, rebuild, rebuilt_t_b, writes,
     phase("waiting for writers before build")},
    {"reindex: writers before validation", table, rebuild, rebuilt_t_b, writes,
     phase("waiting for writers before build"), writes,
     phase("waiting for writers before validation")},
    {"reindex: old snapshots", table, rebuild, rebuilt_t_b, old_snapshot,
     phase("waiting for old snapshots")},
    {"reindex: exchanged, old one not dead", table, rebuild, rebuilt_t_b, reads,
     phase("waiting for readers before marking dead")},
    {"reindex: exchanged, old one not dropped", table, rebuild, rebuilt_t_b, reads,
     phase("waiting for readers before marking dead"), reads,
     phase("waiting for readers before dropping")},
    {"reindex table with its TOAST: old snapshots", table, rebuild_all, rebuilt_t, old_snapshot,
     phase("waiting for old snapshots")},
    {"reindex table with its TOAST: exchanged", table, rebuild_all, rebuilt_t, reads,
     phase("waiting for readers before marking dead")},
    {"reindex schema", table, "REINDEX SCHEMA CONCURRENTLY public", rebuilt_t, old_snapshot,
     phase("waiting for old snapshots")},
    {"reindex partitions: one of two exchanged", parts, "REINDEX TABLE CONCURRENTLY p", rebuilt_p,
     "BEGIN; SELECT * FROM p1", phase("waiting for readers before marking dead"), "", "", 14},
    {"reindex partitions: all exchanged", parts, "REINDEX TABLE CONCURRENTLY p", rebuilt_p,
     "BEGIN; SELECT * FROM p2", phase("waiting for readers before marking dead"), "", "", 14},
    {"reindex partitioned index: one of two exchanged", parts, "REINDEX INDEX CONCURRENTLY p_a",
     rebuilt_p, "BEGIN; SELECT * FROM p1", phase("waiting for readers before marking dead"), "", "",
     14},
    {"drop: still live", table, drop, dropped, reads,
     "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 't_b'::regclass"},
    {"drop: dead", table, drop, dropped, reads,
     "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 't_b'::regclass", reads,
     "SELECT NOT indislive FROM pg_index WHERE indexrelid = 't_b'::regclass"},
    {"detach: not begun", parts, detach, detached,
     "BEGIN; LOCK TABLE p IN SHARE UPDATE EXCLUSIVE MODE", waits_for_lock, "", "", 14},
    {"detach: pending", parts, detach, detached, "BEGIN; SELECT * FROM p",
     "SELECT to_jsonb(h) ->> 'inhdetachpending' = 'true' FROM pg_inherits h WHERE inhrelid = "
     "'p1'::regclass",
     "", "", 14},
    {"vacuum", table, "VACUUM t", "SELECT true",
     "BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE", waits_for_lock},
};

// Holds a statement fast where the row says.
struct Held {
  explicit Held(Stop const& at) : stop(at) {
    target.sql(stop.setup);
    first = target.connect("first");
    REQUIRE(first->run(stop.holder));
  }
  void reach() {
    try {
      hold();
    } catch (...) {
      let_go();  // whoever runs the statement must come to an end
      throw;
    }
  }
  void hold() {
    target.until(stop.reached);
    if (stop.second_reached.empty()) {
      return;
    }
    second = target.connect("second");
    REQUIRE(second->run(stop.second));
    REQUIRE(first->run("COMMIT"));
    target.until(stop.second_reached);
  }
  void let_go() {
    first.reset();
    second.reset();
  }
  bool there() const { return target.sql(stop.there) == "t"; }
  // The next try leaves what was asked for and nothing else.
  void check_retry(int attempt = 2) {
    auto const again = run(target, stop.sql, attempt);
    CAPTURE(again.note);
    CHECK(again.end == AttemptEnd::done);
    CHECK(there());
    CHECK_FALSE(left_over(target));
    CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "1");
  }

  Stop const& stop;
  Target target;
  std::unique_ptr<daemon::Session> first, second;
};

template <typename Check>
void for_each_stop(Check const& check) {
  for (auto const& stop : stops) {
    CAPTURE(std::string(stop.where));
    if (major() >= stop.since) {
      Held held(stop);
      check(held);
    }
  }
}

constexpr auto none_of_ours =
    "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%'";

// A client of its own that can be killed as a daemon is killed. It ends without any tidying.
pid_t client_that_runs(Held const& held) {
  auto const child = ::fork();
  if (child == 0) {
    (void)run(held.target, held.stop.sql, 1);
    ::_exit(0);
  }
  return child;
}

void kill_client(pid_t child) {
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("outside a transaction: cut before the statement was sent, nothing was applied") {
  for_each_kind([](Place const& place) {
    auto const unsent = settle(place.target, place.sql());
    CHECK(unsent.answer == Doubt::not_applied);
    CHECK(unsent.evidence.find("never sent") != std::string::npos);
    set_out(place.target, place.sql());
    auto const answer = settle(place.target, place.sql());
    CAPTURE(answer.evidence);
    CHECK(answer.answer == Doubt::not_applied);
    CHECK(run(place.target, place.sql(), 2).end == AttemptEnd::done);
    CHECK(place.there());
  });
}

TEST_CASE(
    "outside a transaction: ended without a marker, the catalog tells and a retry does no harm") {
  for_each_kind([](Place const& place) {
    auto const first = run(place.target, place.sql(), 1);
    CAPTURE((first.failure ? first.failure->message : ""));
    REQUIRE(first.end == AttemptEnd::done);
    forget_the_end(place.target);
    auto const answer = settle(place.target, place.sql());
    CAPTURE(answer.evidence);
    CHECK(answer.answer == place.kind.when_done);
    auto const again = run(place.target, place.sql(), 2);
    CAPTURE((again.failure ? again.failure->message : ""));
    CHECK(again.end == AttemptEnd::done);
    CHECK(place.there());
    CHECK_FALSE(left_over(place.target));
  });
}

TEST_CASE("outside a transaction: the backend is ended wherever it waits") {
  for_each_stop([](Held& held) {
    auto session = held.target.connect(daemon::session_name(tag().store, tag().run));
    Hands hands(
        [&] { return daemon::run_concurrent(*session, tag(), action(held.stop.sql), 1, never()); });
    held.reach();
    held.target.terminate("runbookd/");
    CHECK(hands.result().end == AttemptEnd::lost);
    auto const answer = settle(held.target, held.stop.sql);
    CAPTURE(answer.evidence);
    CHECK(answer.answer == Doubt::not_applied);
    held.let_go();
    held.check_retry();
  });
}

TEST_CASE("outside a transaction: somebody cancels the statement wherever it waits") {
  for_each_stop([](Held& held) {
    auto session = held.target.connect(daemon::session_name(tag().store, tag().run));
    Hands hands(
        [&] { return daemon::run_concurrent(*session, tag(), action(held.stop.sql), 1, never()); });
    held.reach();
    REQUIRE(daemon::cancel_backend(*held.target.connect("dba"), session->pid()).value());
    auto const cancelled = hands.result();
    CHECK(cancelled.end == AttemptEnd::failed);
    CHECK(cancelled.failure->sqlstate == "57014");
    CHECK((cancelled.note.find("a retry") != std::string::npos) == left_over(held.target));
    held.let_go();
    held.check_retry();
  });
}

TEST_CASE("outside a transaction: the client is killed wherever the statement waits") {
  for_each_stop([](Held& held) {
    auto const child = client_that_runs(held);
    held.reach();
    kill_client(child);
    auto const orphan = settle(held.target, held.stop.sql);
    if (major() < 14) {  // from then on the server notices within a second that nobody listens
      REQUIRE(orphan.still_running);
      CHECK(orphan.evidence.find("pid " + std::to_string(orphan.pid)) != std::string::npos);
      held.let_go();
    }
    held.target.until(none_of_ours);
    auto const answer = settle(held.target, held.stop.sql);
    CAPTURE(answer.evidence);
    bool const repeatable = answer.evidence.find("no harm") != std::string::npos;
    bool const whole = held.there() && !left_over(held.target) && !repeatable;
    CHECK(answer.answer == (whole ? Doubt::applied : Doubt::not_applied));
    held.let_go();
    held.check_retry();
  });
}

TEST_CASE("an orphan that builds an index is shown with its phase and whom it waits for") {
  Held held(stops[0]);
  auto session = held.target.connect(daemon::session_name(tag().store, tag().run));
  Hands hands([&] { return daemon::run_concurrent(*session, tag(), action(build), 1, never()); });
  held.reach();
  auto const orphan = settle(held.target, build);
  REQUIRE(orphan.still_running);
  CHECK(orphan.pid == session->pid());
  CHECK(orphan.evidence.find("CREATE INDEX CONCURRENTLY, waiting for writers before build") !=
        std::string::npos);
  CHECK(orphan.evidence.find("waiting for pid " + std::to_string(held.first->pid())) !=
        std::string::npos);
  held.let_go();
  CHECK(hands.result().end == AttemptEnd::done);
}

TEST_CASE("a pending detach is finished by the retry, as soon as its lock can be had") {
  if (major() < 14) {
    return;
  }
  Target target;
  target.sql(parts);
  auto reader = target.connect("reader");
  REQUIRE(reader->run("BEGIN; SELECT * FROM p"));
  auto session = target.connect(daemon::session_name(tag().store, tag().run));
  Hands hands([&] { return daemon::run_concurrent(*session, tag(), action(detach), 1, never()); });
  target.until(
      "SELECT to_jsonb(h) ->> 'inhdetachpending' = 'true' FROM pg_inherits h WHERE inhrelid = "
      "'p1'::regclass");
  target.terminate("runbookd/");
  (void)hands.result();
  CHECK(settle(target, detach).evidence.find("the next try ends it: ALTER TABLE") !=
        std::string::npos);
  // it read the partition too: FINALIZE waits for it, but not for long
  CHECK(run(target, detach, 2).end == AttemptEnd::busy);
  REQUIRE(reader->run("COMMIT"));
  auto const ended = run(target, detach, 3);
  CHECK(ended.end == AttemptEnd::done);
  CHECK(ended.note.find("FINALIZE") != std::string::npos);
  CHECK(target.sql(detached) == "t");
  CHECK(target.sql("SELECT attempt FROM runbookd.marker") == "3");
}

TEST_CASE("a detach that somebody else left pending is not finished by us") {
  if (major() < 14) {
    return;
  }
  Target target;
  target.sql(parts);
  auto reader = target.connect("reader");
  REQUIRE(reader->run("BEGIN; SELECT * FROM p"));
  auto theirs = target.connect("theirs");
  Hands hands([&] {
    (void)theirs->run(detach);
    return daemon::AttemptResult{};
  });
  target.until(
      "SELECT to_jsonb(h) ->> 'inhdetachpending' = 'true' FROM pg_inherits h WHERE inhrelid = "
      "'p1'::regclass");
  target.terminate("theirs");
  (void)hands.result();
  REQUIRE(reader->run("COMMIT"));
  CHECK(run(target, detach, 1).end == AttemptEnd::failed);
  CHECK(run(target, detach, 2).end == AttemptEnd::failed);
  CHECK(left_over(target));
}

TEST_CASE("leftovers of a reindex that was not ours stay") {
  Target target;
  target.sql(table);
  auto reader = target.connect("reader");
  REQUIRE(reader->run(old_snapshot));
  auto theirs = target.connect("theirs");
  Hands hands([&] {
    (void)theirs->run(rebuild);
    return daemon::AttemptResult{};
  });
  target.until(phase("waiting for old snapshots"));
  target.terminate("theirs");
  (void)hands.result();
  REQUIRE(reader->run("COMMIT"));
  set_out(target, rebuild);
  CHECK(settle(target, rebuild).answer == Doubt::not_applied);
  CHECK(run(target, rebuild, 2).end == AttemptEnd::done);
  CHECK(target.sql(rebuilt_t_b) == "t");
  CHECK(target.sql("SELECT string_agg(relname, ',') FROM pg_class WHERE relname ~ '_cc'") ==
        "t_b_ccnew");
}

TEST_CASE("an index name of the greatest length is still known in its leftover") {
  Target target;
  std::string const name(63, 'n');
  target.sql("CREATE TABLE t (a int); CREATE INDEX " + name + " ON t (a); CREATE TABLE note ()");
  auto const sql = "REINDEX INDEX CONCURRENTLY " + name;
  auto reader = target.connect("reader");
  REQUIRE(reader->run(old_snapshot));
  auto session = target.connect(daemon::session_name(tag().store, tag().run));
  Hands hands([&] { return daemon::run_concurrent(*session, tag(), action(sql), 1, never()); });
  target.until(phase("waiting for old snapshots"));
  target.terminate("runbookd/");
  (void)hands.result();
  REQUIRE(reader->run("COMMIT"));
  REQUIRE(left_over(target));
  CHECK(run(target, sql, 2).end == AttemptEnd::done);
  CHECK_FALSE(left_over(target));
}

TEST_CASE(
    "the server's refusals for partitioned tables come before anything is sent, with the way") {
  Target target;
  target.sql(parts);
  auto const created = run(target, "CREATE INDEX CONCURRENTLY p_b ON p (a)", 1);
  CHECK(created.end == AttemptEnd::failed);
  CHECK(created.failure->sqlstate == "0A000");
  CHECK(created.failure->message.find("CREATE INDEX p_b ON ONLY p") != std::string::npos);
  auto const gone = run(target, "DROP INDEX CONCURRENTLY p_a", 2);
  CHECK(gone.end == AttemptEnd::failed);
  CHECK(gone.failure->sqlstate == "0A000");
  CHECK(target.sql("SELECT count(*) FROM runbookd.intent") == "0");
}

TEST_CASE("a half dropped database is settled as not applied, and dropped by the retry") {
  Target target;
  auto const other = target.name() + "_x";
  target.sql("CREATE DATABASE " + other);
  auto const sql = "DROP DATABASE " + other;
  set_out(target, sql);
  target.sql("UPDATE pg_database SET datconnlimit = -2 WHERE datname = '" + other + "'");
  auto const answer = settle(target, sql);
  CHECK(answer.answer == Doubt::not_applied);
  CHECK(answer.evidence.find("half dropped") != std::string::npos);
  CHECK(run(target, sql, 2).end == AttemptEnd::done);
  CHECK(target.sql("SELECT count(*) FROM pg_database WHERE datname = '" + other + "'") == "0");
}

TEST_CASE("an index dropped by us is gone although another one has its name by now") {
  Target target;
  target.sql(table);
  REQUIRE(run(target, drop, 1).end == AttemptEnd::done);
  forget_the_end(target);
  target.sql("CREATE INDEX t_b ON t (b)");
  CHECK(settle(target, drop).answer == Doubt::applied);
}

TEST_CASE("what an attempt of an earlier series saw decides nothing after a reversal") {
  Target target;
  target.sql(table);
  REQUIRE(run(target, drop, 1).end == AttemptEnd::done);
  forget_the_end(target);
  target.sql("CREATE INDEX t_b ON t (b)");  // taken back
  CHECK(run(target, drop, 3, 3).end == AttemptEnd::done);
  CHECK(target.sql(dropped) == "t");
}

TEST_CASE("a complete index is not taken for the work of a try that the server said had failed") {
  Target target;
  target.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  auto const unique = "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)";
  REQUIRE(run(target, unique, 1).end == AttemptEnd::failed);
  target.sql("DROP INDEX t_a; CREATE INDEX t_a ON t (a)");
  auto const again = run(target, unique, 2);
  CHECK(again.end == AttemptEnd::failed);
  CHECK(again.failure->sqlstate == "42P07");
}

TEST_CASE("where this role may not ask, the doubt is unknowable and the query is named") {
  Target target;
  target.sql("DO $$ BEGIN CREATE ROLE nobody LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
  target.sql(
      "GRANT USAGE ON SCHEMA runbookd TO nobody; GRANT SELECT ON ALL TABLES IN SCHEMA "
      "runbookd TO nobody");
  auto const sql = "ALTER SYSTEM SET work_mem = '5MB'";
  set_out(target, sql);
  auto const answer = settle(target, sql, 1, "nobody");
  CHECK(answer.answer == Doubt::unknowable);
  CHECK(answer.evidence.find("pg_file_settings") != std::string::npos);
  CHECK(answer.evidence.find("resolve the step by hand") != std::string::npos);
}

TEST_CASE("what no catalog tells is said to be unknowable, with what was looked at") {
  Target target;
  auto const sql = "ALTER SUBSCRIPTION s DROP PUBLICATION p";
  if (major() < 14) {
    return;  // no such statement
  }
  set_out(target, sql);
  auto const answer = settle(target, sql);
  CHECK(answer.answer == Doubt::unknowable);
  CHECK(answer.evidence.find("runbookd.intent") != std::string::npos);
  CHECK(answer.evidence.find("pg_subscription") != std::string::npos);
  CHECK(answer.evidence.find("resolve the step by hand") != std::string::npos);
}
