// The strong locks that a transaction is going to need, as they are in the server: who has what is
// in their way, and the SQL that takes all of them or none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/target/session.h"
#include "planner/lock_mode.h"
#include "planner/lock_tree.h"
#include "planner/patience.h"

namespace runbookd::daemon {

// A lock that a statement will ask for, on a relation as SQL names it.
struct LockWish {
  std::string relation;
  planner::LockMode mode = planner::LockMode::access_exclusive;
  std::size_t statement = 0;  // the first of its transaction that asks for it
  bool operator==(LockWish const&) const = default;
};

struct LockHolders {
  std::vector<planner::Holder> holders;
  planner::LockGraph graph;              // the same ones in the way of `asker`, as people are told
  std::vector<int> waiting;              // of these: who waits for a lock itself
  std::vector<std::uint32_t> relations;  // where they are

  // We look and do not wait, so that the server names nobody who waits for the holders.
  static constexpr int asker = 0;
};

class LockSet {
 public:
  // Of what is wished that which exists and is worth asking for: what has rows of others in it, in
  // modes that an application or autovacuum could be in the way of.
  static SqlResult<LockSet> find(Session& session, std::vector<LockWish> const& wishes);

  bool empty() const { return relations_.empty(); }
  // Before it no lock is needed.
  std::size_t first_statement() const { return first_statement_; }
  SqlResult<LockHolders> look(Session& session) const;
  // Inside a transaction: waits at most so long, and only for one relation, where `seen` has
  // holders, before anything else is locked. Leaves no line in the server's log where it fails.
  // What remains of `budget` is then the lock_timeout.
  std::string take_sql(Session const& session, LockHolders const& seen, planner::Duration wait,
                       planner::Duration budget) const;
  // Asks what became of it.
  static std::string_view const asked;
  static bool held(SqlResult<Rows> const& answer);
  // A transaction of its own that waits for an autovacuum until that gives way, in a mode that
  // stops neither readers nor writers.
  std::string evict_sql(Session const& session, LockHolders const& seen) const;

 private:
  struct Relation {
    std::uint32_t oid = 0;
    std::string name;
    planner::LockMode mode = planner::LockMode::access_exclusive;
    bool lockable = true;  // by LOCK TABLE, and by us
  };
  std::vector<Relation> relations_;  // by oid: whoever takes several goes the same way
  std::size_t first_statement_ = 0;
};

}  // namespace runbookd::daemon
