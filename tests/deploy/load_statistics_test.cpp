#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "deploy/demo/load_statistics.h"

#include <string>

#include <doctest/doctest.h>

namespace runbookd::demo {
namespace {

Transaction took(std::chrono::microseconds span, char const* kind = "select") {
  return {.kind = kind, .due = {}, .took = span, .sqlstate = "", .message = ""};
}

double number(std::string const& summary, std::string const& name) {
  auto const key = "\"" + name + "\": ";
  auto const at = summary.find(key);
  REQUIRE(at != std::string::npos);
  return std::stod(summary.substr(at + key.size()));
}

bool contains(std::string const& summary, std::string const& text) {
  return summary.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("nothing recorded is all zeros") {
  LoadStatistics const statistics;
  auto const summary = statistics.summary("v1");
  CHECK(number(summary, "transactions") == 0);
  CHECK(number(summary, "p99_ms") == 0);
  CHECK(number(summary, "longest_ms") == 0);
  CHECK(contains(summary, R"("longest_at": "")"));
}

TEST_CASE("the longest wait is kept exactly, with what waited and when") {
  LoadStatistics statistics;
  statistics.record(took(std::chrono::milliseconds(3)));
  auto longest = took(std::chrono::microseconds(1'234'560), "update");
  longest.due = std::chrono::system_clock::from_time_t(86'400);
  statistics.record(longest);
  statistics.record(took(std::chrono::milliseconds(7)));
  auto const summary = statistics.summary("v1");
  CHECK(number(summary, "longest_ms") == doctest::Approx(1234.56));
  CHECK(contains(summary, R"("longest_kind": "update")"));
  CHECK(contains(summary, R"("longest_at": "1970-01-02T00:00:00Z")"));
}

TEST_CASE("a percentile is never below the truth and at most a sixteenth above it") {
  LoadStatistics statistics;
  for (int n = 1; n <= 10'000; ++n) {
    statistics.record(took(std::chrono::microseconds(n * 10)));
  }
  auto const summary = statistics.summary("v1");
  CHECK(number(summary, "p50_ms") >= 50);
  CHECK(number(summary, "p50_ms") <= 50 * 17.0 / 16);
  CHECK(number(summary, "p99_ms") >= 99);
  CHECK(number(summary, "p99_ms") <= 99 * 17.0 / 16);
}

TEST_CASE("no percentile is longer than the longest wait") {
  LoadStatistics statistics;
  statistics.record(took(std::chrono::microseconds(1'000'001)));
  CHECK(number(statistics.summary("v1"), "p99_ms") == doctest::Approx(1000.0));
}

TEST_CASE("errors are counted by SQLSTATE and the last one is told") {
  LoadStatistics statistics;
  auto failed = took(std::chrono::milliseconds(1));
  failed.sqlstate = "42703";
  failed.message = "column \"org_id\" does not exist\n";
  statistics.record(failed);
  statistics.record(failed);
  failed.sqlstate = "23502";
  failed.message = "null value";
  statistics.record(failed);
  statistics.record(took(std::chrono::milliseconds(1)));
  auto const summary = statistics.summary("v1");
  CHECK(number(summary, "transactions") == 4);
  CHECK(number(summary, "errors") == 3);
  CHECK(contains(summary, R"({"23502": 1, "42703": 2})"));
  CHECK(contains(summary, R"("last_error": "null value")"));
}

TEST_CASE("quotes and line ends in a message leave the summary valid JSON") {
  LoadStatistics statistics;
  auto failed = took(std::chrono::milliseconds(1));
  failed.sqlstate = "42703";
  failed.message = "a \"b\" \\ c\nd";
  statistics.record(failed);
  CHECK(contains(statistics.summary("v1"), R"("last_error": "a \"b\" \\ c d")"));
}

TEST_CASE("waits above 200 ms are counted") {
  LoadStatistics statistics;
  statistics.record(took(std::chrono::milliseconds(200)));
  statistics.record(took(std::chrono::milliseconds(201)));
  CHECK(number(statistics.summary("v1"), "longer_than_200_ms") == 1);
}

}  // namespace runbookd::demo
