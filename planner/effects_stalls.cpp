// Who waits while a statement's locks are there.
#include <algorithm>
#include <iterator>
#include <set>

#include "planner/effects.h"

namespace runbookd::planner {
namespace {

using Names = std::set<RelationName>;

bool is_index(RelationKind kind) {
  return kind == RelationKind::index || kind == RelationKind::partitioned_index;
}
bool is_toast(RelationKind kind) {
  return kind == RelationKind::toast_table || kind == RelationKind::toast_index;
}

// Everything that reads or writes it by another name.
void climb(Catalog const& catalog, Relation const& relation, Names& all) {
  if (relation.temporary || !all.insert(relation.name).second) {
    return;
  }
  for (auto const& name : relation.parents) {
    if (relation.detach_pending) {
      break;  // whoever reads the table no longer looks there
    }
    if (auto const* parent = catalog.find(name)) {
      climb(catalog, *parent, all);
    }
  }
  for (auto const* view : catalog.readers(relation.name)) {
    if (view->kind == RelationKind::view) {
      climb(catalog, *view, all);
    }
  }
}

std::vector<std::string> waiting(Effects const& effects, Catalog const& catalog, LockMode wanted) {
  Names all;
  for (auto const* locks : {&effects.locks, &effects.other_locks}) {
    for (auto const& lock : *locks) {
      if (!lock.kept || !conflict(lock.mode, wanted) || is_toast(lock.kind) ||
          lock.kind == RelationKind::sequence) {
        continue;
      }
      auto const found = is_index(lock.kind) ? catalog.find_index(lock.relation).table
                                             : catalog.find(lock.relation);
      if (found != nullptr) {
        climb(catalog, *found, all);
      } else if (!is_index(lock.kind)) {
        all.insert(lock.relation);
      }
    }
  }
  std::vector<std::string> names;
  std::ranges::transform(all, std::back_inserter(names), [](auto const& n) { return to_sql(n); });
  std::ranges::sort(names);
  return names;
}

}  // namespace

Stalls stalls_of(Effects const& effects, Catalog const& before, int server_major) {
  auto stalls = Stalls{.reads = waiting(effects, before, LockMode::access_share),
                       .writes = waiting(effects, before, LockMode::row_exclusive)};
  constexpr int asks_no_more = 14;
  if (server_major < asks_no_more) {
    // who deletes from a partition asks its tables above for its bound
    for (auto const& lock : effects.locks) {
      if (lock.kept && lock.mode == LockMode::access_exclusive) {
        for (auto const* part : before.descendants(lock.relation)) {
          if (part->partition) {
            stalls.writes.push_back(to_sql(part->name));
          }
        }
      }
    }
    std::ranges::sort(stalls.writes);
    auto const again = std::ranges::unique(stalls.writes);
    stalls.writes.erase(again.begin(), again.end());
  }
  return stalls;
}

}  // namespace runbookd::planner
