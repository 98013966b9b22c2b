// What the words of headings and labels mean. Documents differ in them more than in anything else.
#include <algorithm>
#include <array>

#include "planner/import_back_words.h"
#include "planner/import_document.h"
#include "planner/pg_tree.h"
#include "planner/sql_syntax.h"

namespace runbookd::planner::import {

namespace {

// Where phases are headings of the first level, the title is the one before them.
std::size_t first_title(std::vector<Block> const& blocks, std::size_t phase) {
  for (auto i = phase; i-- > 0;) {
    if (blocks[i].kind == Block::Kind::heading && blocks[i].level == 1) {
      return i;
    }
  }
  return phase;
}

}  // namespace

std::size_t start_of_document(std::vector<Block> const& blocks) {
  std::size_t start = 0;
  std::optional<std::size_t> above_sql;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    auto const& block = blocks[i];
    if (block.kind == Block::Kind::code && is_sql(block)) {
      above_sql = above_sql.value_or(start);
    }
    if (block.kind != Block::Kind::heading) {
      continue;
    }
    auto const text = markdown::plain(block.runs);
    if (block.level == 1 && !says_way_back(text)) {
      start = i;
    }
    if ((numbered(text) && !says_way_back(text)) || exact_heading(block)) {
      return block.level == 1 && start == i ? first_title(blocks, i) : start;
    }
  }
  return above_sql.value_or(start);
}

int number_in(std::string_view words) {
  auto const low = lower(words);
  for (std::string_view word : {"phase ", "stage ", "step ", "part "}) {
    for (auto at = low.find(word); at != std::string::npos; at = low.find(word, at + 1)) {
      if (auto const found = numbered(std::string_view(low).substr(at))) {
        return found->number;
      }
    }
  }
  return 0;
}

std::optional<Numbered> numbered(std::string_view heading) {
  auto const low = lower(heading);
  for (std::string_view word : {"phase ", "stage ", "step ", "part "}) {
    auto const at = low.find(word);
    auto const digit = at == std::string::npos ? at : at + word.size();
    if (digit == std::string::npos || digit >= low.size() || low[digit] < '0' || low[digit] > '9' ||
        low.find_first_not_of("0123456789. ") < at) {
      continue;
    }
    auto const end = std::min(low.find_first_not_of("0123456789", digit), low.size());
    auto const rest = heading.substr(end);
    auto const start = rest.find_first_not_of(" :.-–—)\t");
    int number = 0;
    for (auto i = digit; i < end && number < 1000; ++i) {
      number = number * 10 + (low[i] - '0');
    }
    return Numbered{number, start == std::string_view::npos ? "" : trimmed(rest.substr(start))};
  }
  return std::nullopt;
}

PhaseText* phase_named(std::vector<PhaseText>& phases, std::string const& words) {
  auto const number = number_in(words);
  auto const kind = kind_of(words);
  auto const low = lower(words);
  auto const find = [&](auto const& is_it) {
    auto const found = std::ranges::find_if(phases, is_it);
    return found == phases.end() ? nullptr : &*found;
  };
  PhaseText* found = find([&](PhaseText const& p) { return number > 0 && p.number == number; });
  if (found == nullptr) {
    found = find(
        [&](PhaseText const& p) { return p.title.size() > 3 && mentions(low, lower(p.title)); });
  }
  return found != nullptr
             ? found
             : find([&](PhaseText const& p) { return p.kind == kind && kind != PhaseKind::other; });
}

// "Verify:", "**Rollback**", "How to undo it"
bool is_label(Block const& paragraph, Field const& field) {
  auto const text = trimmed(field.value);
  bool const strong =
      paragraph.runs.size() == 1 && paragraph.runs.front().kind == markdown::Run::Kind::strong;
  constexpr std::size_t shortest_prose = 40;
  bool const says_so = text.size() < shortest_prose && !text.ends_with('.') &&
                       text.find(": ") == std::string::npos && back_words(text).leading;
  return text.ends_with(':') || strong || says_so;
}

