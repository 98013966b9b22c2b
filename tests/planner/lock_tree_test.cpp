#include "planner/lock_tree.h"

#include <doctest/doctest.h>

using namespace runbookd::planner;

namespace {

LockSession session(int pid, int seconds, std::string application = "app") {
  return {.pid = pid,
          .user = "u",
          .application = std::move(application),
          .backend_type = "client backend",
          .state = "active",
          .query = "SELECT 1",
          .transaction_age = std::chrono::seconds(seconds)};
}
LockEdge edge(int waiter, int blocker, std::optional<Duration> waited = std::nullopt) {
  return {.waiter = waiter,
          .blocker = blocker,
          .wanted = "AccessExclusiveLock",
          .held = "AccessShareLock",
          .relation = "t",
          .waited = waited};
}
std::vector<int> pids(std::vector<Blocker> const& blockers) {
  std::vector<int> all;
  for (auto const& blocker : blockers) {
    all.push_back(blocker.pid);
  }
  return all;
}

}  // namespace

TEST_CASE("who waits for nobody is the root; whoever waits for it is not") {
  LockGraph const graph{.sessions = {session(1, 1), session(2, 5), session(3, 60)},
                        .edges = {edge(1, 2), edge(2, 3)}};
  auto const tree = blockers_of(graph, {1});
  REQUIRE(pids(tree) == std::vector{2, 3});
  CHECK_FALSE(tree[0].root);
  CHECK(tree[0].depth == 1);
  CHECK(tree[1].root);
  CHECK(tree[1].depth == 2);
}

TEST_CASE("the oldest transaction comes first, with those in its own way right behind it") {
  LockGraph const graph{.sessions = {session(1, 1), session(2, 5), session(3, 60), session(4, 9)},
                        .edges = {edge(1, 2), edge(1, 3), edge(3, 4)}};
  CHECK(pids(blockers_of(graph, {1})) == std::vector{3, 4, 2});
}

TEST_CASE("a circle of waits ends, and each session is named once") {
  LockGraph const graph{.sessions = {session(1, 1), session(2, 2), session(3, 3)},
                        .edges = {edge(1, 2), edge(2, 3), edge(3, 2), edge(3, 1)}};
  CHECK(pids(blockers_of(graph, {1})) == std::vector{2, 3});
}

TEST_CASE("our sessions are no blockers of each other, and a long list is cut") {
  LockGraph graph{.sessions = {session(1, 1), session(2, 1)}, .edges = {edge(1, 2)}};
  CHECK(blockers_of(graph, {1, 2}).empty());
  for (int pid = 100; pid < 200; ++pid) {
    graph.sessions.push_back(session(pid, pid));
    graph.edges.push_back(edge(1, pid));
  }
  CHECK(blockers_of(graph, {1, 2}).size() == most_blockers);
}

TEST_CASE("those behind us are counted with those behind them; the longest wait comes first") {
  LockGraph const graph{
      .sessions = {session(1, 1), session(2, 1), session(3, 1), session(4, 1)},
      .edges = {edge(2, 1, Duration(50)), edge(3, 2, Duration(200)), edge(4, 9, Duration(900))}};
  auto const waiters = waiters_for(graph, {1});
  REQUIRE(waiters.size() == 2);
  CHECK(waiters[0].pid == 3);
  CHECK(waiters[1].pid == 2);
  CHECK(behind(waiters) == Behind{.sessions = 2, .longest = Duration(200)});
  CHECK(behind({}) == std::nullopt);
}

TEST_CASE("the kind of a blocker decides what ends it") {
  auto const one = [](LockSession const& blocker) {
    return blockers_of({.sessions = {session(1, 1), blocker}, .edges = {edge(1, blocker.pid)}}, {1})
        .at(0);
  };
  auto vacuum = session(7, 1, "");
  vacuum.backend_type = "autovacuum worker";
  vacuum.query = "autovacuum: VACUUM public.t";
  CHECK(one(vacuum).kind == BlockerKind::autovacuum);
  CHECK(one(vacuum).application == "autovacuum worker");
  CHECK(command_that_ends(one(vacuum)) == "SELECT pg_cancel_backend(7)");
  vacuum.query += " (to prevent wraparound)";
  CHECK(one(vacuum).kind == BlockerKind::wraparound_vacuum);
  CHECK(one(session(8, 1, "pg_dump")).kind == BlockerKind::dump);
  CHECK(one(session(8, 1, "runbookd/abc/run_1")).kind == BlockerKind::runbookd);
  CHECK(command_that_ends(one(session(8, 1))) == "SELECT pg_terminate_backend(8)");
  CHECK(advice_on(one(session(8, 1))).starts_with("it is at work"));
  auto apply = session(9, 1, "sub");
  apply.backend_type = "logical replication worker";
  CHECK(one(apply).kind == BlockerKind::replication);
  auto prepared = session(-2, 1, "prepared transaction");
  prepared.query = "PREPARE TRANSACTION 'it''s'";
  CHECK(one(prepared).kind == BlockerKind::prepared);
  CHECK(one(prepared).pid == 0);
  CHECK(command_that_ends(one(prepared)) == "ROLLBACK PREPARED 'it''s'");
}

TEST_CASE("a blocker of an older record is told without a command that would be wrong") {
  CHECK(command_that_ends({.pid = 0}).empty());
}
