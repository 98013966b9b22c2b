// Expectation x what the server answered -> a verdict. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/plan.h"

namespace runbookd::planner {

// How a database call failed. `fate` says whether it may have taken effect.
struct SqlFailure {
  enum class Fate { failed, unknown };
  std::string sqlstate;   // five characters; empty where there was no server answer
  std::string message;    // the server's words, one paragraph
  std::string statement;  // the SQL that failed, as written; may be empty
  Fate fate = Fate::failed;
  bool operator==(SqlFailure const&) const = default;
};

struct QueryAnswer {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  // at most a few; total_rows tells how many there were
  std::int64_t total_rows = 0;
  std::optional<SqlFailure> failure;
};

enum class Verdict { passed, failed, error };
std::string_view to_text(Verdict verdict);

struct CheckResult {
  std::string name;
  Verdict verdict = Verdict::error;
  std::string expected;  // in words: "value 0"
  std::string actual;    // in words: "value 17", "no row", "NULL", "ERROR 42P01: …"
  Duration took{};
  bool operator==(CheckResult const&) const = default;
};

using BaselineValues = std::map<std::string, Cell>;

// No row or NULL where a value was expected = failed; a server error = error unless it is the
// expected one; no error where one was expected = failed.
CheckResult judge_check(Check const& check, QueryAnswer const& answer,
                        BaselineValues const& baselines);

}  // namespace runbookd::planner
