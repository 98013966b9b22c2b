#include "planner/catalog.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace runbookd::planner {
namespace {

constexpr auto temporary_schema = "pg_temp";

RelationNameView view(RelationName const& name) { return {name.schema, name.name}; }

template <typename List>
auto const* named(List const& list, std::string_view name) {
  auto const found =
      std::ranges::find_if(list, [name](auto const& item) { return item.name == name; });
  return found == list.end() ? nullptr : &*found;
}

// The first of the schemas in which `in` finds something. Most scripts make nothing temporary.
enum class Temporary { maybe, none };
template <typename In>
auto by_path(Catalog const& catalog, RelationNameView name, Temporary temporary, In in) {
  if (!name.schema.empty()) {
    return in(name);
  }
  auto found =
      temporary == Temporary::none ? decltype(in(name)){} : in({temporary_schema, name.name});
  for (auto schema = catalog.search_path.begin(); !found && schema != catalog.search_path.end();
       ++schema) {
    found = in({*schema, name.name});
  }
  return found;
}

}  // namespace

std::string_view to_text(RelationKind kind) {
  switch (kind) {
    case RelationKind::table:
      return "table";
    case RelationKind::partitioned_table:
      return "partitioned table";
    case RelationKind::view:
      return "view";
    case RelationKind::materialized_view:
      return "materialized view";
    case RelationKind::foreign_table:
      return "foreign table";
    case RelationKind::sequence:
      return "sequence";
    case RelationKind::index:
      return "index";
    case RelationKind::partitioned_index:
      return "partitioned index";
    case RelationKind::toast_table:
      return "toast table";
    case RelationKind::toast_index:
      return "toast index";
  }
  __builtin_unreachable();
}

Column const* Relation::column(std::string_view wanted) const { return named(columns, wanted); }
Constraint const* Relation::constraint(std::string_view wanted) const {
  return named(constraints, wanted);
}
Index const* Relation::index(std::string_view wanted) const {
  auto const found =
      std::ranges::find_if(indexes, [wanted](Index const& i) { return i.name.name == wanted; });
  return found == indexes.end() ? nullptr : &*found;
}

Relation const* Catalog::find(RelationName const& name) const {
  auto const temporary = temporary_ ? Temporary::maybe : Temporary::none;
  return by_path(*this, view(name), temporary, [this](RelationNameView full) -> Relation const* {
    auto const found = relations_.find(full);
    return found == relations_.end() ? nullptr : &found->second;
  });
}

Catalog::FoundIndex Catalog::find_index(RelationName const& name) const {
  auto const temporary = temporary_ ? Temporary::maybe : Temporary::none;
  return by_path(*this, view(name), temporary, [this](RelationNameView full) -> FoundIndex {
    auto const table = index_tables_.find(full);
    if (table == index_tables_.end()) {
      return {};
    }
    auto const& relation = relations_.at(table->second);
    return {&relation, relation.index(full.name)};
  });
}

TypeInfo const* Catalog::find_type(TypeName const& type) const {
  return by_path(*this, {type.schema, type.name}, Temporary::maybe,
                 [this](RelationNameView full) -> TypeInfo const* {
                   auto const found = types.find(full);
                   return found == types.end() ? nullptr : &found->second;
                 });
}

std::vector<Function const*> Catalog::find_functions(RelationName const& name) const {
  std::vector<Function const*> found;
  by_path(*this, view(name), Temporary::maybe, [&](RelationNameView full) {
    auto const [begin, end] = functions.equal_range(full);
    for (auto i = begin; i != end; ++i) {
      found.push_back(&i->second);
    }
    return !found.empty();
  });
  return found;
}

RelationName Catalog::made_as(RelationName const& name, bool temporary) const {
  if (temporary) {
    return {temporary_schema, name.name};
  }
  if (!name.schema.empty()) {
    return name;
  }
  auto const there = std::ranges::find_if(
      search_path, [this](auto const& schema) { return schemas.contains(schema); });
  return {there == search_path.end() ? "public" : *there, name.name};
}

std::vector<Relation const*> Catalog::linked(Links const& links, RelationName const& name) const {
  std::vector<Relation const*> found;
  if (auto const names = links.find(name); names != links.end()) {
    for (auto const& other : names->second) {
      found.push_back(&relations_.at(other));
    }
  }
  return found;
}

std::vector<Relation const*> Catalog::children(RelationName const& name) const {
  return linked(children_, name);
}
std::vector<Relation const*> Catalog::referencing(RelationName const& name) const {
  return linked(referencing_, name);
}
std::vector<Relation const*> Catalog::readers(RelationName const& name) const {
  return linked(readers_, name);
}
std::vector<Relation const*> Catalog::sequences_of(RelationName const& name) const {
  return linked(sequences_, name);
}

