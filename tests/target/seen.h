// What a statement does to the relations of a server's database, as that server shows it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "daemon/target/session.h"

namespace runbookd::testing {

using Names = std::set<std::string>;
using Locks = std::map<std::string, std::string>;

struct Seen {
  Locks tables, others;  // held at the end of the statement
  Names rewrites, emptied, scans, rebuilt;
};

// Run once, before the first statement that is looked at: what is there, and where its rows lie.
extern char const* const remember_relations;
int strength(std::string const& mode);  // of a lock: 0 for AccessShareLock
using Counts = std::map<std::string, std::string>;
Counts scans_of(daemon::Session& session);  // before the statement, in its transaction
Seen look(daemon::Session& session, Counts const& before);

}  // namespace runbookd::testing
