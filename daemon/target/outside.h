// What became of a statement outside a transaction, told by the catalog. One table knows it for
// every kind of statement: what is noted in runbookd.intent before the statement is sent, which
// query tells afterwards how far it came, and what it leaves behind. Private to daemon/target.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {

struct Sight {
  // repeatable: once more does no harm, so nobody needs to know.
  enum class State { untouched, half, done, repeatable, unknowable } state = State::unknowable;
  std::string seen;                    // "index public.i on t is complete and valid"
  std::vector<std::string> leftovers;  // invalid indexes of this attempt, qualified and quoted
  std::string builder;                 // pid of a session that may be making them; empty = nobody
  std::string finish;                  // ends what was begun, where that is another statement
  std::string query;                   // that was asked, for people
};

// A SELECT of one row (objects, relations, beside), all oid[]: the things that the statement is
// about, the tables under its indexes, and invalid indexes that were there before it.
std::string noted_sql(Session const& session, planner::Outside const& outside);

// By what this attempt of the step noted. A query that this role may not run answers unknowable.
SqlResult<Sight> look_at_catalog(Session& session, AttemptTag const& tag,
                                 planner::Outside const& outside);

// Why the statement must not be sent although nothing of ours is in its way; nothing = it may be.
SqlResult<std::optional<SqlFailure>> refusal(Session& session, planner::Outside const& outside);

}  // namespace runbookd::daemon