std::vector<Relation const*> Catalog::descendants(RelationName const& name) const {
  auto found = children(name);
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (auto const* child : children(found[i]->name)) {
      if (std::ranges::find(found, child) == found.end()) {  // a child of several parents
        found.push_back(child);
      }
    }
  }
  return found;
}

namespace {

template <typename Each>
void each_link(Relation const& relation, Each each) {
  for (auto const& parent : relation.parents) {
    each(0, parent);
  }
  for (auto const& constraint : relation.constraints) {
    if (constraint.kind == Constraint::Kind::foreign_key) {
      each(1, constraint.references);
    }
  }
  for (auto const& use : relation.uses) {
    each(2, use.relation);
  }
  if (!relation.owner_table.empty()) {
    each(3, relation.owner_table);
  }
}

}  // namespace

void Catalog::link(Relation const& relation) {
  Links* const links[] = {&children_, &referencing_, &readers_, &sequences_};
  each_link(relation,
            [&](int kind, RelationName const& to) { (*links[kind])[to].insert(relation.name); });
  for (auto const& index : relation.indexes) {
    index_tables_[index.name] = relation.name;
  }
}

void Catalog::unlink(Relation const& relation) {
  Links* const links[] = {&children_, &referencing_, &readers_, &sequences_};
  each_link(relation,
            [&](int kind, RelationName const& to) { (*links[kind])[to].erase(relation.name); });
  for (auto const& index : relation.indexes) {
    index_tables_.erase(index.name);
  }
}

Catalog::Names Catalog::index_names(Relation const& relation) const {
  Names names;
  for (auto const& index : relation.indexes) {
    if (turnover_) {
      names.push_back(index.name);
    }
  }
  return names;
}

void Catalog::note(Names const& before, Names const& after) {
  if (!turnover_ || before.size() == after.size()) {
    return;  // as many as before: at most renamed
  }
  auto const lacks = [](Names const& names, RelationName const& name) {
    return std::ranges::find(names, name) == names.end();
  };
  std::ranges::copy_if(before, std::inserter(turnover_->went, turnover_->went.end()),
                       [&](auto const& name) { return lacks(after, name); });
  std::ranges::copy_if(after, std::inserter(turnover_->came, turnover_->came.end()),
                       [&](auto const& name) { return lacks(before, name); });
}

void Catalog::put(Relation relation) {
  if (turnover_ && !relations_.contains(relation.name)) {
    turnover_->came.insert(relation.name);
    auto const indexes = index_names(relation);
    turnover_->came.insert(indexes.begin(), indexes.end());
  }
  place(std::move(relation));
}

void Catalog::place(Relation relation) {
  if (auto const found = relations_.find(relation.name); found != relations_.end()) {
    unlink(found->second);
  }
  link(relation);
  temporary_ = temporary_ || relation.name.schema == temporary_schema;
  auto const name = relation.name;
  relations_.insert_or_assign(name, std::move(relation));
}

void Catalog::put_back(ByName<Relation>::iterator changed) {
  if (changed->second.name == changed->first) {
    link(changed->second);
    return;
  }
  auto relation = std::move(changed->second);
  relations_.erase(changed);
  place(std::move(relation));
}

void Catalog::remove(RelationName const& name) {
  if (auto const found = relations_.find(name); found != relations_.end()) {
    unlink(found->second);
    if (turnover_) {
      auto const indexes = index_names(found->second);
      turnover_->went.insert(indexes.begin(), indexes.end());
      turnover_->went.insert(name);
    }
    relations_.erase(found);
  }
}

void Catalog::rename(RelationName const& from, RelationName const& to) {
  std::set<RelationName> others;
  for (auto const* links : {&children_, &referencing_, &readers_, &sequences_}) {
    if (auto const found = links->find(from); found != links->end()) {
      others.insert(found->second.begin(), found->second.end());
    }
  }
  auto const renamed = [&](RelationName& name) {
    if (name == from) {
      name = to;
    }
  };
  change(from, [&](Relation& relation) {
    relation.name = to;
    for (auto& index : relation.indexes) {
      index.name.schema = to.schema;
    }
  });
  others.erase(from);
  if (std::ranges::any_of(relations_.at(to).constraints,
                          [&](auto const& c) { return c.references == from; })) {
    others.insert(to);  // it references itself
  }
  for (auto const& other : others) {
    change(other, [&](Relation& relation) {
      std::ranges::for_each(relation.parents, renamed);
      std::ranges::for_each(relation.constraints, [&](auto& c) { renamed(c.references); });
      std::ranges::for_each(relation.uses, [&](auto& use) { renamed(use.relation); });
      renamed(relation.owner_table);
    });
  }
}

}  // namespace runbookd::planner
