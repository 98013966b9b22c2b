// Markdown (GitHub's) as a flat list of blocks that know their line. Which library reads it stays
// inside. Knows nothing about plans. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/diagnostic.h"

namespace runbookd::planner::markdown {

// A piece of a line: emphasis is gone, strong text and code are told.
struct Run {
  enum class Kind { text, strong, code, soft_break, hard_break } kind = Kind::text;
  std::string text;
  int line = 0;
};
using Runs = std::vector<Run>;

struct Block {
  enum class Kind { heading, paragraph, item, code, row } kind = Kind::paragraph;
  int line = 0;
  int level = 0;            // of a heading; of an item: how deep its list stands
  Runs runs;                // heading, paragraph, item
  bool task = false;        // an item with a box before it
  std::string text, info;   // code; info is the word behind the fence
  int first_line = 0;       // of the code itself
  int indent = 0;           // of the code itself, in columns
  bool header = false;      // the first row of a table
  std::vector<Runs> cells;  // row
};

std::vector<Block> read(std::string_view text);

// One text: code keeps its backticks, line breaks within a paragraph are blanks, hard ones lines.
std::string plain(Runs const& runs);

// What plain(read(escaped(text))) gives back: any text that `is_tame`.
std::string escaped(std::string_view text);
// Whether Markdown can carry the text as it is: no blanks at the ends of lines, no empty lines, no
// control characters.
bool is_tame(std::string_view text);
// A fence that no line of the text closes.
std::string fenced(std::string_view text, std::string_view info);

}  // namespace runbookd::planner::markdown
