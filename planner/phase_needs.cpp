#include "planner/phase_needs.h"

#include <algorithm>
#include <utility>

#include "planner/sql.h"

namespace runbookd::planner {
namespace {

// Hands, eyes, and whoever asks for locks and preflight.
constexpr int our_sessions = 3;

void add(std::vector<PhaseTable>& to, PhaseTable table) {
  if (!table.name.empty() && std::ranges::find(to, table) == to.end()) {
    to.push_back(std::move(table));
  }
}

constexpr bool changes(Need::Kind kind) {
  switch (kind) {
    case Need::Kind::owner:
    case Need::Kind::drop:
    case Need::Kind::maintain:
    case Need::Kind::vacuum:
    case Need::Kind::insert:
    case Need::Kind::update:
    case Need::Kind::remove:
    case Need::Kind::truncate:
    case Need::Kind::references:
    case Need::Kind::trigger:
      return true;
    case Need::Kind::select:
    case Need::Kind::create_in_schema:
    case Need::Kind::create_in_database:
    case Need::Kind::own_schema:
    case Need::Kind::own_type:
    case Need::Kind::own_function:
    case Need::Kind::extension:
      return false;
  }
  __builtin_unreachable();
}

struct Reading {
  PhaseNeeds needs;

  void operator()(NoAction const&) {}
  void operator()(ManualAction const&) {}
  void operator()(WaitAction const&) {}
  void operator()(AutoAction const&) {}
  void operator()(BackfillAction const& action) {
    if (auto const update = update_of(action)) {
      tables(*update);
    }
    needs.writes_much = true;
  }
  void operator()(SqlAction const& action) {
    for (auto const& statement : action.statements) {
      tables(statement);
      heavy(statement);
      auto const outside = outside_of(statement);
      needs.waits_for_snapshots |= outside && waits(outside->kind);
    }
  }

 private:
  void tables(Statement const& statement) {
    for (auto const& need : needs_of(statement)) {
      if (changes(need.kind)) {
        add(needs.tables, {.schema = need.schema, .name = need.name});
      }
    }
  }
  void heavy(Statement const& statement) {
    auto work = heavy_work(statement);
    needs.writes_much |= !work.builds.empty() || !work.rewrites.empty();
    needs.builds.insert(needs.builds.end(), work.builds.begin(), work.builds.end());
    for (auto const& build : work.builds) {
      add(needs.tables, build.table);
    }
    for (auto& table : work.rewrites) {
      add(needs.tables, table);
      add(needs.rewrites, std::move(table));
    }
  }
  static bool waits(Outside::Kind kind) {
    return kind == Outside::Kind::create_index || kind == Outside::Kind::drop_index ||
           kind == Outside::Kind::reindex_index || kind == Outside::Kind::reindex_table ||
           kind == Outside::Kind::reindex_many || kind == Outside::Kind::detach;
  }
};

}  // namespace

PhaseNeeds needs_of_phase(Plan const& plan, int phase) {
  auto const& one = plan.phases[phase];
  Reading reading{.needs = {.phase = one.name, .connections = our_sessions}};
  for (auto const& step : one.steps) {
    std::visit(reading, step.forward);
  }
  return std::move(reading.needs);
}

}  // namespace runbookd::planner
