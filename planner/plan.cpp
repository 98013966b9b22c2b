#include "planner/plan.h"

#include <algorithm>

namespace runbookd::planner {
namespace {

// Columns are counted in characters, as editors do; UTF-8 continuation bytes add none.
bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::string quoted(Cell const& cell) { return cell ? *cell : "NULL"; }

std::string joined(std::vector<Cell> const& row) {
  std::string text = "(";
  for (std::size_t i = 0; i < row.size(); ++i) {
    text.append(i == 0 ? "" : ", ").append(quoted(row[i]));
  }
  return text.append(")");
}

std::string_view symbol(Comparator op) {
  switch (op) {
    case Comparator::lt:
      return "<";
    case Comparator::le:
      return "<=";
    case Comparator::gt:
      return ">";
    case Comparator::ge:
      return ">=";
    case Comparator::ne:
      return "<>";
  }
  __builtin_unreachable();
}

struct ExpectationText {
  std::string operator()(ValueIs const& e) const { return "value " + quoted(e.value); }
  std::string operator()(RowIs const& e) const { return "row " + joined(e.row); }
  std::string operator()(RowsAre const& e) const {
    std::string text = "rows";
    for (auto const& row : e.rows) {
      text += " " + joined(row);
    }
    return e.rows.empty() ? "no rows" : text;
  }
  std::string operator()(IsEmpty const& e) const {
    return e.empty ? "no rows" : "at least one row";
  }
  std::string operator()(std::vector<Compares> const& all) const {
    std::string text = "value ";
    for (std::size_t i = 0; i < all.size(); ++i) {
      text += i == 0 ? "" : " and ";
      text += std::string(symbol(all[i].op)) + " " + all[i].value;
    }
    return text;
  }
  std::string operator()(FailsWith const& e) const { return "error " + e.condition; }
  std::string operator()(BaselineIs const& e) const {
    return "baseline " + e.name + (e.tolerance.empty() ? "" : " within " + e.tolerance);
  }
};

struct ActionKind {
  std::string_view operator()(NoAction const&) const { return "none"; }
  std::string_view operator()(SqlAction const&) const { return "sql"; }
  std::string_view operator()(BackfillAction const&) const { return "backfill"; }
  std::string_view operator()(ManualAction const&) const { return "manual"; }
  std::string_view operator()(WaitAction const&) const { return "wait"; }
  std::string_view operator()(AutoAction const&) const { return "auto"; }
};

}  // namespace

Place SqlText::at(std::size_t offset) const {
  if (indent < 0) {
    return place;
  }
  Place found = place;
  for (char const c : std::string_view(text).substr(0, offset)) {
    if (c == '\n') {
      ++found.line;
      found.column = indent + 1;
    } else if (starts_character(c)) {
      ++found.column;
    }
  }
  return found;
}

std::string to_text(Expectation const& expectation) {
  return std::visit(ExpectationText{}, expectation);
}

Step const& Plan::step(StepRef ref) const {
  return phases.at(static_cast<std::size_t>(ref.phase))
      .steps.at(static_cast<std::size_t>(ref.step));
}

int Plan::phase_index(std::string_view wanted) const {
  auto const found = std::find_if(phases.begin(), phases.end(),
                                  [&](Phase const& phase) { return phase.name == wanted; });
  return found == phases.end() ? -1 : static_cast<int>(found - phases.begin());
}

std::optional<StepRef> Plan::find_step(std::string_view wanted) const {
  std::optional<StepRef> unique;
  for (int phase = 0; phase < static_cast<int>(phases.size()); ++phase) {
    auto const& steps = phases[static_cast<std::size_t>(phase)].steps;
    for (int index = 0; index < static_cast<int>(steps.size()); ++index) {
      StepRef const ref{phase, index};
      if (label(ref) == wanted) {
        return ref;
      }
      if (steps[static_cast<std::size_t>(index)].name == wanted) {
        if (unique) {
          return std::nullopt;  // names cannot hold a slash, so no label will match either
        }
        unique = ref;
      }
    }
  }
  return unique;
}

std::string Plan::label(StepRef ref) const {
  return phases.at(static_cast<std::size_t>(ref.phase)).name + "/" + step(ref).name;
}

std::string_view to_text(PhaseKind kind) {
  switch (kind) {
    case PhaseKind::expand:
      return "expand";
    case PhaseKind::backfill:
      return "backfill";
    case PhaseKind::enforce:
      return "enforce";
    case PhaseKind::contract:
      return "contract";
    case PhaseKind::other:
      return "other";
  }
  __builtin_unreachable();
}

std::string_view kind_of(Action const& action) { return std::visit(ActionKind{}, action); }

}  // namespace runbookd::planner
