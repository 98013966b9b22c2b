// DROP: which objects a statement names, and a catalog without what goes.
#include <algorithm>

#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

struct Object {
  RelationName name;
  std::string part;
};

Object object_of(Node node, bool part) {
  auto const list = node.is("List")             ? node.list("items")
                    : node.is("ObjectWithArgs") ? node.list("objname")
                    : node.is("TypeName")       ? node.list("names")
                                                : pg::Nodes::of(node);
  auto words = pg::names(list);
  Object object;
  if (part && !words.empty()) {
    object.part = words.back();
    words.pop_back();
  }
  if (!words.empty()) {
    object.name = {words.size() > 1 ? words[words.size() - 2] : "", words.back()};
  }
  return object;
}

}  // namespace

Fallout fallout_of(Catalog const& catalog, Node statement, int server_major) {
  Fallout fallout(catalog, statement.text("behavior") == "DROP_CASCADE", server_major);
  auto const kind = statement.text("removeType");
  bool const part = kind == "OBJECT_TRIGGER" || kind == "OBJECT_RULE" || kind == "OBJECT_POLICY";
  for (auto const node : statement.list("objects")) {
    auto const object = object_of(node, part);
    auto const* relation = catalog.find(object.name);
    if (kind == "OBJECT_INDEX") {
      if (auto const found = catalog.find_index(object.name)) {
        fallout.drop_index(found.table->name, found.index->name.name);
      }
    } else if (part && relation != nullptr) {
      if (kind == "OBJECT_TRIGGER") {
        fallout.drop_trigger(relation->name, object.part);
      }
      auto const& parts = kind == "OBJECT_RULE" ? relation->rules : relation->policies;
      if (kind != "OBJECT_TRIGGER" &&
          std::ranges::any_of(parts, [&](auto& p) { return p.name == object.part; })) {
        (kind == "OBJECT_RULE" ? fallout.rules : fallout.policies)
            .insert({relation->name, object.part});
        fallout.locked.insert(relation->name);
      }
    } else if (kind == "OBJECT_SCHEMA") {
      fallout.drop_schema(object.name.name);
    } else if (kind == "OBJECT_EXTENSION") {
      fallout.drop_extension(object.name.name);
    } else if (kind == "OBJECT_TYPE" || kind == "OBJECT_DOMAIN") {
      auto const* type =
          catalog.find_type({.schema = object.name.schema, .name = object.name.name});
      if (type != nullptr) {
        fallout.drop_type(type->name);
      }
    } else if (kind == "OBJECT_FUNCTION" || kind == "OBJECT_PROCEDURE" ||
               kind == "OBJECT_ROUTINE" || kind == "OBJECT_AGGREGATE") {
      auto const known = catalog.find_functions(object.name);
      if (!known.empty()) {
        fallout.drop_function(known.front()->name);
      }
    } else if (relation != nullptr) {
      fallout.drop_relation(relation->name);
    }
  }
  return fallout;
}

void remove(Catalog& catalog, Fallout const& fallout) {
  for (auto const& name : fallout.relations) {
    catalog.remove(name);
  }
  for (auto const& name : fallout.locked) {
    catalog.change(name, [&](Relation& r) {
      auto const in = [&](auto const& parts, std::string const& part) {
        return parts.contains({name, part});
      };
      std::erase_if(r.indexes, [&](auto& i) { return in(fallout.indexes, i.name.name); });
      for (auto const& c : r.constraints) {
        if (c.kind == Constraint::Kind::not_null && in(fallout.constraints, c.name)) {
          for (auto& column : r.columns) {
            column.not_null &= std::ranges::find(c.columns, column.name) == c.columns.end();
          }
        }
      }
      std::erase_if(r.constraints, [&](auto& c) { return in(fallout.constraints, c.name); });
      std::erase_if(r.columns, [&](auto& c) { return in(fallout.columns, c.name); });
      std::erase_if(r.triggers, [&](auto& t) { return in(fallout.triggers, t.name); });
      std::erase_if(r.rules, [&](auto& p) { return in(fallout.rules, p.name); });
      std::erase_if(r.policies, [&](auto& p) { return in(fallout.policies, p.name); });
      for (auto& column : r.columns) {
        if (in(fallout.defaults, column.name)) {
          column.value.reset();
        }
      }
    });
  }
  for (auto const& name : fallout.types) {
    catalog.types.erase(name);
  }
  for (auto const& name : fallout.functions) {
    catalog.functions.erase(name);
  }
  for (auto const& schema : fallout.schemas) {
    catalog.schemas.erase(schema);
  }
}

}  // namespace runbookd::planner
