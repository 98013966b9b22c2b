#include "planner/pg_newer_json.h"

#include <utility>

namespace runbookd::planner::pg {
namespace {

struct Function {
  std::string_view name;
  int since;
};
constexpr Function functions[] = {
    {"JSON_OBJECT", 16}, {"JSON_ARRAY", 16},  {"JSON_OBJECTAGG", 16}, {"JSON_ARRAYAGG", 16},
    {"JSON_EXISTS", 17}, {"JSON_QUERY", 17},  {"JSON_VALUE", 17},     {"JSON_TABLE", 17},
    {"JSON", 17},        {"JSON_SCALAR", 17}, {"JSON_SERIALIZE", 17}};

// The bracket that the parser stopped in, where it is that of such a call; -1 = none.
Index opening_of_call(Place const& p, int since) {
  int depth = 0;
  for (auto i = p.at() - 1; i > 0; --i) {
    depth += p.word(i) == ")" ? 1 : p.word(i) == "(" ? -1 : 0;
    if (depth == -1) {
      bool const known = std::ranges::any_of(functions, [&](Function const& function) {
        return function.since == since && p.is(i - 1, function.name);
      });
      return known ? i : -1;
    }
  }
  return -1;
}

class Clauses {
 public:
  Clauses(Place const& place, Index open)
      : p_(place), open_(open), close_(place.closing(open) - 1), at_(open + 1) {}

  std::vector<Change> changes() {
    changes_.push_back({open_ - 1, open_, "json_build_array"});
    if (begins_query(at_)) {
      keep_query();
    }
    while (at_ < close_) {
      if (p_.word(at_) == "(") {
        at_ = p_.closing(at_);
      } else if (!clause()) {
        ++at_;
      }
    }
    return std::move(changes_);
  }

 private:
  bool is(std::string_view word) const { return p_.is(at_, word); }
  bool are(std::initializer_list<std::string_view> words) const { return p_.are(at_, words); }
  bool one_of(Index i, std::initializer_list<std::string_view> words) const {
    return std::ranges::any_of(words, [&](auto word) { return p_.is(i, word); });
  }
  bool begins_query(Index i) const { return one_of(i, {"SELECT", "VALUES", "WITH", "TABLE"}); }
  bool becomes(Index count, std::string now) {
    changes_.push_back({at_, at_ + count, std::move(now)});
    at_ += count;
    return true;
  }
  bool gone(Index count) { return becomes(count, ""); }

  void keep_query() {
    auto end = at_;
    while (end < close_ && !one_of(end, {"FORMAT", "ABSENT", "RETURNING"})) {
      end = p_.word(end) == "(" ? p_.closing(end) : end + 1;
    }
    changes_.push_back({at_, at_, "("});
    changes_.push_back({end, end, ")"});
    at_ = end;
  }

  // Behind an expression, so that it is no column of that name.
  bool ends_expression(Index i) const {
    auto const word = p_.word(i);
    return word == ")" || word == "]" || (p_.name(i) && !p_.is(i, "KEY")) ||
           (!word.empty() &&
            (word.front() == '\'' || (word.front() >= '0' && word.front() <= '9')));
  }

  bool clause() {
    return pair() || nulls() || keys() || wrapper() || behaviour() || type() || lists();
  }

  bool pair() {
    if (p_.word(at_) == ":") {
      return becomes(1, ",");
    }
    if (is("VALUE") && ends_expression(at_ - 1)) {
      return becomes(1, ",");
    }
    bool const first = p_.word(at_ - 1) == "(" || p_.word(at_ - 1) == ",";
    bool const alone = one_of(at_ + 1, {"VALUE"}) || p_.word(at_ + 1) == ":" ||
                       p_.word(at_ + 1) == "," || p_.word(at_ + 1) == ")";
    return is("KEY") && first && !alone && gone(1);
  }
  bool nulls() { return (are({"NULL", "ON", "NULL"}) || are({"ABSENT", "ON", "NULL"})) && gone(3); }
  bool keys() {
    return one_of(at_, {"WITH", "WITHOUT"}) && p_.is(at_ + 1, "UNIQUE") &&
           gone(p_.is(at_ + 2, "KEYS") ? 3 : 2);
  }
  bool wrapper() {
    if (one_of(at_, {"KEEP", "OMIT"}) && p_.is(at_ + 1, "QUOTES")) {
      return gone(p_.are(at_ + 2, {"ON", "SCALAR", "STRING"}) ? 5 : 2);
    }
    auto to = at_ + 1;
    to += one_of(to, {"CONDITIONAL", "UNCONDITIONAL"}) ? 1 : 0;
    to += p_.is(to, "ARRAY") ? 1 : 0;
    return one_of(at_, {"WITH", "WITHOUT"}) && p_.is(to, "WRAPPER") && gone(to + 1 - at_);
  }
  // NULL ON EMPTY, DEFAULT 0 ON ERROR
  bool behaviour() {
    auto const when = [this](Index i) {
      return p_.is(i, "ON") && one_of(i + 1, {"EMPTY", "ERROR"});
    };
    if (when(at_)) {
      return gone(2);
    }
    if (is("DEFAULT")) {
      return becomes(1, ",");
    }
    auto const to = at_ + (is("EMPTY") && one_of(at_ + 1, {"ARRAY", "OBJECT"}) ? 2 : 1);
    return one_of(at_, {"ERROR", "NULL", "TRUE", "FALSE", "UNKNOWN", "EMPTY"}) && when(to) &&
           gone(to + 2 - at_);
  }
  bool type() {
    if (are({"FORMAT", "JSON"})) {
      return gone(p_.is(at_ + 2, "ENCODING") ? 4 : 2);
    }
    if (!is("RETURNING")) {
      return false;
    }
    auto to = at_ + 1;
    while (to < close_ && !ends_type(to)) {
      to = p_.word(to) == "(" ? p_.closing(to) : to + 1;
    }
    return gone(to - at_);
  }
  bool ends_type(Index i) const {
    bool const wrapped =
        one_of(i, {"WITH", "WITHOUT"}) &&
        one_of(i + 1, {"UNIQUE", "CONDITIONAL", "UNCONDITIONAL", "ARRAY", "WRAPPER"});
    return wrapped || p_.word(i) == "," ||
           one_of(i, {"FORMAT", "KEEP", "OMIT", "NULL", "ABSENT", "ERROR", "TRUE", "FALSE",
                      "UNKNOWN", "EMPTY", "DEFAULT", "PASSING", "COLUMNS"});
  }
  bool lists() {
    if (is("PASSING")) {
      return becomes(1, ",");
    }
    if (is("COLUMNS") && p_.word(at_ + 1) == "(") {
      return gone(p_.closing(at_ + 1) - at_);
    }
    return is("AS") && p_.name(at_ + 1) && gone(2);
  }

  Place const& p_;
  Index open_, close_, at_;
  std::vector<Change> changes_;
};

}  // namespace

std::optional<Rewrite> json_call(Place const& place, int since) {
  auto const open = opening_of_call(place, since);
  if (open < 1) {
    return std::nullopt;
  }
  return Rewrite{Clauses(place, open).changes()};
}

}  // namespace runbookd::planner::pg
