// Private to planner/import*: the ways back of a document, dealt out to the steps that they undo
// by what both are about; and steps that undo others, though their heading does not say so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/import_parts.h"
#include "planner/inverse.h"

namespace runbookd::planner::import {

struct Deed {
  Statement statement;
  std::vector<Change> changes;
  std::string said;                   // its words, to compare
  std::vector<std::string> inverses;  // those of what takes each change back; empty = not known
  explicit Deed(Statement one);
};
// It brings back what the earlier statement changed, wholly or in part.
bool undoes(Deed const& later, Deed const& earlier);

class WaysBack {
 public:
  WaysBack(Report& report, std::vector<BackText> const& texts);

  // SQL of the document that takes the statement back; those below the phase's own headings first.
  std::optional<std::string> taking_back(Statement const& statement, PhaseText const& phase);
  bool knows(std::string const& subject) const;
  // Those that undo none of the document's statements.
  void tell_unused(Statements const& forward);

 private:
  struct Way {
    Deed deed;
    BackText const* text = nullptr;
    bool used = false;
  };
  std::vector<Way*> candidates(Deed const& forward, PhaseText const& phase);

  Report& report_;
  std::vector<Way> ways_;
};

// Statements that stand as steps and undo earlier steps, where no heading makes a phase of it.
void judge_undone(Report& report, std::vector<PhaseText> const& phases);

}  // namespace runbookd::planner::import
