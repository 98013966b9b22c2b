#include "planner/plan_needs.h"

#include <algorithm>
#include <utility>

namespace runbookd::planner {
namespace {

// Statements that run one after the other.
struct Passage {
  std::vector<Statement> statements;
  std::string where;
  std::string fails_with;  // SQLSTATE that is expected of a probe
};

class Passages {
 public:
  explicit Passages(Plan const& plan) : oldest_server_(plan.database.min_version) {
    for (auto const& baseline : plan.baselines) {
      add(baseline.sql, "baseline " + baseline.name, "");
    }
    for (auto const& phase : plan.phases) {
      auto const in = phase.name + "/";
      add(phase.requirements, in);
      for (auto const& step : phase.steps) {
        add(step.forward, in + step.name);
      }
      add(phase.validate, in);
      add(phase.watch, in);
    }
    add(plan.final_checks, "");
    // backwards, as they would run
    for (auto phase = plan.phases.rbegin(); phase != plan.phases.rend(); ++phase) {
      for (auto step = phase->steps.rbegin(); step != phase->steps.rend(); ++step) {
        if (step->reversible()) {
          add(step->backward, "the rollback of " + phase->name + "/" + step->name);
        }
      }
    }
  }
  std::vector<Passage> const& all() const { return all_; }

 private:
  void add(Action const& action, std::string const& where) {
    if (auto const* sql = std::get_if<SqlAction>(&action)) {
      all_.push_back({sql->statements, where, ""});
    } else if (auto const* backfill = std::get_if<BackfillAction>(&action)) {
      if (auto const update = update_of(*backfill)) {
        all_.push_back({{*update}, where, ""});
      }
    }
  }
  void add(SqlText const& query, std::string const& where, std::string const& fails_with) {
    all_.push_back({read_sql(query, oldest_server_).statements, where, fails_with});
  }
  void add(std::vector<Check> const& checks, std::string const& in) {
    for (auto const& check : checks) {
      auto const* failure = std::get_if<FailsWith>(&check.expect);
      add(check.sql, "check " + in + check.name, failure == nullptr ? "" : failure->sqlstate);
    }
  }

  int oldest_server_;
  std::vector<Passage> all_;
};

class Survey {
 public:
  void read(Passage const& passage) {
    if (passage.fails_with != insufficient_privilege) {
      read(passage.statements, passage.where);
    }
  }
  std::vector<PlanNeed> result() && { return std::move(needs_); }

 private:
  // a probe that expects it shows that the role may not
  static constexpr std::string_view insufficient_privilege = "42501";

  void read(std::vector<Statement> const& statements, std::string const& where) {
    std::string role;
    for (auto const& statement : statements) {
      for (auto& need : needs_of(statement)) {
        if (!made_by_plan(need)) {
          add(std::move(need), role, where);
        }
      }
      auto const made = created_by(statement);
      made_.insert(made_.end(), made.begin(), made.end());
      role = role_set_by(statement).value_or(role);
    }
  }
  // "users" may well be "public.users": the text cannot tell, so they count as one.
  bool made_by_plan(Need const& need) const {
    return !need.name.empty() && std::ranges::any_of(made_, [&](auto const& one) {
      bool const schemas = one.first.empty() || need.schema.empty() || one.first == need.schema;
      return schemas && one.second == need.name;
    });
  }
  void add(Need need, std::string const& role, std::string const& where) {
    auto const known = std::ranges::find_if(
        needs_, [&](PlanNeed const& one) { return one.need == need && one.role == role; });
    if (known == needs_.end()) {
      needs_.push_back({.need = std::move(need), .role = role, .where = {where}});
    } else if (std::ranges::find(known->where, where) == known->where.end()) {
      known->where.push_back(where);
    }
  }

  std::vector<std::pair<std::string, std::string>> made_;
  std::vector<PlanNeed> needs_;
};

}  // namespace

std::vector<PlanNeed> needs_of_plan(Plan const& plan) {
  Survey survey;
  Passages const passages(plan);
  for (auto const& passage : passages.all()) {
    survey.read(passage);
  }
  return std::move(survey).result();
}

std::vector<UnreadSql> unread_sql(Plan const& plan) {
  std::vector<UnreadSql> unread;
  Passages const passages(plan);
  for (auto const& passage : passages.all()) {
    for (auto const& statement : passage.statements) {
      if (is_unread(statement)) {
        unread.push_back({statement.sql, passage.where});
      }
    }
  }
  return unread;
}

}  // namespace runbookd::planner
