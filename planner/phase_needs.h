// What a phase will ask of a server: which tables it works on, what it builds and writes anew. As
// far as the text of its statements tells. Pure.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"

namespace runbookd::planner {

struct PhaseTable {
  std::string schema;  // empty = found by search_path
  std::string name;
  auto operator<=>(PhaseTable const&) const = default;
};
struct IndexBuild {
  PhaseTable table;
  std::string name;
  std::vector<std::string> columns;
  int expressions = 0;
  bool operator==(IndexBuild const&) const = default;
};

// Of one statement; a table that is written anew is named also where a condition of the catalog
// may spare it that.
struct HeavyWork {
  std::vector<IndexBuild> builds;
  std::vector<PhaseTable> rewrites;
};
HeavyWork heavy_work(Statement const& statement);

struct PhaseNeeds {
  std::string phase;
  std::vector<PhaseTable> tables;  // that it changes, each once
  std::vector<IndexBuild> builds;
  std::vector<PhaseTable> rewrites;  // tables that it may write anew as a whole
  bool waits_for_snapshots = false;  // CREATE INDEX CONCURRENTLY and its like wait for every older
                                     // transaction
  bool writes_much = false;          // builds, rewrites or fills in
  int connections = 0;
};
PhaseNeeds needs_of_phase(Plan const& plan, int phase);

}  // namespace runbookd::planner
