#include "planner/gate.h"

#include <cstdint>
#include <cstdlib>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "planner/decimal.h"

using namespace runbookd::planner;

namespace {

using Row = std::vector<Cell>;

QueryAnswer rows(std::vector<Row> all) {
  auto const total = static_cast<std::int64_t>(all.size());
  return {.columns = {"a"}, .rows = std::move(all), .total_rows = total};
}
QueryAnswer value(Cell cell) { return rows({{std::move(cell)}}); }
QueryAnswer failure(std::string sqlstate, SqlFailure::Fate fate = SqlFailure::Fate::failed) {
  return {.failure = SqlFailure{.sqlstate = std::move(sqlstate), .message = "words", .fate = fate}};
}
CheckResult judge(Expectation expectation, QueryAnswer const& answer,
                  BaselineValues const& baselines = {}) {
  return judge_check({.name = "c", .expect = std::move(expectation)}, answer, baselines);
}
Verdict verdict(Expectation expectation, QueryAnswer const& answer,
                BaselineValues const& baselines = {}) {
  return judge(std::move(expectation), answer, baselines).verdict;
}
Expectation is(Cell cell) { return ValueIs{std::move(cell)}; }
Expectation compares(Comparator op, std::string number) {
  return std::vector{Compares{op, std::move(number)}};
}
Verdict within(std::string base, std::string tolerance, std::string now) {
  return verdict(BaselineIs{"b", std::move(tolerance)}, value(std::move(now)),
                 {{"b", std::move(base)}});
}
using enum Verdict;

}  // namespace

TEST_SUITE("one value") {
  TEST_CASE("the result carries the check's name, what was expected and what came") {
    auto const result = judge(is("0"), value("17"));
    CHECK(result.name == "c");
    CHECK(result.verdict == failed);
    CHECK(result.expected == "value 0");
    CHECK(result.actual == "value 17");
  }
  TEST_CASE("texts are equal as they are") {
    CHECK(verdict(is("YES"), value("YES")) == passed);
    CHECK(verdict(is("YES"), value("yes")) == failed);
    CHECK(verdict(is("1 "), value("1")) == failed);
  }
  TEST_CASE("numbers are equal by value") {
    CHECK(verdict(is("1.50"), value("1.5")) == passed);
    CHECK(verdict(is("0"), value("-0.00")) == passed);
    CHECK(verdict(is("1e3"), value("1000")) == passed);
    CHECK(verdict(is("9007199254740993"), value("9007199254740992")) == failed);
    CHECK(verdict(is("NaN"), value("NaN")) == passed);
  }
  TEST_CASE("booleans are equal in either spelling") {
    CHECK(verdict(is("true"), value("t")) == passed);
    CHECK(verdict(is("f"), value("false")) == passed);
    CHECK(verdict(is("true"), value("f")) == failed);
  }
  TEST_CASE("no row is a failure") {
    auto const result = judge(is("0"), rows({}));
    CHECK(result.verdict == failed);
    CHECK(result.actual == "no row");
    CHECK(verdict(is(std::nullopt), rows({})) == failed);
  }
  TEST_CASE("NULL is a failure unless it was expected") {
    CHECK(judge(is("0"), value(std::nullopt)).actual == "NULL");
    CHECK(verdict(is("0"), value(std::nullopt)) == failed);
    CHECK(verdict(is(""), value(std::nullopt)) == failed);
    CHECK(verdict(is(std::nullopt), value(std::nullopt)) == passed);
    CHECK(verdict(is(std::nullopt), value("0")) == failed);
  }
  TEST_CASE("more than one row or column is a failure that says so") {
    CHECK(judge(is("1"), rows({{"1"}, {"2"}})).actual ==
          "2 rows: (1) (2), where one value was expected");
    CHECK(judge(is("1"), rows({{"1", "2"}})).actual == "2 columns, where one value was expected");
    CHECK(verdict(is("1"), rows({{"1"}, {"1"}})) == failed);
  }
}

TEST_SUITE("rows") {
  TEST_CASE("a row is compared cell by cell") {
    CHECK(verdict(RowIs{{"a", "1.0", std::nullopt}}, rows({{"a", "1", std::nullopt}})) == passed);
    CHECK(verdict(RowIs{{"a"}}, rows({{"a", "1"}})) == failed);
    CHECK(verdict(RowIs{{"a"}}, rows({{"a"}, {"a"}})) == failed);
    CHECK(verdict(RowIs{{"a"}}, rows({})) == failed);
  }
  TEST_CASE("rows are compared in their order") {
    CHECK(verdict(RowsAre{{{"1"}, {"2"}}}, rows({{"1"}, {"2"}})) == passed);
    CHECK(verdict(RowsAre{{{"1"}, {"2"}}}, rows({{"2"}, {"1"}})) == failed);
    CHECK(verdict(RowsAre{{{"1"}, {"2"}}}, rows({{"1"}})) == failed);
    CHECK(verdict(RowsAre{{}}, rows({})) == passed);
  }
  TEST_CASE("rows that were not fetched cannot be called equal") {
    QueryAnswer answer = rows({{"1"}});
    answer.total_rows = 2;
    CHECK(verdict(RowsAre{{{"1"}, {"2"}}}, answer) == error);
  }
  TEST_CASE("empty and not empty") {
    CHECK(verdict(IsEmpty{true}, rows({})) == passed);
    CHECK(verdict(IsEmpty{true}, value("1")) == failed);
    CHECK(verdict(IsEmpty{false}, value(std::nullopt)) == passed);
    CHECK(verdict(IsEmpty{false}, rows({})) == failed);
  }
}

