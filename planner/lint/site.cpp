// What rules ask about a statement, and how their hits become findings.
#include "planner/lint/site.h"

#include <algorithm>
#include <array>
#include <utility>

#include "planner/size.h"
#include "planner/sql_expression.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

struct Size {
  std::int64_t bytes = -1, rows = -1;  // -1 = unknown
  Duration held{0};                    // the lock that stops others, at the least
};

// Of the tables that decide, where every one of them is known.
Size size_of(Site const& site, std::vector<std::string> const& tables) {
  Size size;
  for (auto const& name : tables) {
    auto const lock = std::ranges::find(site.effects.locks, name, &RelationLock::name);
    if (lock == site.effects.locks.end() || lock->bytes < 0) {
      return {};
    }
    size.bytes = std::max<std::int64_t>(size.bytes, 0) + lock->bytes;
    size.rows = lock->rows < 0 ? size.rows : std::max<std::int64_t>(size.rows, 0) + lock->rows;
    if (blocks_writes(lock->mode)) {
      size.held = Duration{std::max<std::int64_t>(site.effects.hold_ms, 0)};
    }
  }
  return size;
}

Severity weighed(Severity severity, LintRule const& rule, Size size, TableSizes const& sizes) {
  if (rule.weight == LintRule::Weight::fixed || size.bytes < 0) {
    return severity;
  }
  if (size.bytes <= sizes.small) {
    return Severity::note;
  }
  bool const stern = size.bytes >= sizes.large || size.held >= sizes.long_hold;
  return stern && severity == Severity::warning ? Severity::error : severity;
}

std::string with_size(LintRule const& rule, Size size) {
  if (rule.weight == LintRule::Weight::fixed || size.bytes < 0) {
    return "";
  }
  auto const seconds = std::chrono::floor<std::chrono::seconds>(size.held);
  return " (" + size_words(static_cast<double>(size.bytes)) +
         (size.rows < 0 ? "" : ", about " + grouped(size.rows) + " rows") +
         (seconds.count() < 1 ? "" : ", its lock held for at least " + to_text(seconds)) + ")";
}

Edit edit_of(SqlText const& sql, TextEdit const& edit) {
  return {.at = sql.at(edit.offset), .was = edit.was, .now = edit.now};
}

// A rollback never stops the start: it may never run. It is judged all the same.
Finding finding_of(Site const& site, LintRule const& rule, Hit const& hit,
                   std::string const& step) {
  auto const size = size_of(site, hit.tables);
  auto severity = weighed(hit.severity.value_or(rule.severity), rule, size, site.options.sizes);
  bool const back = site.where == Where::rollback;
  if (back && severity == Severity::error) {
    severity = Severity::warning;
  }
  Finding finding{
      .rule = std::string(rule.id),
      .severity = severity,
      .place = site.statement.sql.at(hit.offset),
      .message = (back ? "in the rollback: " : "") + (hit.on.empty() ? "" : hit.on + ": ") +
                 (hit.why.empty() ? std::string(rule.why) : hit.why) + with_size(rule, size),
      .fix = hit.fix.empty() ? std::string(rule.fix) : hit.fix,
      .step = step};
  bool const placed = site.statement.sql.indent >= 0 && site.statement.sql.place.line > 0;
  for (auto const& edit : hit.edits) {
    if (placed) {
      finding.edits.push_back(edit_of(site.statement.sql, edit));
    }
  }
  return finding;
}

// The schema may be missing in the text of what made it.
RelationName parsed(std::string const& name) {
  auto const dot = name.find('.');
  auto const bare = [](std::string word) {
    return word.size() > 1 && word.front() == '"' ? word.substr(1, word.size() - 2) : word;
  };
  return dot == std::string::npos
             ? RelationName{"", bare(name)}
             : RelationName{bare(name.substr(0, dot)), bare(name.substr(dot + 1))};
}

}  // namespace

OwnTable own_table(pg::Node node, Catalog const& before, Known const& known) {
  auto const name = pg::name_of(node["relation"]);
  return {.name = name, .is_new = known.is_new(name), .known = before.find(name)};
}

std::vector<std::string> Site::existing(std::vector<std::string> const& names) const {
  std::vector<std::string> found;
  for (auto const& name : names) {
    if (!known.is_new(parsed(name))) {
      found.push_back(name);
    }
  }
  return found;
}

std::vector<std::string> Site::stopped(LockMode least) const {
  std::vector<std::string> names;
  for (auto const& lock : effects.locks) {
    if (lock.mode >= least) {
      names.push_back(lock.name);
    }
  }
  return existing(names);
}

std::size_t Site::location(pg::Node part) const {
  auto const at = static_cast<std::size_t>(std::max<std::int64_t>(0, part.number("location")));
  return at > base ? at - base : 0;
}

std::vector<pg::Token> Site::tokens() const {
  auto tokens = pg::scan(statement.sql.text);
  std::erase_if(tokens, [](pg::Token const& token) { return token.comment; });
  return tokens;
}

std::optional<TextEdit> Site::adding(std::string_view upper_word, std::string_view addition) const {
  for (auto const& token : tokens()) {
    auto const word = token.in(statement.sql.text);
    if (pg::same_word(word, upper_word)) {
      return TextEdit{token.offset, std::string(word), std::string(word).append(addition)};
    }
  }
  return std::nullopt;
}

std::optional<TextEdit> Site::adding_at_end(std::string const& addition) const {
  auto const all = tokens();
  if (all.empty()) {
    return std::nullopt;
  }
  auto const word = std::string(all.back().in(statement.sql.text));
  return TextEdit{all.back().offset, word, word + addition};
}

bool has_constraint(pg::Node column, std::string_view type) {
  auto const constraints = column.list("constraints");
  return std::ranges::any_of(
      constraints, [&](pg::Node constraint) { return constraint.text("contype") == type; });
}

Findings judge(Site const& site, std::string const& step) {
  static auto const families =
      std::to_array({index_rules(), constraint_rules(), column_rules(), table_rules(),
                     transaction_rules(), session_rules(), security_rules(), data_rules(),
                     type_rules(), old_application_rules(), catalog_rules(), policy_rules()});
  Findings findings;
  for (auto const family : families) {
    for (auto const& [rule, judge_it] : family) {
      if (rule.use == LintRule::Use::optional && !wanted(rule, site.options.optional)) {
        continue;
      }
      for (auto const& hit : judge_it(site)) {
        findings.push_back(finding_of(site, rule, hit, step));
      }
    }
  }
  return findings;
}

}  // namespace runbookd::planner::lint_rules
