#include <algorithm>
#include <array>

#include "planner/plan_reading.h"
#include "planner/sql.h"

namespace runbookd::planner {
namespace {

struct ExpectDraft {
  Node const* value = nullptr;
  Node const* row = nullptr;
  Node const* rows = nullptr;
  Node const* empty = nullptr;
  Node const* error = nullptr;
  Node const* baseline = nullptr;
  Node const* tolerance = nullptr;
  std::vector<Compares> compares;
  Node const* first_compare = nullptr;
};

template <Comparator op>
void read_compare(Reading& reading, Node const& node, ExpectDraft& draft) {
  draft.first_compare = draft.first_compare == nullptr ? &node : draft.first_compare;
  Cell const value = reading.cell(node);
  if (node.kind == Node::Kind::null) {
    reading.error(node.key_spot, "plan/bad-value", "nothing can be compared with NULL",
                  "write a number, or `value: null` for NULL itself");
  }
  draft.compares.push_back({.op = op, .value = value.value_or("")});
}

constexpr std::array expect_keys{
    Key<ExpectDraft>{"value", keep_node<&ExpectDraft::value>},
    Key<ExpectDraft>{"row", keep_node<&ExpectDraft::row>},
    Key<ExpectDraft>{"rows", keep_node<&ExpectDraft::rows>},
    Key<ExpectDraft>{"empty", keep_node<&ExpectDraft::empty>},
    Key<ExpectDraft>{"lt", read_compare<Comparator::lt>},
    Key<ExpectDraft>{"le", read_compare<Comparator::le>},
    Key<ExpectDraft>{"gt", read_compare<Comparator::gt>},
    Key<ExpectDraft>{"ge", read_compare<Comparator::ge>},
    Key<ExpectDraft>{"ne", read_compare<Comparator::ne>},
    Key<ExpectDraft>{"error", keep_node<&ExpectDraft::error>},
    Key<ExpectDraft>{"baseline", keep_node<&ExpectDraft::baseline>},
    Key<ExpectDraft>{"tolerance", keep_node<&ExpectDraft::tolerance>},
};
constexpr Table<ExpectDraft> expect_table{"expect", "`expect`", expect_keys};

std::vector<Cell> cells(Reading& reading, Node const& node) {
  std::vector<Cell> row;
  if (reading.is_list(node)) {
    for (Node const& child : node.children) {
      row.push_back(reading.cell(child));
    }
  }
  return row;
}

RowsAre rows_of(Reading& reading, Node const& node) {
  RowsAre expected;
  if (reading.is_list(node)) {
    for (Node const& child : node.children) {
      expected.rows.push_back(cells(reading, child));
    }
  }
  return expected;
}

FailsWith error_of(Reading& reading, Node const& node) {
  FailsWith expected{.condition = reading.text(node).value_or(""), .sqlstate = {}};
  expected.sqlstate = sqlstate_of(expected.condition);
  if (expected.sqlstate.empty() && node.kind == Node::Kind::scalar) {
    reading.error(
        node.spot, "plan/bad-value",
        "PostgreSQL has no error condition `" + expected.condition + "`",
        "write a condition such as not_null_violation, or its five characters such as 23502");
  }
  return expected;
}

bool is_tolerance(std::string_view text) {
  auto const number = text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
  return !number.empty() && number.front() != '.' && number.back() != '.' &&
         number.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(number.begin(), number.end(), '.') <= 1;
}

BaselineIs baseline_of(Reading& reading, Node const& node, Node const* tolerance) {
  BaselineIs expected{.name = reading.text(node).value_or(""), .tolerance = {}};
  auto const& names = reading.baseline_names;
  if (node.kind == Node::Kind::scalar &&
      std::find(names.begin(), names.end(), expected.name) == names.end()) {
    reading.unknown(node, expected.name, "baseline", names);
  }
  if (tolerance != nullptr) {
    expected.tolerance = reading.text(*tolerance).value_or("");
    if (tolerance->kind == Node::Kind::scalar && !is_tolerance(expected.tolerance)) {
      reading.error(tolerance->spot, "plan/bad-value",
                    "`tolerance` must be a number or a percentage", "write 10 or 0.5%");
    }
  }
  return expected;
}

// The kinds of expectation exclude each other; comparators count as one kind.
Node const* only_kind(Reading& reading, Node const& node, ExpectDraft const& draft) {
  Node const* first = nullptr;
  for (Node const* kind : {draft.value, draft.row, draft.rows, draft.empty, draft.first_compare,
                           draft.error, draft.baseline}) {
    if (kind != nullptr && first != nullptr) {
      reading.error(kind->key_spot, "plan/conflict",
                    "`" + kind->key + "` cannot stand beside `" + first->key + "`",
                    "make two checks of it");
    }
    first = first == nullptr ? kind : first;
  }
  if (first == nullptr && node.kind == Node::Kind::mapping) {
    reading.error(node.spot, "plan/missing-key", "`expect` expects nothing",
                  "give it value, row, rows, empty, lt, le, gt, ge, ne, error or baseline");
  }
  if (draft.tolerance != nullptr && draft.baseline == nullptr) {
    reading.error(draft.tolerance->key_spot, "plan/conflict", "`tolerance` belongs to `baseline`",
                  "remove it");
  }
  return first;
}

struct CheckDraft {
  Check check;
  Node const* sql = nullptr;
  Node const* expect = nullptr;
};
void read_check_name(Reading& reading, Node const& node, CheckDraft& draft) {
  draft.check.name = reading.name(node).value_or("");
}
void read_description(Reading& reading, Node const& node, CheckDraft& draft) {
  draft.check.description = reading.text(node).value_or("");
}
void read_every(Reading& reading, Node const& node, CheckDraft& draft) {
  draft.check.every = reading.duration(node, Duration{100}).value_or(draft.check.every);
}
void read_timeout(Reading& reading, Node const& node, CheckDraft& draft) {
  draft.check.timeout = reading.duration(node, Duration{1}).value_or(draft.check.timeout);
}
constexpr std::array check_table_keys{
    Key<CheckDraft>{"name", read_check_name, Presence::required},
    Key<CheckDraft>{"description", read_description},
    Key<CheckDraft>{"sql", keep_node<&CheckDraft::sql>, Presence::required},
    Key<CheckDraft>{"expect", keep_node<&CheckDraft::expect>, Presence::required},
    Key<CheckDraft>{"every", read_every},
    Key<CheckDraft>{"timeout", read_timeout},
};
constexpr Table<CheckDraft> check_table{"check", "a check", check_table_keys};

}  // namespace

Expectation read_expectation(Reading& reading, Node const& node) {
  ExpectDraft const draft = read_mapping(reading, node, expect_table);
  Node const* kind = only_kind(reading, node, draft);
  if (kind == nullptr) {
    return ValueIs{};
  }
  if (kind == draft.value) {
    return ValueIs{.value = reading.cell(*kind)};
  }
  if (kind == draft.row) {
    return RowIs{.row = cells(reading, *kind)};
  }
  if (kind == draft.rows) {
    return rows_of(reading, *kind);
  }
  if (kind == draft.empty) {
    return IsEmpty{.empty = reading.flag(*kind).value_or(true)};
  }
  if (kind == draft.error) {
    return error_of(reading, *kind);
  }
  if (kind == draft.baseline) {
    return baseline_of(reading, *kind, draft.tolerance);
  }
  return draft.compares;
}

Check read_check(Reading& reading, Node const& node) {
  CheckDraft draft;
  draft.check.timeout = reading.defaults.check_timeout;
  draft = read_mapping(reading, node, check_table, std::move(draft));
  draft.check.place = reading.place(node.spot);
  if (draft.expect != nullptr) {
    draft.check.expect = read_expectation(reading, *draft.expect);
  }
  auto sql = draft.sql == nullptr ? std::nullopt : reading.sql(*draft.sql);
  if (sql) {
    bool const probe = std::holds_alternative<FailsWith>(draft.check.expect);
    reading.merge(check_query_findings(*sql, probe, reading.oldest_server));
    draft.check.sql = std::move(*sql);
  }
  return draft.check;
}

std::vector<Check> read_checks(Reading& reading, Node const& node) {
  std::vector<Check> checks;
  if (reading.is_list(node)) {
    reading.check_unique(node, "check");
    for (Node const& child : node.children) {
      checks.push_back(read_check(reading, child));
    }
  }
  return checks;
}

std::vector<KeySet> check_keys() { return {key_set(check_table), key_set(expect_table)}; }

}  // namespace runbookd::planner
