// A run's snapshot as lines for people. Pure: the same snapshot, size and moment give the same
// lines.
#pragma once

#include <string>

#include "planner/time.h"
#include "web/ctl/json.h"
#include "web/ctl/line.h"

namespace runbookd::ctl {

struct View {
  int width = 100;
  int height = 0;  // 0: as many lines as it takes
  planner::Moment now{};
  planner::Duration utc_offset{};
  Look look;
  bool expand_all = false;  // every phase with its steps and checks
  std::string only_phase;   // with expand_all: just this one
  std::string footer;       // keys and notes of the live view
};

Lines render_run(Json const& snapshot, View const& view);

// Parts of it, in files of their own.
struct Block {
  Lines lines;
  int focus = 0;  // the line that matters most when there is no room for all
};
Block render_phases(Json const& snapshot, View const& view);
// The daemon's sentence in lines of words, at most so many for each part of it; commands are never
// cut.
Lines render_message(std::string const& message, int indent, int most, View const& view);
// The column that the names of these need; long ones are cut.
int name_width_of(Json const& list);
Lines render_checks(Json const& checks, int indent, View const& view);
// Of what is over: those that passed are only counted.
Lines render_past_checks(Json const& checks, int indent, View const& view);
// What goes on in the step that is being carried out: lock wait, blockers, backfill.
Lines render_live(Json const& live, int indent, View const& view);
// How far a backfill that is not at work has come; nothing once it is done.
Lines render_progress(Json const& step, int indent, View const& view);
Lines render_mismatch(Json const& mismatch, int indent, View const& view);

}  // namespace runbookd::ctl
