// The head of a document: who, when, what, why; and its tables.
#include <algorithm>
#include <array>

#include "planner/document.h"
#include "planner/import_document.h"
#include "planner/variables.h"

namespace runbookd::planner::import {
namespace {

struct Place {
  std::string_view label;
  char const* part;  // nullptr = of the plan itself
  char const* key;
};
constexpr std::array places{
    Place{"service", "metadata", "service"},
    Place{"team", "metadata", "team"},
    Place{"author", "metadata", "author"},
    Place{"authors", "metadata", "author"},
    Place{"owner", "metadata", "author"},
    Place{"ticket", "metadata", "ticket"},
    Place{"jira", "metadata", "ticket"},
    Place{"target deploy date", "metadata", "target_deploy_date"},
    Place{"deploy date", "metadata", "target_deploy_date"},
    Place{"what is changing", "overview", "what"},
    Place{"what", "overview", "what"},
    Place{"change", "overview", "what"},
    Place{"why", "overview", "why"},
    Place{"reason", "overview", "why"},
    Place{"motivation", "overview", "why"},
    Place{"migration type", "overview", "type"},
    Place{"type", "overview", "type"},
    Place{"rollback window", "overview", "rollback_window"},
    Place{"estimated migration duration", "overview", "estimated_duration"},
    Place{"estimated duration", "overview", "estimated_duration"},
    Place{"on failure", nullptr, "on_failure"},
    Place{"on restart", nullptr, "on_restart"},
};

void put_reviewers(Field const& field, Draft& head) {
  auto list = Draft::array();
  auto const& value = field.value;
  if (value.starts_with("`[") && value.ends_with("]`")) {
    auto const spelled = Draft::parse(value.substr(1, value.size() - 2), nullptr, false);
    list = spelled.is_array() ? spelled : list;
  } else {
    for (std::size_t start = 0; start <= value.size();) {
      auto const end = std::min(value.find(',', start), value.size());
      if (auto name = trimmed(value.substr(start, end - start)); !name.empty()) {
        list.push_back(escape(name));
      }
      start = end + 1;
    }
  }
  if (!list.empty()) {
    head["metadata"]["reviewers"] = list;
  }
}

void put_engine(Report& report, Field const& field, Draft& head) {
  auto const low = lower(field.value);
  if (!mentions(low, "postgres", "pg")) {
    report.say(
        Severity::error, field.line, "import/engine",
        "the document is written for " + field.value + ", and runbookd knows PostgreSQL only",
        "rewrite its SQL for PostgreSQL");
    return;
  }
  auto const digit = low.find_first_of("0123456789");
  if (digit != std::string::npos) {
    auto const end = std::min(low.find_first_not_of("0123456789", digit), low.size());
    head["database"] = {{"engine", "postgresql"},
                        {"version", ">=" + low.substr(digit, end - digit)}};
  }
}

bool says_no(std::string const& value) {
  auto const low = lower(trimmed(value));
  return low.starts_with("no") || low.starts_with("false") || low.starts_with("❌");
}

std::string cell(Block const& row, std::size_t column) {
  return column < row.cells.size() ? trimmed(value_of(row.cells[column])) : "";
}

// The first column whose heading has one of the words.
template <typename... Words>
std::size_t column_of(Block const& header, Words... words) {
  for (std::size_t i = 0; i < header.cells.size(); ++i) {
    if (mentions(lower(markdown::plain(header.cells[i])), words...)) {
      return i;
    }
  }
  return header.cells.size();
}

bool all_placeholder(Block const& row) {
  return !row.cells.empty() && is_placeholder(markdown::plain(row.cells.front()));
}

std::string exact_cell(Block const& row, std::size_t column) {
  return column < row.cells.size() ? value_of(row.cells[column]) : "";
}

void put(Draft& entry, char const* key, std::string const& text) {
  if (!text.empty()) {
    entry[key] = escape(text);
  }
}

void put_change(Block const& header, Block const& row, Draft& head) {
  Draft entry = Draft::object();
  entry["change"] = escape(exact_cell(row, column_of(header, "change", "operation")));
  entry["backward_compatible"] = !says_no(cell(row, column_of(header, "compat", "safe")));
  put(entry, "risk", exact_cell(row, column_of(header, "risk")));
  put(entry, "notes", exact_cell(row, column_of(header, "note", "comment", "why")));
  head["compatibility"].push_back(std::move(entry));
}

void put_claim(Block const& header, Block const& row, DocumentText& document) {
  PerformanceNote const note{
      .step = exact_cell(row, column_of(header, "step", "operation", "statement")),
      .lock = exact_cell(row, column_of(header, "lock type", "lock mode", "lock")),
      .duration = exact_cell(row, column_of(header, "duration", "time")),
      .impact = exact_cell(row, column_of(header, "impact", "effect"))};
  Draft entry = Draft::object();
  entry["step"] = escape(note.step);
  put(entry, "lock", note.lock);
  put(entry, "duration", note.duration);
  put(entry, "impact", note.impact);
  document.head["performance"].push_back(std::move(entry));
  document.claims.push_back({.note = note, .line = row.line});
}

}  // namespace

std::string title_of(Report& report, Block const& block) {
  auto text = value_of(block.runs);
  constexpr std::string_view usual = "database migration plan:";
  if (lower(text).starts_with(usual)) {
    text = trimmed(text.substr(usual.size()));
  }
  // "Database Migration Plan: `\"…\"`", exactly
  if (block.runs.size() > 1 && block.runs.back().kind == markdown::Run::Kind::code &&
      block.runs.back().text.starts_with('"')) {
    text = value_of({block.runs.back()});
  }
  if (block.runs.back().kind == markdown::Run::Kind::text && is_placeholder(text)) {
    report.say(Severity::note, block.line, "import/placeholder",
               "the title was never filled in: " + text);
  }
  return text;
}

void put_head_field(Report& report, Field const& field, DocumentText& document) {
  if (!field.exact && is_placeholder(field.value)) {
    report.say(Severity::note, field.line, "import/placeholder",
               "\"" + field.label + "\" was never filled in: " + field.value);
    return;
  }
  if (field.value.empty()) {
    return;
  }
  if (field.label == "plan") {
    document.name = field.value.size() > 2 && field.value.front() == '`'
                        ? field.value.substr(1, field.value.size() - 2)
                        : slug(field.value);
  } else if (field.label == "reviewed by" || field.label == "reviewers" ||
             field.label == "reviewer") {
    put_reviewers(field, document.head);
  } else if (mentions(field.label, "database", "engine")) {
    put_engine(report, field, document.head);
  } else if (field.label == "zero-downtime" || field.label == "zero downtime") {
    document.head["overview"]["zero_downtime"] = !says_no(field.value);
  } else if (field.label == "on-call rollback") {
    document.head["oncall_rollback"] = !says_no(field.value);
  } else {
    auto const found =
        std::ranges::find_if(places, [&](Place const& p) { return p.label == field.label; });
    if (found != places.end()) {
      auto& part = found->part == nullptr ? document.head : document.head[found->part];
      part[found->key] = escape(field.value);
    }
  }
}

void put_row(Report& report, Block const& header, Block const& row, DocumentText& document) {
  auto const first = lower(cell(header, 0));
  if (first.starts_with("foretold") || first.starts_with("recorded")) {
    return;  // what `plan render` worked out; it is worked out anew
  }
  if (all_placeholder(row)) {
    report.say(Severity::note, row.line, "import/placeholder",
               "the row was never filled in: " + cell(row, 0));
    return;
  }
  if (column_of(header, "compat") < header.cells.size()) {
    put_change(header, row, document.head);
  } else if (column_of(header, "lock") < header.cells.size()) {
    put_claim(header, row, document);
  }
}

}  // namespace runbookd::planner::import
