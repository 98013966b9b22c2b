#include "daemon/target/definitions.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/target/definitions_sql.h"

namespace runbookd::daemon {

using planner::Definition;
using planner::DerivedWayBack;
using planner::Question;
using About = Question::About;

namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

std::string kind_of_name(Question const& question) {
  switch (question.about) {
    case About::function:
      return "FUNCTION";
    case About::type:
    case About::domain_constraint:
    case About::domain_default:
      return "TYPE";
    case About::statistics:
      return "STATISTICS";
    case About::comment:
    case About::owner:
    case About::schema:
    case About::exists:
    case About::rights:
      return question.kind.starts_with("ALL ") ? "SCHEMA" : question.kind;
    case About::column_default:
    case About::column_type:
    case About::column_setting:
    case About::constraint:
    case About::validation:
    case About::index:
    case About::view:
    case About::trigger:
    case About::policy:
    case About::rule:
    case About::tablespace:
    case About::options:
    case About::sequence:
    case About::replica_identity:
    case About::clustered:
    case About::triggers_enabled:
    case About::rules_enabled:
    case About::bound:
      return "TABLE";
  }
  __builtin_unreachable();
}

constexpr auto statistics_by_name = R"sql(
  SELECT s.oid FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace, parse_ident($1) p
  WHERE s.stxname = p[array_length(p, 1)]
    AND CASE WHEN array_length(p, 1) > 1 THEN n.nspname = p[1] ELSE pg_statistics_obj_is_visible(s.oid) END
)sql";

constexpr auto begin =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '5s'; "
    "SET LOCAL statement_timeout = '30s'; SET LOCAL jit = off; SET LOCAL DateStyle = ISO; "
    "SET LOCAL IntervalStyle = postgres; SET LOCAL extra_float_digits = 1";

std::string definition_of(std::string const& words, std::string const& rest) {
  return "WITH RECURSIVE asked AS (" + words + "), " + rest;
}

void add(Definition& definition, std::string_view word, std::string text) {
  definition.found = true;
  if (word == "sql") {
    definition.sql.push_back(std::move(text));
  } else if (word == "was") {
    definition.was = std::move(text);
  } else if (word == "refused") {
    definition.refused = std::move(text);
  }
}

Definition definition_in(Question const& question, Rows const& rows) {
  Definition definition;
  for (auto const& row : rows.rows) {
    add(definition, row[0].value_or(""), row[1].value_or(""));
  }
  if (question.detail == "CONCURRENTLY" && definition.sql.size() > 1) {
    definition.refused =
        "a comment, tablespace or setting of the index cannot be given back in the same step: "
        "CREATE INDEX CONCURRENTLY stands alone";
  }
  return definition;
}

// By the step's own names: only after that the search_path is emptied.
SqlResult<std::vector<Cell>> resolve(Session& session, std::vector<Question> const& questions) {
  std::vector<Cell> oids;
  for (auto const& question : questions) {
    auto const rows = session.run(resolving_sql(question), {question.object});
    if (!rows) {
      return tl::unexpected(rows.error());
    }
    oids.push_back(rows->rows.empty() ? std::nullopt : rows->rows.front().front());
  }
  return oids;
}

SqlResult<std::vector<Definition>> answer(Session& session,
                                          std::vector<Question> const& questions) {
  auto const oids = resolve(session, questions);
  if (!oids) {
    return tl::unexpected(oids.error());
  }
  if (auto const emptied = session.run("SET LOCAL search_path = ''"); !emptied) {
    return tl::unexpected(emptied.error());
  }
  std::vector<Definition> told;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    auto const& question = questions[i];
    if (!(*oids)[i]) {
      told.emplace_back();
      continue;
    }
    auto const rows = session.run(definition_sql(question.about, session.server_version()),
                                  {(*oids)[i], question.part, question.detail, question.kind});
    if (!rows) {
      return tl::unexpected(rows.error());
    }
    told.push_back(definition_in(question, *rows));
  }
  return told;
}

SqlFailure refusal(std::string const& label, planner::NotInvertible const& one) {
  auto const instead = one.instead.empty()
                           ? std::string(
                                 "write `rollback: <the SQL that undoes the step>`, or say "
                                 "`irreversible: <reason>`")
                           : one.instead;
  auto const step = label.empty() ? "" : "step " + label + ": ";
  return {.sqlstate = "",
          .message = step + "rollback: auto finds no way back from `" + one.statement.sql.text +
                     "`: " + one.why + "; " + instead,
          .statement = one.statement.sql.text};
}

