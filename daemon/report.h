// The evidence of one run, for whoever was not there: what was to be done, who did what when and
// why, what the checks saw, and the hashes by which all of it can be checked. Pure.
#pragma once

#include <string>
#include <vector>

#include "planner/time.h"
#include "store/audit.h"

namespace runbookd::daemon {

// Everything as the documents that the API has of it.
struct RunEvidence {
  std::string snapshot;
  std::string plan;  // canonical: its SHA-256 is the plan's digest
  struct Event {
    std::string json, hash;
  };
  std::vector<Event> events;
  std::vector<store::AuditRow> audit;  // entries about the run, in their order
  std::string key, checkpoint;         // that covers the last of them
  planner::Moment made{};
};

std::string report_json(RunEvidence const& evidence);

// The same for people.
struct ReportTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
struct ReportSection {
  std::string title;
  std::vector<std::string> paragraphs;
  ReportTable table;         // may be empty
  std::string preformatted;  // may be empty
};
struct Report {
  std::string title;
  std::vector<ReportSection> sections;
};
Report report_of(RunEvidence const& evidence);

std::string to_markdown(Report const& report);
std::string to_html(Report const& report);  // one page that needs nothing else, without script

}  // namespace runbookd::daemon
