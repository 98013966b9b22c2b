#include "planner/lock_tree.h"

#include <algorithm>
#include <set>

namespace runbookd::planner {
namespace {

bool holds(std::vector<int> const& pids, int pid) {
  return std::ranges::find(pids, pid) != pids.end();
}

LockSession const* session_of(LockGraph const& graph, int pid) {
  auto const found = std::ranges::find(graph.sessions, pid, &LockSession::pid);
  return found == graph.sessions.end() ? nullptr : &*found;
}

BlockerKind kind_of(LockSession const& session) {
  if (session.pid < 0) {
    return BlockerKind::prepared;
  }
  if (session.backend_type == "autovacuum worker") {
    bool const must = session.query.find("(to prevent wraparound)") != std::string::npos;
    return must ? BlockerKind::wraparound_vacuum : BlockerKind::autovacuum;
  }
  if (session.backend_type.starts_with("logical replication") ||
      session.backend_type == "walsender") {
    return BlockerKind::replication;
  }
  if (session.application.starts_with("runbookd/")) {
    return BlockerKind::runbookd;
  }
  bool const dumps = session.application == "pg_dump" || session.application == "pg_dumpall";
  return dumps ? BlockerKind::dump : BlockerKind::session;
}

Blocker blocker_of(LockEdge const& edge, LockSession const& session, int depth) {
  auto const& name = session.application;
  return {.pid = std::max(session.pid, 0),
          .user = session.user,
          .application = name.empty() ? session.backend_type : name,
          .state = session.state,
          .query = session.query,
          .transaction_age = session.transaction_age,
          .lock_mode = edge.held,
          .relation = edge.relation,
          .kind = kind_of(session),
          .depth = depth};
}

// Walks from ours to whoever they wait for. A session is listed once, where it is met first, so
// that a circle (the server is about to end it as a deadlock) ends here too.
class Climb {
 public:
  Climb(LockGraph const& graph, std::vector<int> const& ours)
      : graph_(graph), met_(ours.begin(), ours.end()) {
    for (int const pid : ours) {
      climb(pid, 1);
    }
  }
  std::vector<Blocker> tree() && { return std::move(tree_); }

 private:
  void climb(int waiter, int depth) {
    for (auto const* edge : edges_of(waiter)) {
      auto const* session = session_of(graph_, edge->blocker);
      if (session == nullptr || tree_.size() == most_blockers ||
          !met_.insert(edge->blocker).second) {
        continue;
      }
      tree_.push_back(blocker_of(*edge, *session, depth));
      tree_.back().root = edges_of(edge->blocker).empty();
      climb(edge->blocker, depth + 1);
    }
  }
  std::vector<LockEdge const*> edges_of(int waiter) const {
    std::vector<LockEdge const*> edges;
    for (auto const& edge : graph_.edges) {
      if (edge.waiter == waiter) {
        edges.push_back(&edge);
      }
    }
    std::ranges::stable_sort(edges, std::greater{},
                             [this](LockEdge const* edge) { return age(edge->blocker); });
    return edges;
  }
  Duration age(int pid) const {
    auto const* session = session_of(graph_, pid);
    return session == nullptr ? Duration{} : session->transaction_age;
  }

  LockGraph const& graph_;
  std::set<int> met_;
  std::vector<Blocker> tree_;
};

Waiter waiter_of(LockGraph const& graph, LockEdge const& edge) {
  auto const* session = session_of(graph, edge.waiter);
  auto const known = session == nullptr ? LockSession{} : *session;
  return {.pid = edge.waiter,
          .user = known.user,
          .application = known.application.empty() ? known.backend_type : known.application,
          .query = known.query,
          .wanted = edge.wanted,
          .relation = edge.relation,
          .waited = edge.waited};
}

}  // namespace

std::vector<Blocker> blockers_of(LockGraph const& graph, std::vector<int> const& ours) {
  return Climb(graph, ours).tree();
}

std::vector<Waiter> waiters_for(LockGraph const& graph, std::vector<int> const& ours) {
  std::vector<int> awaited = ours;
  std::vector<Waiter> waiters;
  for (std::size_t i = 0; i < awaited.size(); ++i) {
    for (auto const& edge : graph.edges) {
      if (edge.blocker == awaited[i] && !holds(awaited, edge.waiter)) {
        awaited.push_back(edge.waiter);
        waiters.push_back(waiter_of(graph, edge));
      }
    }
  }
  std::ranges::stable_sort(waiters, std::greater{},
                           [](Waiter const& waiter) { return waiter.waited.value_or(Duration{}); });
  return waiters;
}

std::optional<Behind> behind(std::vector<Waiter> const& waiters) {
  if (waiters.empty()) {
    return std::nullopt;
  }
  return Behind{.sessions = static_cast<int>(waiters.size()),
                .longest = waiters.front().waited.value_or(Duration{})};
}

bool is_idle(Blocker const& blocker) { return blocker.state.starts_with("idle in transaction"); }

std::string command_that_ends(Blocker const& blocker) {
  constexpr std::string_view prepare = "PREPARE TRANSACTION ";
  auto const pid = std::to_string(blocker.pid);
  switch (blocker.kind) {
    case BlockerKind::prepared:
      return blocker.query.starts_with(prepare)
                 ? "ROLLBACK PREPARED " + blocker.query.substr(prepare.size())
                 : "";
    case BlockerKind::autovacuum:
    case BlockerKind::wraparound_vacuum:
      return "SELECT pg_cancel_backend(" + pid + ")";
    case BlockerKind::session:
    case BlockerKind::dump:
    case BlockerKind::replication:
    case BlockerKind::runbookd:
      // older records know neither kind
      return blocker.pid == 0 ? "" : "SELECT pg_terminate_backend(" + pid + ")";
  }
  __builtin_unreachable();
}

std::string advice_on(Blocker const& blocker) {
  switch (blocker.kind) {
    case BlockerKind::session:
      return is_idle(blocker)
                 ? "its transaction is open and does nothing: whoever owns it can commit or end it"
                 : "it is at work, and what it does is lost to its application if it is ended";
    case BlockerKind::dump:
      return "a dump keeps its locks to its end; ended, it has to be made anew";
    case BlockerKind::autovacuum:
      return "an ordinary autovacuum gives way to whoever waits longer than deadlock_timeout";
    case BlockerKind::wraparound_vacuum:
      return "this vacuum prevents the wraparound of transaction numbers and gives way to nobody; "
             "let it end: cancelled, it begins anew";
    case BlockerKind::prepared:
      return "a prepared transaction has no session and outlives restarts: commit it or roll it "
             "back where its manager knows nothing of it any more";
    case BlockerKind::replication:
      return "replication: ended, it connects again by itself";
    case BlockerKind::runbookd:
      return "a run of runbookd; pause that run rather than end its session";
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner
