#include "planner/effects_recorder.h"

#include <algorithm>
#include <utility>

#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

void insert(std::vector<std::string>& list, std::string text) {
  auto const at = std::ranges::lower_bound(list, text);
  if (at == list.end() || *at != text) {
    list.insert(at, std::move(text));
  }
}

template <typename List, typename Item>
void insert_once(List& list, Item item) {
  if (std::ranges::find(list, item) == list.end()) {
    list.push_back(std::move(item));
  }
}

bool has_rows(Relation const& relation) {
  return relation.kind == RelationKind::table || relation.kind == RelationKind::materialized_view;
}

std::vector<RelationLock> sorted(std::map<std::string, RelationLock>& locks) {
  std::vector<RelationLock> list;
  for (auto& [name, lock] : locks) {
    list.push_back(std::move(lock));
  }
  return list;
}

}  // namespace

Relation const* Recorder::relation(RelationName const& name, RelationKind assumed) {
  if (auto const* found = catalog.find(name)) {
    return found;
  }
  if (catalog.complete || name.empty() || catalog.find_index(name)) {
    return nullptr;
  }
  Relation made{.name = catalog.made_as(name), .kind = assumed};
  for (auto const& one : assumed_) {
    if (one.name == made.name) {
      return &one;
    }
  }
  assume(to_sql(made.name) + " is taken for a " + std::string(to_text(assumed)) +
         " without partitions, children, foreign keys and views");
  return &assumed_.emplace_back(std::move(made));
}

Relation const* Recorder::relation(pg::Node range_variable, RelationKind assumed) {
  return relation(pg::name_of(range_variable), assumed);
}

Catalog::FoundIndex Recorder::index(RelationName const& name) {
  auto const found = catalog.find_index(name);
  if (!found && !catalog.complete) {
    assume("which table index " + to_sql(name) +
           " belongs to is not known, so the locks on that table are missing here");
  }
  return found;
}

void Recorder::add(std::map<std::string, RelationLock>& locks, RelationLock lock) {
  lock.asked = static_cast<std::uint8_t>(1U << static_cast<unsigned>(lock.mode));
  auto const [at, fresh] = locks.try_emplace(lock.name, lock);
  if (fresh) {
    return;
  }
  auto const asked = static_cast<std::uint8_t>(at->second.asked | lock.asked);
  if (at->second.mode < lock.mode) {
    at->second = std::move(lock);
  }
  at->second.asked = asked;
}

void Recorder::lock(Relation const& relation, LockMode mode, bool kept) {
  add(is_table(relation.kind) ? locks_ : other_locks_,
      {.name = to_sql(relation.name),
       .relation = relation.name,
       .kind = relation.kind,
       .mode = mode,
       .only = catalog.find(relation.name) != nullptr,
       .kept = kept,
       .rows = relation.rows,
       .bytes = relation.bytes});
}

void Recorder::lock_index(Relation const& table, Index const& index, LockMode mode) {
  add(other_locks_,
      {.name = to_sql(index.name),
       .relation = index.name,
       .kind = table.kind == RelationKind::partitioned_table ? RelationKind::partitioned_index
                                                             : RelationKind::index,
       .mode = mode,
       .of = to_sql(table.name)});
}

void Recorder::lock_toast(Relation const& table, LockMode mode, std::optional<LockMode> index) {
  if (!table.toast) {
    return;
  }
  auto const of = to_sql(table.name);
  add(other_locks_, {.name = "TOAST table of " + of,
                     .relation = table.name,
                     .kind = RelationKind::toast_table,
                     .mode = mode,
                     .of = of});
  if (index) {
    add(other_locks_, {.name = "TOAST index of " + of,
                       .relation = table.name,
                       .kind = RelationKind::toast_index,
                       .mode = *index,
                       .of = of});
  }
}

Recorder::Locked Recorder::locked() const {
  Locked names;
  for (auto const* locks : {&locks_, &other_locks_}) {
    for (auto const& [name, lock] : *locks) {
      names.insert(name);
    }
  }
  return names;
}

void Recorder::caught(Locked const& before) {
  if (!std::exchange(refused_, false)) {
    return;
  }
  for (auto* locks : {&locks_, &other_locks_}) {
    for (auto& [name, lock] : *locks) {
      lock.kept = lock.kept && before.contains(name);
    }
  }
}

void Recorder::lock_with_indexes(Relation const& table, LockMode mode) {
  lock(table, mode);
  if (has_rows(table)) {
    lock_indexes(table, mode);
  }
}

void Recorder::lock_indexes(Relation const& table, LockMode mode) {
  for (auto const& index : table.indexes) {
    lock_index(table, index, mode);
  }
}

void Recorder::scan(Relation const& relation) {
  if (has_rows(relation)) {
    insert(effects_.scans, to_sql(relation.name));
    read_[to_sql(relation.name)] = relation.heap_bytes >= 0 ? relation.heap_bytes : relation.bytes;
  }
}

void Recorder::maybe_scan(Relation const& relation) {
  if (has_rows(relation)) {
    insert(effects_.plan_dependent_scans, to_sql(relation.name));
  }
}

void Recorder::rewrite_alone(Relation const& relation) {
  scan(relation);
  insert(effects_.rewrites, to_sql(relation.name));
  written_[to_sql(relation.name)] = relation.bytes;
}

void Recorder::rewrite(Relation const& relation) {
  if (!has_rows(relation)) {
    return;
  }
  rewrite_alone(relation);
  lock_indexes(relation, LockMode::access_exclusive);
  lock_toast(relation, LockMode::access_exclusive, LockMode::access_exclusive);
  std::ranges::for_each(relation.indexes, [this](Index const& index) { rebuild(index); });
  lock(relation, LockMode::share);  // its indexes, if any, are built
}

void Recorder::refill(Relation const& relation) {
  insert(effects_.rewrites, to_sql(relation.name));
  written_[to_sql(relation.name)] = relation.bytes;
  lock_indexes(relation, LockMode::access_exclusive);
  lock_toast(relation, LockMode::access_exclusive, LockMode::access_exclusive);
  for (auto const& index : relation.indexes) {
    rebuild(index);
    scan(relation);  // what is new there
  }
}

void Recorder::empty(Relation const& relation) {
  if (has_rows(relation)) {
    insert(effects_.emptied, to_sql(relation.name));
    lock_indexes(relation, LockMode::access_exclusive);
    lock_toast(relation, LockMode::access_exclusive, LockMode::access_exclusive);
    lock(relation, LockMode::share);
    std::ranges::for_each(relation.indexes, [this](Index const& index) { rebuild(index); });
  }
}

void Recorder::rebuild(Index const& index) { insert(effects_.rebuilt_indexes, to_sql(index.name)); }

void Recorder::not_rebuilt(Index const& index) {
  std::erase(effects_.rebuilt_indexes, to_sql(index.name));
}

void Recorder::drop(Index const& index) { insert(effects_.dropped, to_sql(index.name)); }

void Recorder::remake(Index const& index) {
  drop(index);
  insert(effects_.created, to_sql(index.name));
}

void Recorder::drop(Fallout const& fallout) {
  for (auto const& name : fallout.locked) {
    if (auto const* relation = catalog.find(name)) {
      lock(*relation, LockMode::access_exclusive);
    }
  }
  for (auto const& [table, index] : fallout.indexes) {
    auto const& relation = *catalog.find(table);
    if (auto const* found = relation.index(index)) {
      lock_index(relation, *found, LockMode::access_exclusive);
      insert(effects_.dropped, to_sql(found->name));
    }
  }
  for (auto const& name : fallout.relations) {
    insert(effects_.dropped, to_sql(name));
    auto const& relation = *catalog.find(name);
    lock_toast(relation, LockMode::access_exclusive, LockMode::access_exclusive);
    auto const what = std::string(to_text(relation.kind)) + " " + to_sql(name);
    if (has_rows(relation)) {
      loses(what, "its rows are gone; a rollback can make it again, but empty");
    }
    breaks(what, "statements of the old application that name it fail");
  }
  for (auto const& [table, column] : fallout.columns) {
    drop_column(table, column);
  }
  for (auto const& name : fallout.refused) {
    assume("the server refuses this without CASCADE: " + to_sql(name) + " depends on it");
  }
}

void Recorder::drop_column(RelationName const& table, std::string const& column) {
  auto const what = "column " + to_sql(table) + "." + quoted_identifier(column);
  loses(what, "its values are gone; a rollback can add it again, but without them");
  breaks(what,
         "statements of the old application that name it, or INSERT without a list of "
         "columns, fail");
}

void Recorder::create(RelationName const& name) {
  if (!catalog.complete && catalog.find(name) == nullptr && !catalog.find_index(name)) {
    insert(effects_.created, to_sql(name));
  }
}

void Recorder::wait_for(std::string whom) { insert(effects_.waits_for, std::move(whom)); }

void Recorder::assume(std::string sentence) { insert_once(effects_.assumed, std::move(sentence)); }
void Recorder::loses(std::string what, std::string why) {
  insert_once(effects_.destructive, Consequence{std::move(what), std::move(why)});
}
void Recorder::breaks(std::string what, std::string why) {
  insert_once(effects_.breaks_old_app, Consequence{std::move(what), std::move(why)});
}
void Recorder::not_analysed(std::string why) {
  effects_.analysed = false;
  effects_.not_analysed = std::move(why);
}

bool Recorder::enter(std::string const& body) {
  constexpr std::size_t deepest = 8;
  if (bodies_.size() == deepest || std::ranges::find(bodies_, body) != bodies_.end()) {
    return false;
  }
  bodies_.push_back(body);
  return true;
}

// As a middling disk and one core do it, without other work beside: it tells seconds from hours.
std::int64_t Recorder::estimated_hold() const {
  constexpr std::int64_t read_per_ms = 400'000, written_per_ms = 60'000;
  std::int64_t total = 0;
  for (auto const* sizes : {&read_, &written_}) {
    for (auto const& [name, bytes] : *sizes) {
      if (bytes < 0) {
        return -1;
      }
      total += bytes / (sizes == &read_ ? read_per_ms : written_per_ms);
    }
  }
  return total;
}

Effects Recorder::take() {
  effects_.locks = sorted(locks_);
  effects_.other_locks = sorted(other_locks_);
  effects_.hold_ms = effects_.analysed && !effects_.opaque ? estimated_hold() : -1;
  return std::move(effects_);
}

}  // namespace runbookd::planner
