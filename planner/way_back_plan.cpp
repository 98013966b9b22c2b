// Derived ways back in a plan: put in their places, and into its file.
#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "planner/sql.h"
#include "planner/variables.h"
#include "planner/way_back.h"
#include "planner/words.h"
#include "planner/yaml_text.h"

namespace runbookd::planner {

using Kind = Thing::Kind;

std::string recorded_text(DerivedWayBack const& derived) {
  return derived.sql.empty() ? std::string(derived_from_catalog_mark) +
                                   "\n-- nothing is left to undo: " + derived.nothing
                             : derived.sql;
}

Plan with_ways_back(Plan plan, std::map<StepRef, std::string> const& recorded) {
  for (auto const& [ref, sql] : recorded) {
    auto& back = plan.phases[ref.phase].steps[ref.step].backward;
    auto const* later = std::get_if<AutoAction>(&back);
    if (later == nullptr) {
      continue;
    }
    SqlAction action{.source = {.text = sql, .place = later->place, .indent = -1},
                     .statements = {},
                     .lock = later->lock,
                     .statement_timeout = later->statement_timeout};
    action.statements = read_sql(action.source).statements;
    if (!action.transactional()) {
      action.statement_timeout = Duration{0};
    }
    back = std::move(action);
  }
  return plan;
}

namespace {

std::vector<Change> changes_in(Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  return tree.statements.size() == 1 ? changes_of(tree.statements.front().node)
                                     : std::vector<Change>{};
}

// Whatever an earlier statement does to a thing of this name, or in a way that no text tells, may
// make another thing of it.
bool may_touch(Change const& earlier, Change const& change) {
  bool const untold = earlier.thing.table.empty() && earlier.thing.name.empty() &&
                      std::holds_alternative<NoWayBack>(earlier.back);
  bool const renamed =
      earlier.thing.kind == Kind::table_name || earlier.thing.kind == Kind::column_name;
  auto const names = [](Thing const& thing) {
    return std::array{std::string_view(thing.table.name), std::string_view(thing.name)};
  };
  auto const other = names(change.thing);
  return untold || renamed || std::ranges::any_of(names(earlier.thing), [&](auto name) {
           return !name.empty() && std::ranges::find(other, name) != other.end();
         });
}

}  // namespace

std::vector<NotInvertible> hopeless(DerivedWayBack const& derived,
                                    std::vector<Statement> const& earlier) {
  std::vector<Change> before;
  for (auto const& statement : earlier) {
    std::ranges::move(changes_in(statement), std::back_inserter(before));
  }
  std::vector<NotInvertible> left;
  std::ranges::copy_if(derived.refused, std::back_inserter(left), [&](NotInvertible const& one) {
    auto const own = changes_in(one.statement);
    return std::ranges::none_of(own, [&](Change const& change) {
      return std::ranges::any_of(before,
                                 [&](Change const& other) { return may_touch(other, change); });
    });
  });
  return left;
}

namespace {

std::string line_of(std::string const& text, int line) {
  std::size_t start = 0;
  for (int i = 1; i < line && start != std::string::npos; ++i) {
    start = text.find('\n', start);
    start += start == std::string::npos ? 0 : 1;
  }
  return start == std::string::npos ? "" : text.substr(start, text.find('\n', start) - start);
}

// A block where the key stands alone on its line, else a text in quotation marks.
std::string yaml_value(std::string const& sql, std::string const& line) {
  auto const indent = line.find_first_not_of(' ');
  if (indent == std::string::npos || trimmed(line) != "rollback: auto") {
    return yaml_line(Draft(sql));
  }
  auto const margin = "\n" + std::string(indent + 2, ' ');
  auto block = "|-" + margin;
  for (char const c : sql) {
    block += c == '\n' ? margin : std::string(1, c);
  }
  return block;
}

}  // namespace

Findings spelled_out(Plan const& plan, std::string const& text) {
  Findings findings;
  for (auto const& phase : plan.phases) {
    for (auto const& step : phase.steps) {
      auto const* sql = std::get_if<SqlAction>(&step.backward);
      if (sql == nullptr || !is_derived(*sql) || sql->statements.empty() ||
          line_of(text, sql->source.place.line).empty()) {
        continue;
      }
      auto const now = yaml_value(escape(sql->source.text), line_of(text, sql->source.place.line));
      findings.push_back({.rule = "plan/derived",
                          .place = sql->source.place,
                          .message = "the rollback is derived",
                          .step = phase.name + "/" + step.name,
                          .edits = {{.at = sql->source.place, .was = "auto", .now = now}}});
    }
  }
  return findings;
}

}  // namespace runbookd::planner
