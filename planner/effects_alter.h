// One command of an ALTER TABLE. Private to planner/effects_alter.cpp and effects_column.cpp.
#pragma once

#include <string>
#include <vector>

#include "planner/effects_recorder.h"
#include "planner/pg_tree.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {

struct Alter {
  Recorder& r;
  Relation const& table;
  pg::Node command;
  LockMode mode;
  bool down;  // not ONLY
  pg::Nodes all;
  std::string name() const { return command.text("name"); }
  std::string column_words() const {
    return "column " + to_sql(table.name) + "." + quoted_identifier(name());
  }
};

void each_table(Alter const& alter, void (*visit)(Alter const&, Relation const&));
void add_column(Alter const& alter);
void drop_column(Alter const& alter);
void set_not_null(Alter const& alter);

}  // namespace runbookd::planner
