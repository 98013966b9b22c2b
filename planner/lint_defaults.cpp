// ADD COLUMN: a default that is the same for every row is kept once, beside the table; any other
// one has to be written into each row.
#include <algorithm>

#include "planner/lint_rules.h"

namespace runbookd::planner::rules {
namespace {

using pg::Node;

constexpr std::string_view volatile_functions[] = {"random",
                                                   "random_normal",
                                                   "gen_random_uuid",
                                                   "gen_random_bytes",
                                                   "uuid_generate_v1",
                                                   "uuid_generate_v4",
                                                   "uuid_generate_v1mc",
                                                   "uuidv4",
                                                   "uuidv7",
                                                   "clock_timestamp",
                                                   "timeofday",
                                                   "nextval",
                                                   "currval",
                                                   "lastval",
                                                   "setval",
                                                   "gen_salt"};

// Stable or immutable ones of the server that people write into defaults.
constexpr std::string_view steady_functions[] = {"now",
                                                 "statement_timestamp",
                                                 "transaction_timestamp",
                                                 "txid_current",
                                                 "pg_current_xact_id",
                                                 "date_trunc",
                                                 "date_part",
                                                 "timezone",
                                                 "to_timestamp",
                                                 "to_date",
                                                 "to_char",
                                                 "make_date",
                                                 "make_interval",
                                                 "age",
                                                 "floor",
                                                 "ceil",
                                                 "round",
                                                 "trunc",
                                                 "abs",
                                                 "power",
                                                 "sqrt",
                                                 "lower",
                                                 "upper",
                                                 "initcap",
                                                 "concat",
                                                 "format",
                                                 "left",
                                                 "right",
                                                 "lpad",
                                                 "rpad",
                                                 "btrim",
                                                 "replace",
                                                 "substring",
                                                 "substr",
                                                 "length",
                                                 "md5",
                                                 "encode",
                                                 "decode",
                                                 "chr",
                                                 "array_fill",
                                                 "to_jsonb",
                                                 "to_json",
                                                 "jsonb_build_object",
                                                 "json_build_object",
                                                 "jsonb_build_array",
                                                 "json_build_array",
                                                 "jsonb_object",
                                                 "current_setting",
                                                 "string_to_array"};

constexpr std::string_view serial_types[] = {"serial",  "bigserial", "smallserial",
                                             "serial2", "serial4",   "serial8"};

template <typename List>
bool holds(List const& list, std::string_view name) {
  return std::ranges::find(list, name) != std::end(list);
}

std::string last_name(Node node, std::string_view field) {
  auto const name = pg::names(node.list(field));
  return name.empty() ? "" : name.back();
}

constexpr auto in_three_steps =
    "add the column without it, set the default for new rows in a second statement, and fill the "
    "old rows by a backfill step";

Advice rewrites(std::string const& column, std::string const& because) {
  return {.rule = "lock/volatile-default-rewrites",
          .why = "adding column " + column +
                 " rewrites the whole table while nobody can read or write it: " + because,
          .fix = in_three_steps};
}

Advice may_rewrite(std::string const& column, std::string const& function) {
  return {.rule = "lock/volatile-default-rewrites",
          .severity = Severity::warning,
          .why = "adding column " + column +
                 " rewrites the whole table, while nobody can read or write it, if " + function +
                 "() is VOLATILE (psql: \\df+ " + function + ")",
          .fix = "if it is IMMUTABLE or STABLE, nothing; else " + std::string(in_three_steps)};
}

// The worst function of the expression decides.
std::vector<Advice> judge_default(std::string const& column, Node expression) {
  std::string unknown;
  for (auto const& node : pg::every(expression)) {
    if (!node.is("FuncCall")) {
      continue;
    }
    auto const function = last_name(node, "funcname");
    if (holds(volatile_functions, function)) {
      return {rewrites(column, function + "() gives each row a value of its own")};
    }
    unknown = holds(steady_functions, function) ? unknown : function;
  }
  return unknown.empty() ? std::vector<Advice>{} : std::vector{may_rewrite(column, unknown)};
}

Advice must_have_value(std::string const& column) {
  return {.rule = "data/add-not-null-without-default",
          .severity = Severity::warning,
          .why = "adding column " + column +
                 " NOT NULL without a default fails as soon as the table has a row",
          .fix = "add it nullable, backfill it, then prove and set NOT NULL"};
}

}  // namespace

std::vector<Advice> judge_new_column(Node column) {
  auto const name = column.text("colname");
  bool has_value = false, not_null = false;
  std::vector<Advice> advice;
  if (holds(serial_types, last_name(column["typeName"], "names"))) {
    advice.push_back(rewrites(name, "a serial column numbers every row"));
    has_value = true;
  }
  for (auto const& constraint : column.list("constraints")) {
    auto const type = constraint.text("contype");
    not_null = not_null || type == "CONSTR_NOTNULL" || type == "CONSTR_PRIMARY";
    if (type == "CONSTR_DEFAULT") {
      auto const more = judge_default(name, constraint["raw_expr"]);
      advice.insert(advice.end(), more.begin(), more.end());
    } else if (type == "CONSTR_IDENTITY") {
      advice.push_back(rewrites(name, "an identity column numbers every row"));
    } else if (type == "CONSTR_GENERATED") {
      advice.push_back(rewrites(name, "a stored generated column is computed for every row"));
    }
    has_value = has_value || type == "CONSTR_DEFAULT" || type == "CONSTR_IDENTITY" ||
                type == "CONSTR_GENERATED";
  }
  if (not_null && !has_value) {
    advice.push_back(must_have_value(name));
  }
  return advice;
}

}  // namespace runbookd::planner::rules
