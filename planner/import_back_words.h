// Private to planner/import*: which headings and labels speak of a way back. Pure.
#pragma once

#include <string_view>

namespace runbookd::planner::import {

// A document that is read wrongly here does its own undoing as a step. So many words count, and the
// unsure ones (`perhaps`: "Restore the foreign keys", `likely`: "Emergency procedure") are told
// where their SQL takes back nothing.
enum class SaysBack { no, perhaps, likely, surely };
struct BackWords {
  SaysBack says = SaysBack::no;
  bool leading = false;  // "Rollback of phase 2", not "Expand, with a fallback"
};
BackWords back_words(std::string_view text);
inline bool says_way_back(std::string_view text) { return back_words(text).says != SaysBack::no; }

}  // namespace runbookd::planner::import
