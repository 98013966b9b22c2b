#include "planner/preflight.h"

#include <doctest/doctest.h>

#include "planner/plan_reader.h"

using namespace runbookd::planner;
using namespace std::chrono_literals;

namespace {

PhaseNeeds needs() { return {.phase = "expand", .tables = {{"", "t"}}, .connections = 3}; }

Weather fair() {
  return {.role = "mover",
          .connections_used = 10,
          .connections_allowed = 97,
          .free_disk = std::int64_t{1} << 40,
          .disk_told = "of /data"};
}

PreflightItem const& item(Preflight const& preflight, std::string const& name) {
  for (auto const& one : preflight.items) {
    if (one.name == name) {
      return one;
    }
  }
  throw std::runtime_error("no item " + name);
}

SeenTransaction transaction(Duration age, std::vector<std::string> tables = {}) {
  return {.session = {.pid = 7,
                      .user = "app",
                      .application = "shop",
                      .backend_type = "client backend",
                      .state = "idle in transaction",
                      .query = "SELECT 1",
                      .transaction_age = age},
          .holds_snapshot = true,
          .tables = std::move(tables)};
}

Go verdict_with(SeenTransaction const& one, PhaseNeeds const& of = needs()) {
  auto weather = fair();
  weather.transactions = {one};
  return judge_preflight(of, weather).verdict;
}

}  // namespace

TEST_CASE("in fair weather everything says go, and each thing is told") {
  auto const preflight = judge_preflight(needs(), fair());
  CHECK(preflight.verdict == Go::go);
  for (auto const* name : {"transactions", "dump", "wraparound_vacuum", "prepared", "standbys",
                           "slots", "disk", "temp", "connections"}) {
    CHECK(item(preflight, name).verdict == Go::go);
    CHECK_FALSE(item(preflight, name).message.empty());
    CHECK(item(preflight, name).next.empty());
  }
}

TEST_CASE("how long a transaction may last depends on what it holds") {
  CHECK(verdict_with(transaction(9s, {"t"})) == Go::go);
  CHECK(verdict_with(transaction(10s, {"t"})) == Go::wait);
  CHECK(verdict_with(transaction(29min)) == Go::go);
  CHECK(verdict_with(transaction(30min)) == Go::wait);
  auto concurrent = needs();
  concurrent.waits_for_snapshots = true;
  CHECK(verdict_with(transaction(59s), concurrent) == Go::go);
  CHECK(verdict_with(transaction(60s), concurrent) == Go::wait);
  auto without_snapshot = transaction(60s);
  without_snapshot.holds_snapshot = false;
  CHECK(verdict_with(without_snapshot, concurrent) == Go::go);
}

TEST_CASE("a transaction in the way is named with its session, its age and what ends it") {
  auto weather = fair();
  weather.transactions = {transaction(70s, {"t", "u"})};
  auto const preflight = judge_preflight(needs(), weather);
  auto const& found = item(preflight, "transactions");
  CHECK(found.message ==
        "pid 7 (app, shop, idle in transaction, 70s in its transaction) holds a lock on t, u");
  CHECK(found.next == "SELECT pg_terminate_backend(7)");
  weather.transactions.front().session.state = "active";
  CHECK(item(judge_preflight(needs(), weather), "transactions").next ==
        "let it end, or end it: SELECT pg_terminate_backend(7)");
  CHECK(found.pid == 7);
  CHECK(found.age == 70s);
}

TEST_CASE("what nobody can wait out is a no-go on a table of the phase") {
  auto prepared = transaction(1s, {"t"});
  prepared.session.pid = -1;
  prepared.session.query = "PREPARE TRANSACTION 'x'";
  CHECK(verdict_with(prepared) == Go::wait);  // perhaps its commit is on its way
  prepared.session.transaction_age = 2min;
  CHECK(verdict_with(prepared) == Go::no_go);
  auto weather = fair();
  weather.transactions = {prepared};
  CHECK(item(judge_preflight(needs(), weather), "prepared").next == "ROLLBACK PREPARED 'x'");
  prepared.tables.clear();
  CHECK(verdict_with(prepared) == Go::wait);
  auto vacuum = transaction(1s, {"t"});
  vacuum.session.backend_type = "autovacuum worker";
  vacuum.session.query = "autovacuum: VACUUM public.t (to prevent wraparound)";
  CHECK(verdict_with(vacuum) == Go::no_go);
  vacuum.tables.clear();
  CHECK(verdict_with(vacuum) == Go::go);
}

TEST_CASE("a dump is waited for, an ordinary autovacuum is not") {
  auto dump = transaction(0s);
  dump.session.application = "pg_dump";
  CHECK(verdict_with(dump) == Go::wait);
  auto vacuum = transaction(1h, {"t"});
  vacuum.session.backend_type = "autovacuum worker";
  CHECK(verdict_with(vacuum) == Go::go);
}

TEST_CASE("a standby that is far behind, and one whose place is not told") {
  auto const with = [](SeenStandby standby) {
    auto weather = fair();
    weather.standbys = {std::move(standby)};
    return item(judge_preflight(needs(), weather), "standbys").verdict;
  };
  CHECK(with({.name = "b", .lag = 1s, .bytes = 100}) == Go::go);
  CHECK(with({.name = "b", .lag = 10s, .bytes = 100}) == Go::wait);
  CHECK(with({.name = "b", .bytes = 16 * 1024 * 1024}) == Go::wait);
  CHECK(with({.name = "b", .lag = 10min, .bytes = 100}) == Go::no_go);
  CHECK(with({.name = "b"}) == Go::unknown);
}

