// A walk over a script, statement by statement. Private to planner/: effects_script.cpp, lint/.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "planner/effects.h"
#include "planner/pg_tree.h"

namespace runbookd::planner {

struct ScriptStatement {
  Statement const& statement;
  pg::Node node;  // nothing where it could not be read
  Effects const& effects;
  Catalog const& before;
  std::size_t begin = 0, end = 0;  // bytes in the script
  std::size_t base = 0;            // what the locations in `node` count from: its text begins there
};
using VisitStatement = std::function<void(ScriptStatement const&)>;
using VisitTurnover = std::function<void(Catalog::Turnover const&)>;

struct Walked {
  Findings findings;  // what could not be read
  Catalog catalog;    // after the last statement
  std::vector<pg::Token> tokens;
};
// Each statement sees what those before it did. Where nobody visits, only the catalog is made.
// `after` each visit: what came and went by it.
Walked walk_script(SqlText script, Catalog catalog, int server_major, VisitStatement const& visit,
                   VisitTurnover const& after = {});

}  // namespace runbookd::planner