TEST_SUITE("comparisons") {
  TEST_CASE("each comparator at its border") {
    using enum Comparator;
    struct Case {
      Comparator op;
      bool below, at, above;
    };
    for (auto const& one :
         {Case{lt, true, false, false}, Case{le, true, true, false}, Case{gt, false, false, true},
          Case{ge, false, true, true}, Case{ne, true, false, true}}) {
      CHECK((verdict(compares(one.op, "10"), value("9.99")) == passed) == one.below);
      CHECK((verdict(compares(one.op, "10"), value("10.0")) == passed) == one.at);
      CHECK((verdict(compares(one.op, "10"), value("11")) == passed) == one.above);
    }
  }
  TEST_CASE("every comparison of the list must hold") {
    std::vector<Compares> const between{{Comparator::ge, "1"}, {Comparator::le, "5"}};
    CHECK(verdict(between, value("3")) == passed);
    CHECK(verdict(between, value("0")) == failed);
    CHECK(verdict(between, value("6")) == failed);
  }
  TEST_CASE("dates order like their text") {
    CHECK(verdict(compares(Comparator::gt, "2026-01-01"), value("2026-03-01 10:00:00+00")) ==
          passed);
    CHECK(verdict(compares(Comparator::gt, "2026-01-01"), value("2025-12-31")) == failed);
  }
  TEST_CASE("other texts have no order") {
    auto const result = judge(compares(Comparator::lt, "10"), value("9 MB"));
    CHECK(result.verdict == failed);
    CHECK(result.actual.find("not a number") != std::string::npos);
  }
  TEST_CASE("NULL and no row compare with nothing") {
    CHECK(verdict(compares(Comparator::ne, "1"), value(std::nullopt)) == failed);
    CHECK(verdict(compares(Comparator::ne, "1"), rows({})) == failed);
  }
}

TEST_SUITE("errors") {
  Expectation const not_null = FailsWith{"not_null_violation", "23502"};
  TEST_CASE("the expected error is what was asked for") {
    auto const result = judge(not_null, failure("23502"));
    CHECK(result.verdict == passed);
    CHECK(result.expected == "error not_null_violation");
    CHECK(result.actual == "error not_null_violation (23502): words");
  }
  TEST_CASE("success where an error was expected is a failure") {
    CHECK(verdict(not_null, rows({})) == failed);
  }
  TEST_CASE("another error is an error, not a failure") {
    auto const result = judge(not_null, failure("42P01"));
    CHECK(result.verdict == error);
    CHECK(result.actual == "error undefined_table (42P01): words");
    CHECK(verdict(is("0"), failure("42P01")) == error);
    CHECK(verdict(IsEmpty{true}, failure("57014")) == error);
  }
  TEST_CASE("a condition that names a class takes every error of it") {
    CHECK(verdict(FailsWith{"integrity_constraint_violation", "23000"}, failure("23505")) ==
          passed);
    CHECK(verdict(FailsWith{"integrity_constraint_violation", "23000"}, failure("22001")) == error);
  }
  TEST_CASE("a lost connection is never the expected error") {
    CHECK(verdict(not_null, failure("", SqlFailure::Fate::unknown)) == error);
    CHECK(verdict(not_null, failure("23502", SqlFailure::Fate::unknown)) == error);
  }
}

