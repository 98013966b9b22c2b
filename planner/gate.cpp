#include "planner/gate.h"

#include <algorithm>
#include <utility>

#include "planner/decimal.h"
#include "planner/limited_text.h"
#include "planner/mutant.h"
#include "planner/sql.h"

namespace runbookd::planner {
namespace {

// How one expectation judged one answer: the check's name and its expectation are added outside.
struct Judgement {
  Verdict verdict = Verdict::error;
  std::string actual;
};

Verdict passed_if(bool holds) { return holds ? Verdict::passed : Verdict::failed; }

std::string_view plain_bool(std::string_view text) {
  return text == "true" ? "t" : text == "false" ? "f" : text;
}

bool same_value(std::string const& left, std::string const& right) {
  if (plain_bool(left) == plain_bool(right)) {
    return true;
  }
  auto const one = Decimal::parse(left), other = Decimal::parse(right);
  return one && other && *one == *other;
}

bool same_cell(Cell const& left, Cell const& right) {
  return left && right ? same_value(*left, *right) : left.has_value() == right.has_value();
}

bool same_row(std::vector<Cell> const& left, std::vector<Cell> const& right) {
  return std::ranges::equal(left, right, same_cell);
}

std::string words(Cell const& cell) { return cell ? *cell : "NULL"; }

std::string words(std::vector<Cell> const& row) {
  std::string text;
  for (auto const& cell : row) {
    text += (text.empty() ? "" : ", ") + words(cell);
  }
  return "(" + text + ")";
}

std::string count_of(std::int64_t number, std::string const& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string rows_in_words(QueryAnswer const& answer) {
  if (answer.total_rows == 0) {
    return "no row";
  }
  std::string text = count_of(answer.total_rows, "row");
  for (std::size_t i = 0; i < std::min<std::size_t>(answer.rows.size(), 3); ++i) {
    text += (i == 0 ? ": " : " ") + words(answer.rows[i]);
  }
  return text + (answer.total_rows > 3 ? " …" : "");
}

std::string failure_in_words(SqlFailure const& failure) {
  auto const name = condition_of(failure.sqlstate);
  if (failure.sqlstate.empty()) {
    return "no answer from the server: " + failure.message;
  }
  auto const code = name.empty() ? failure.sqlstate : name + " (" + failure.sqlstate + ")";
  return "error " + code + ": " + failure.message;
}

// The one value that was asked for; or why there is none.
std::optional<std::string> no_single_value(QueryAnswer const& answer) {
  if (answer.total_rows == 0 || answer.rows.empty()) {
    return "no row";
  }
  if (answer.total_rows > 1) {
    return rows_in_words(answer) + ", where one value was expected";
  }
  if (auto const columns = answer.rows[0].size(); columns != 1) {
    return count_of(static_cast<std::int64_t>(columns), "column") +
           ", where one value was expected";
  }
  return std::nullopt;
}

// Dates and times in the server's ISO form order like their text.
bool looks_like_date(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-dd";
  return text.size() >= form.size() &&
         std::ranges::equal(text.substr(0, form.size()), form, [](char c, char f) {
           return f == 'd' ? c >= '0' && c <= '9' : c == f;
         });
}

std::optional<std::strong_ordering> order(std::string const& left, std::string const& right) {
  auto const one = Decimal::parse(left), other = Decimal::parse(right);
  if (one && other) {
    return *one <=> *other;
  }
  if (looks_like_date(left) && looks_like_date(right)) {
    return left.compare(right) <=> 0;
  }
  return std::nullopt;
}

std::optional<bool> holds(Compares const& compares, std::string const& value) {
  if (compares.op == Comparator::ne) {
    return !same_value(value, compares.value);
  }
  auto const ordering = order(value, compares.value);
  if (!ordering) {
    return std::nullopt;
  }
  switch (compares.op) {
    case Comparator::lt:
      return *ordering < 0;
    case Comparator::le:
      return *ordering <= 0;
    case Comparator::gt:
      return *ordering > 0;
    case Comparator::ge:
      return *ordering >= 0;
    case Comparator::ne:
      break;
  }
  __builtin_unreachable();
}

// How far from the baseline the tolerance lets a value be; nothing = the tolerance cannot be read.
std::optional<Decimal> allowance(std::string_view tolerance, Decimal const& base) {
  bool const percent = tolerance.ends_with('%');
  tolerance.remove_suffix(percent ? 1 : 0);
  auto const amount = Decimal::parse(tolerance);
  if (!amount || !percent) {
    return amount;
  }
  return base.abs() * *amount * *Decimal::parse("0.01");
}

Judgement within(std::string const& value, std::string const& base, std::string const& tolerance) {
  auto const actual = "value " + value + ", baseline " + base;
  if (tolerance.empty()) {
    return {passed_if(same_value(value, base)), actual};
  }
  auto const number = Decimal::parse(value), base_number = Decimal::parse(base);
  if (!number || !base_number) {
    return {passed_if(same_value(value, base)), actual + " (not numbers: no tolerance applies)"};
  }
  auto const allowed = allowance(tolerance, *base_number);
  if (!allowed) {
    return {Verdict::error, actual + "; the tolerance \"" + tolerance + "\" is no number"};
  }
  return {passed_if((*number - *base_number).abs() <= *allowed), actual};
}

class Judge {
 public:
  Judge(QueryAnswer const& answer, BaselineValues const& baselines)
      : answer_(answer), baselines_(baselines) {}

  Judgement operator()(ValueIs const& expected) const {
    if (auto const why = no_single_value(answer_)) {
      bool const pass = mutant(Mutant::check_no_row_passes) && answer_.total_rows == 0;
      return {pass ? Verdict::passed : Verdict::failed, *why};
    }
    return {passed_if(same_cell(value(), expected.value)), value_in_words()};
  }

  Judgement operator()(RowIs const& expected) const {
    bool const one = answer_.total_rows == 1 && answer_.rows.size() == 1;
    return {passed_if(one && same_row(answer_.rows[0], expected.row)), rows_in_words(answer_)};
  }

  Judgement operator()(RowsAre const& expected) const {
    if (answer_.total_rows != static_cast<std::int64_t>(expected.rows.size())) {
      return {Verdict::failed, rows_in_words(answer_)};
    }
    if (answer_.rows.size() != expected.rows.size()) {
      return {Verdict::error, count_of(answer_.total_rows, "row") + ", too many to compare; only " +
                                  std::to_string(answer_.rows.size()) + " were fetched"};
    }
    return {passed_if(std::ranges::equal(answer_.rows, expected.rows, same_row)),
            rows_in_words(answer_)};
  }

  Judgement operator()(IsEmpty const& expected) const {
    return {passed_if((answer_.total_rows == 0) == expected.empty), rows_in_words(answer_)};
  }

  Judgement operator()(std::vector<Compares> const& all) const {
    if (auto const why = no_single_value(answer_)) {
      return {Verdict::failed, *why};
    }
    if (!value()) {
      return {mutant(Mutant::check_null_passes) ? Verdict::passed : Verdict::failed, "NULL"};
    }
    bool good = true;
    for (auto const& compares : all) {
      auto const result = holds(compares, *value());
      if (!result) {
        return {
            Verdict::failed,
            value_in_words() + ", which is not a number or date to compare with " + compares.value};
      }
      good = good && *result;
    }
    return {passed_if(good), value_in_words()};
  }

  Judgement operator()(FailsWith const&) const {
    return {Verdict::failed, "no error; the statement succeeded (and was rolled back)"};
  }

  Judgement operator()(BaselineIs const& expected) const {
    auto const base = baselines_.find(expected.name);
    if (base == baselines_.end() || !base->second) {
      return {Verdict::error, "the baseline " + expected.name + " has no recorded value"};
    }
    if (auto const why = no_single_value(answer_)) {
      return {Verdict::failed, *why};
    }
    return value() ? within(*value(), *base->second, expected.tolerance)
                   : Judgement{Verdict::failed, "NULL"};
  }

 private:
  Cell const& value() const { return answer_.rows[0][0]; }
  std::string value_in_words() const { return value() ? "value " + *value() : "NULL"; }

  QueryAnswer const& answer_;
  BaselineValues const& baselines_;
};

// A condition that stands for a class ("23000") takes every error of it, as in the server's own
// EXCEPTION WHEN.
bool is_expected(SqlFailure const& failure, Expectation const& expectation) {
  auto const* expected = std::get_if<FailsWith>(&expectation);
  if (expected == nullptr || failure.fate == SqlFailure::Fate::unknown ||
      failure.sqlstate.size() != 5) {
    return false;
  }
  return failure.sqlstate == expected->sqlstate ||
         (expected->sqlstate.ends_with("000") &&
          failure.sqlstate.starts_with(expected->sqlstate.substr(0, 2)));
}

Judgement judge_failure(SqlFailure const& failure, Expectation const& expectation) {
  bool const pass = is_expected(failure, expectation) || mutant(Mutant::check_error_passes);
  return {pass ? Verdict::passed : Verdict::error, failure_in_words(failure)};
}

}  // namespace

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::error:
      return "error";
  }
  __builtin_unreachable();
}

CheckResult judge_check(Check const& check, QueryAnswer const& answer,
                        BaselineValues const& baselines) {
  auto judgement = answer.failure ? judge_failure(*answer.failure, check.expect)
                                  : std::visit(Judge(answer, baselines), check.expect);
  return {.name = check.name,
          .verdict = judgement.verdict,
          .expected = limited(to_text(check.expect), longest_side),
          .actual = limited(judgement.actual, longest_side)};
}

}  // namespace runbookd::planner