SqlResult<DerivedWayBack> derived_now(Session& session,
                                      std::vector<planner::Statement> const& step) {
  auto const told = read_definitions(session, planner::catalog_questions(step));
  return told ? SqlResult<DerivedWayBack>(planner::derive_way_back(step, *told))
              : tl::unexpected(told.error());
}

std::vector<planner::Statement> statements_before(planner::Plan const& plan, planner::StepRef ref) {
  std::vector<planner::Statement> all;
  for (planner::StepRef at; at < ref;) {
    auto const& steps = plan.phases[at.phase].steps;
    if (at.step >= std::ssize(steps)) {
      at = {.phase = at.phase + 1, .step = 0};
      continue;
    }
    if (auto const* sql = std::get_if<planner::SqlAction>(&steps[at.step].forward)) {
      all.insert(all.end(), sql->statements.begin(), sql->statements.end());
    }
    ++at.step;
  }
  return all;
}

}  // namespace

std::string resolving_sql(Question const& question) {
  auto const kind = kind_of_name(question);
  if (is_one_of(kind, {"FUNCTION", "PROCEDURE", "ROUTINE"})) {
    return "SELECT CASE WHEN strpos($1, '(') > 0 THEN to_regprocedure($1)::oid ELSE "
           "to_regproc($1)::oid END";
  }
  if (is_one_of(kind, {"TYPE", "DOMAIN"})) {
    return "SELECT to_regtype($1)::oid";
  }
  if (kind == "SCHEMA") {
    return "SELECT to_regnamespace($1)::oid";
  }
  if (kind == "STATISTICS") {
    return statistics_by_name;
  }
  return kind == "EXTENSION" ? "SELECT oid FROM pg_catalog.pg_extension WHERE extname = $1"
                             : "SELECT to_regclass($1)::oid";
}

std::string definition_sql(About about, int server_version) {
  auto const made = making_sql(about);
  return definition_of(
      "SELECT $1::oid AS oid, $2::text AS part, $3::text AS detail, $4::text AS kind",
      made.empty() ? setting_sql(about, server_version) : made);
}

SqlResult<std::vector<Definition>> read_definitions(Session& session,
                                                    planner::CatalogQuestions const& asked) {
  if (asked.questions.empty()) {
    return std::vector<Definition>{};
  }
  auto const settings = asked.settings.empty() ? "" : "; " + asked.settings;
  auto const begun = session.run(begin + settings);
  auto told = begun ? answer(session, asked.questions)
                    : SqlResult<std::vector<Definition>>(tl::unexpected(begun.error()));
  auto const ended = session.run("ROLLBACK");
  if (told && !ended) {
    return tl::unexpected(ended.error());
  }
  return told;
}

SqlResult<DerivedWayBack> way_back_now(Session& session,
                                       std::vector<planner::Statement> const& step) {
  auto derived = derived_now(session, step);
  if (derived && !derived->refused.empty()) {
    return tl::unexpected(refusal("", derived->refused.front()));
  }
  return derived;
}

SqlResult<std::vector<StepWayBack>> ways_back_now(Session& session, planner::Plan const& plan) {
  std::vector<StepWayBack> all;
  for (int p = 0; p < std::ssize(plan.phases); ++p) {
    for (int i = 0; i < std::ssize(plan.phases[p].steps); ++i) {
      planner::StepRef const ref{.phase = p, .step = i};
      auto const& step = plan.step(ref);
      auto const* sql = std::get_if<planner::SqlAction>(&step.forward);
      if (sql == nullptr || !std::holds_alternative<planner::AutoAction>(step.backward)) {
        continue;
      }
      auto derived = derived_now(session, sql->statements);
      if (!derived) {
        return tl::unexpected(std::move(derived.error()));
      }
      all.push_back({.ref = ref, .derived = std::move(*derived)});
    }
  }
  return all;
}

SqlResult<void> check_ways_back(Session& session, planner::Plan const& plan) {
  auto const all = ways_back_now(session, plan);
  if (!all) {
    return tl::unexpected(all.error());
  }
  for (auto const& one : *all) {
    auto const left = planner::hopeless(one.derived, statements_before(plan, one.ref));
    if (!left.empty()) {
      return tl::unexpected(refusal(plan.label(one.ref), left.front()));
    }
  }
  return {};
}

}  // namespace runbookd::daemon