TEST_SUITE("baselines") {
  TEST_CASE("without a tolerance the value must be the same") {
    CHECK(within("100", "", "100") == passed);
    CHECK(within("100", "", "101") == failed);
    CHECK(within("abc", "", "abc") == passed);
  }
  TEST_CASE("an absolute tolerance includes its border") {
    CHECK(within("100", "10", "110") == passed);
    CHECK(within("100", "10", "90") == passed);
    CHECK(within("100", "10", "110.01") == failed);
    CHECK(within("100", "10", "89") == failed);
  }
  TEST_CASE("a percentage is of the baseline") {
    CHECK(within("1000", "0.5%", "1005") == passed);
    CHECK(within("1000", "0.5%", "1006") == failed);
    CHECK(within("-1000", "0.5%", "-995") == passed);
    CHECK(within("0", "50%", "0") == passed);
    CHECK(within("0", "50%", "1") == failed);
  }
  TEST_CASE("large counts are compared without rounding") {
    CHECK(within("9007199254740993", "", "9007199254740992") == failed);
    CHECK(within("18014398509481985", "1", "18014398509481983") == failed);
  }
  TEST_CASE("a baseline that was never recorded is an error") {
    CHECK(verdict(BaselineIs{"b", ""}, value("1")) == error);
    CHECK(verdict(BaselineIs{"b", ""}, value("1"), {{"b", std::nullopt}}) == error);
  }
  TEST_CASE("NULL and no row are failures") {
    CHECK(verdict(BaselineIs{"b", ""}, value(std::nullopt), {{"b", "1"}}) == failed);
    CHECK(verdict(BaselineIs{"b", ""}, rows({}), {{"b", "1"}}) == failed);
  }
  TEST_CASE("an unreadable tolerance closes the gate") { CHECK(within("1", "ten", "1") == error); }
}

namespace {

std::string thousandths(std::int64_t number) {
  auto const size = std::to_string(std::abs(number) % 1000);
  return (number < 0 ? "-" : "") + std::to_string(std::abs(number) / 1000) + "." +
         std::string(3 - size.size(), '0') + size;
}
Decimal decimal(std::int64_t number) { return *Decimal::parse(thousandths(number)); }

}  // namespace

TEST_SUITE("decimals") {
  TEST_CASE("what is no number is not read as one") {
    for (auto const* text :
         {"", "-", ".", "1.2.3", "1e", "e5", "0x10", "1 ", "--1", "1e9999", "Infinity", "1,5"}) {
      CAPTURE(std::string(text));
      CHECK_FALSE(Decimal::parse(text));
    }
  }
  TEST_CASE("spellings of one number are equal") {
    for (auto const* text : {"12.5", "+12.50", "012.5", "1.25e1", "125e-1", "1250E-2"}) {
      CAPTURE(std::string(text));
      CHECK(*Decimal::parse(text) == *Decimal::parse("12.5"));
    }
  }
  TEST_CASE("order, difference and product agree with whole numbers") {
    CHECK(rc::check([](std::int32_t left, std::int32_t right) {
      auto const one = decimal(left), other = decimal(right);
      RC_ASSERT((one <=> other) == (left <=> right));
      RC_ASSERT(one - other == decimal(std::int64_t{left} - right));
      RC_ASSERT(one * decimal(1000) == one);
      RC_ASSERT(one * *Decimal::parse("1000") * *Decimal::parse("1e-3") == one);
      RC_ASSERT(*Decimal::parse(one.to_text()) == one);
    }));
  }
  TEST_CASE("products of whole numbers are exact") {
    CHECK(rc::check([](std::int32_t left, std::int32_t right) {
      auto const product = std::to_string(std::int64_t{left} * right);
      RC_ASSERT(*Decimal::parse(std::to_string(left)) * *Decimal::parse(std::to_string(right)) ==
                *Decimal::parse(product));
    }));
  }
}

TEST_SUITE("properties of the gate") {
  TEST_CASE("a value expectation passes exactly when the numbers are equal") {
    CHECK(rc::check([](std::int64_t expected, std::int64_t actual, bool same) {
      auto const got = same ? expected : actual;
      auto const spelled = std::to_string(got) + ".00";
      RC_ASSERT((verdict(is(std::to_string(expected)), value(spelled)) == passed) ==
                (expected == got));
    }));
  }
  TEST_CASE("lt and ge are opposites, and so are gt and le") {
    CHECK(rc::check([](std::int32_t limit, std::int32_t number) {
      auto const result = [&](Comparator op) {
        return verdict(compares(op, std::to_string(limit)), value(std::to_string(number)));
      };
      RC_ASSERT(result(Comparator::lt) != result(Comparator::ge));
      RC_ASSERT(result(Comparator::gt) != result(Comparator::le));
    }));
  }
  TEST_CASE("an absolute tolerance is a distance") {
    CHECK(rc::check([](std::int32_t base, std::int32_t now, std::uint16_t tolerance) {
      bool const near = std::abs(std::int64_t{base} - now) <= tolerance;
      RC_ASSERT((within(std::to_string(base), std::to_string(tolerance), std::to_string(now)) ==
                 passed) == near);
    }));
  }
  TEST_CASE("no text of an answer makes the judge fail, and only equal ones pass") {
    CHECK(rc::check([](std::string const& expected, std::string const& actual) {
      RC_ASSERT(verdict(is(expected), value(expected)) == passed);
      RC_ASSERT(verdict(is(expected), value(actual)) == verdict(is(actual), value(expected)));
    }));
  }
}