TEST_CASE("a slot that nobody uses is waited for; a lost one is a no-go where much is written") {
  auto const with = [](SeenSlot slot, bool much) {
    auto weather = fair();
    weather.slots = {std::move(slot)};
    auto of = needs();
    of.writes_much = much;
    return judge_preflight(of, weather).verdict;
  };
  CHECK(with({.name = "s", .wal_status = "reserved", .active = true}, true) == Go::go);
  CHECK(with({.name = "s", .wal_status = "reserved"}, true) == Go::wait);
  CHECK(with({.name = "s", .wal_status = "lost"}, false) == Go::wait);
  CHECK(with({.name = "s", .wal_status = "unreserved", .active = true}, true) == Go::no_go);
}

TEST_CASE("an index is held against the free disk by its columns' widths") {
  auto of = needs();
  of.builds = {{.table = {"", "t"}, .name = "i", .columns = {"a", "new"}, .expressions = 1}};
  auto weather = fair();
  weather.tables = {{.table = {"", "t"}, .name = "t", .rows = 9'000, .widths = {{"a", 8}}}};
  auto const bytes = std::int64_t{9'000} * (12 + 16 + 8 + 16) * 10 / 9;
  REQUIRE(expected_bytes(of, weather) == bytes);
  auto const with_free = [&](std::int64_t free) {
    weather.free_disk = free;
    return item(judge_preflight(of, weather), "disk").verdict;
  };
  CHECK(with_free(bytes - 1) == Go::no_go);
  CHECK(with_free(3 * bytes - 1) == Go::wait);
  CHECK(with_free(3 * bytes) == Go::go);
  weather.temp_limit = bytes - 1;
  CHECK(item(judge_preflight(of, weather), "temp").verdict == Go::no_go);
}

TEST_CASE("what nobody has counted is not taken for nothing") {
  auto of = needs();
  of.builds = {{.table = {"", "t"}, .name = "i", .columns = {"a"}}};
  auto weather = fair();
  weather.tables = {{.table = {"", "t"}, .name = "public.t", .rows = -1, .bytes = 150'000'000}};
  auto preflight = judge_preflight(of, weather);
  CHECK(item(preflight, "disk").verdict == Go::unknown);
  CHECK(item(preflight, "disk").next == "ANALYZE public.t");
  CHECK(item(preflight, "temp").verdict == Go::go);
  weather.temp_limit = 1'000;
  preflight = judge_preflight(of, weather);
  CHECK(item(preflight, "temp").verdict == Go::unknown);
  of.builds.clear();
  CHECK(item(judge_preflight(of, weather), "disk").verdict == Go::go);
}

TEST_CASE("free disk that nobody can tell is unknown, and does not decide") {
  auto weather = fair();
  weather.free_disk.reset();
  weather.disk_told = "the server is on another host";
  auto const preflight = judge_preflight(needs(), weather);
  CHECK(item(preflight, "disk").verdict == Go::unknown);
  CHECK(preflight.verdict == Go::go);
}

TEST_CASE("a role that sees nothing of others does not say that nobody is there") {
  auto weather = fair();
  weather.sees_sessions = false;
  auto const preflight = judge_preflight(needs(), weather);
  CHECK(item(preflight, "transactions").verdict == Go::unknown);
  CHECK(item(preflight, "transactions").next == "GRANT pg_monitor TO mover");
}

TEST_CASE("too few connections are a no-go, few a reason to wait") {
  auto const with_used = [](int used) {
    auto weather = fair();
    weather.connections_used = used;
    return judge_preflight(needs(), weather).verdict;
  };
  CHECK(with_used(97 - 2) == Go::no_go);
  CHECK(with_used(97 - 3) == Go::wait);
  CHECK(with_used(97 - 6) == Go::go);
}

TEST_CASE("what a phase asks for is read from its statements") {
  auto const read = read_plan(R"yaml(
runbook: 1
name: n
phases:
  - name: p
    kind: other
    steps:
      - {name: a, sql: "CREATE INDEX CONCURRENTLY i ON app.t (a, lower(b)) INCLUDE (c)", irreversible: x}
      - {name: b, sql: "ALTER TABLE u ALTER COLUMN a TYPE bigint", irreversible: x}
      - {name: c, sql: "VACUUM FULL v", irreversible: x}
      - {name: d, sql: "VACUUM w", irreversible: x}
)yaml",
                              "plan.yaml");
  REQUIRE(read.plan);
  auto const found = needs_of_phase(*read.plan, 0);
  CHECK(found.phase == "p");
  REQUIRE(found.builds.size() == 1);
  CHECK(found.builds[0].table == PhaseTable{"app", "t"});
  CHECK(found.builds[0].columns == std::vector<std::string>{"a", "c"});
  CHECK(found.builds[0].expressions == 1);
  CHECK(found.rewrites == std::vector<PhaseTable>{{"", "u"}, {"", "v"}});
  CHECK(found.tables == std::vector<PhaseTable>{{"app", "t"}, {"", "u"}, {"", "v"}, {"", "w"}});
  CHECK(found.waits_for_snapshots);
  CHECK(found.writes_much);
}
