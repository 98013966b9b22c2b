// A plan as the document that people read, sign and keep: in the form of a migration plan written
// by hand, with the locks that its statements take. import_markdown makes the same plan of it.
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "planner/catalog.h"
#include "planner/plan.h"

namespace runbookd::planner {

// What a run has recorded, each a line of Markdown, by "phase expand", "step expand/add-column",
// "check expand/nothing-left" (also requirement and watch), "final check nothing-lost" and
// "baseline total_users". The import passes over it.
struct RunRecord {
  std::vector<std::string> head;  // which run, on what, when, how it ended
  std::map<std::string, std::vector<std::string>> lines;
};

std::string render_markdown(Plan const& plan, Catalog const& catalog = {}, int server_major = 18,
                            RunRecord const& record = {});
// Text from elsewhere, so that it means itself in Markdown.
std::string markdown_text(std::string const& text);

}  // namespace runbookd::planner
