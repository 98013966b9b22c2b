// Private to planner/import*: the sections of a document, gathered before anything is made of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/import_parts.h"

namespace runbookd::planner::import {

struct DocumentText {
  std::string title, name;
  Draft head = Draft::object();  // metadata, database, overview, compatibility, performance …
  std::vector<LockClaim> claims;
  std::vector<PhaseText> phases;
  std::vector<BackText> ways_back;
  std::vector<Code> baselines, final_checks;
  std::vector<Draft> checklist;  // entries of the plan's own list
  std::vector<Draft> exact_final_checks;
  Draft exact_baselines = Draft::object();
  bool deploys_listed = false;  // some checklist says what to deploy when
};

// unknown: nothing that the form has; SQL that stands there is a phase of its own.
enum class Section { head, phases, validation, tables, runbook, unknown, ignored };
std::optional<Section> section_of(std::string const& heading);  // in lower case

// "Phase 2 — Backfill", "Step 3: …", "2. Enforce": the number, and the words behind it.
struct Numbered {
  int number = 0;
  std::string rest;
};
std::optional<Numbered> numbered(std::string_view heading);

// "Rollback of phase 2": the number, wherever it stands; 0 = none.
int number_in(std::string_view words);
// The last first-level heading before the phases: a form may carry its instructions above.
std::size_t start_of_document(std::vector<Block> const& blocks);

// By its number, its title, or words of its kind.
PhaseText* phase_named(std::vector<PhaseText>& phases, std::string const& words);
// A paragraph that only says what the code below it is.
bool is_label(Block const& paragraph, Field const& field);
std::string title_of(Report& report, Block const& heading);

// What words of a heading or label say that a phase, or the code below it, is for.
PhaseKind kind_of(std::string const& words);
Role role_of(std::string const& label);
bool is_sql(Block const& code);
bool only_reads(std::string const& sql);
// Takes off what stands behind a line such as "-- Rollback" between two statements.
std::optional<SqlText> cut_way_back(SqlText& script);

// The head of the document: who, when, what and why.
void put_head_field(Report& report, Field const& field, DocumentText& document);
// A row of the table whose first row is `header`: what changes, or which locks are taken.
void put_row(Report& report, Block const& header, Block const& row, DocumentText& document);

DocumentText read_document_text(Report& report, std::string const& text);

}  // namespace runbookd::planner::import