PhaseKind kind_of(std::string const& words) {
  auto const low = lower(words);
  if (mentions(low, "contract")) {
    return PhaseKind::contract;
  }
  if (mentions(low, "expand")) {
    return PhaseKind::expand;
  }
  if (mentions(low, "backfill")) {
    return PhaseKind::backfill;
  }
  if (mentions(low, "enforce")) {
    return PhaseKind::enforce;
  }
  if (mentions(low, "clean up", "cleanup", "remove", "drop")) {
    return PhaseKind::contract;
  }
  if (mentions(low, "migrate data", "populate", "copy data", "data migration", "fill")) {
    return PhaseKind::backfill;
  }
  if (mentions(low, "constraint", "not null", "switch")) {
    return PhaseKind::enforce;
  }
  return mentions(low, "add ", "create ", "prepare") ? PhaseKind::expand : PhaseKind::other;
}

std::optional<Section> section_of(std::string const& low) {
  if (mentions(low, "quality check", "anti-pattern", "antipattern", "appendix", "required input",
               "references", "glossary", "outcome of the run")) {
    return Section::ignored;
  }
  if (mentions(low, "runbook", "checklist", "deployment steps", "prerequisite", "pre-flight",
               "preflight")) {
    return Section::runbook;
  }
  if (mentions(low, "validation", "verification", "data check")) {
    return Section::validation;
  }
  if (mentions(low, "phase", "migration sql", "migration script", "implementation", "procedure") ||
      low.ends_with("steps")) {
    return Section::phases;
  }
  if (mentions(low, "compatib", "performance", "impact", "locks", "lock analysis", "risk")) {
    return Section::tables;
  }
  if (mentions(low, "overview", "summary", "objective", "background", "metadata")) {
    return Section::head;
  }
  return std::nullopt;
}

Role role_of(std::string const& label) {
  auto const low = lower(label);
  if (says_way_back(label)) {
    return Role::rollback;
  }
  if (mentions(low, "monitor", "progress")) {
    return Role::monitoring;
  }
  bool const check = mentions(low, "validat", "verif", "check", "confirm", "integrity", "sanity");
  if (mentions(low, "baseline")) {
    return Role::baseline;
  }
  if (check && mentions(low, "pre-", "before", "prereq", "precondition")) {
    return Role::requirement;
  }
  // "use NOT VALID + VALIDATE for large tables" speaks of what the SQL does
  bool const about_constraint = mentions(low, "not valid", "validate constraint");
  if (check && !about_constraint) {
    return Role::validation;
  }
  return mentions(low, "prerequisite", "precondition") ? Role::requirement : Role::forward;
}

bool is_sql(Block const& code) {
  auto const info = lower(code.info);
  if (!info.empty()) {
    return mentions(info, "sql") && !mentions(info, "mysql");
  }
  constexpr std::array<std::string_view, 22> words{
      "select", "insert", "update",  "delete",  "alter",   "create", "drop", "begin",
      "do",     "with",   "vacuum",  "reindex", "analyze", "grant",  "set",  "truncate",
      "lock",   "start",  "comment", "cluster", "call",    "refresh"};
  for (std::size_t start = 0; start < code.text.size();) {
    auto const end = std::min(code.text.find('\n', start), code.text.size());
    auto const line = trimmed(std::string_view(code.text).substr(start, end - start));
    if (!line.empty() && !line.starts_with("--")) {
      auto const word = lower(line.substr(0, line.find_first_of(" ;(\t")));
      return std::ranges::find(words, word) != words.end();
    }
    start = end + 1;
  }
  return false;
}

std::optional<SqlText> cut_way_back(SqlText& script) {
  constexpr std::size_t longest = 32;  // a heading, no remark
  bool open = false;
  for (auto const& token : pg::scan(script.text)) {
    auto const words = trimmed(token.in(script.text));
    auto const said = back_words(words);
    if (token.comment && !open && words.size() < longest && said.leading &&
        said.says == SaysBack::surely) {
      auto back = pg::slice(script, token.offset, script.text.size());
      script.text.resize(token.offset);
      return back;
    }
    open = token.comment ? open : words != ";";
  }
  return std::nullopt;
}

bool only_reads(std::string const& sql) {
  for (auto const& passage : read_script({.text = sql}).passages) {
    if (!passage.sql.text.empty() && !lower(passage.sql.text.substr(0, 7)).starts_with("select")) {
      return false;
    }
  }
  return true;
}

}  // namespace runbookd::planner::import
