#include "planner/catalog_json.h"

#include <tuple>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

namespace runbookd::planner {
namespace {

using Json = nlohmann::json;

template <typename T, typename M>
struct Field {
  char const* key;
  M T::* member;
};
template <typename T, typename M>
constexpr Field<T, M> field(char const* key, M T::* member) {
  return {key, member};
}

// The members of each type; the others are written by value.
template <typename T>
constexpr int fields = 0;

template <>
constexpr auto fields<TypeName> =
    std::tuple(field("schema", &TypeName::schema), field("name", &TypeName::name),
               field("modifiers", &TypeName::modifiers), field("array", &TypeName::array));
template <>
constexpr auto fields<Condition> =
    std::tuple(field("column", &Condition::column), field("op", &Condition::op),
               field("value", &Condition::value));
template <>
constexpr auto fields<Expression> = std::tuple(
    field("columns", &Expression::columns), field("functions", &Expression::functions),
    field("relations", &Expression::relations), field("conditions", &Expression::conditions),
    field("volatile", &Expression::is_volatile), field("never_null", &Expression::never_null));
template <>
constexpr auto fields<Column> =
    std::tuple(field("name", &Column::name), field("type", &Column::type),
               field("collation", &Column::collation), field("not_null", &Column::not_null),
               field("identity", &Column::identity), field("generated", &Column::generated),
               field("value", &Column::value));
template <>
constexpr auto fields<Constraint> = std::tuple(
    field("kind", &Constraint::kind), field("name", &Constraint::name),
    field("columns", &Constraint::columns), field("expression", &Constraint::expression),
    field("validated", &Constraint::validated), field("enforced", &Constraint::enforced),
    field("no_inherit", &Constraint::no_inherit), field("inherited", &Constraint::inherited),
    field("references", &Constraint::references),
    field("referenced_columns", &Constraint::referenced_columns),
    field("on_delete", &Constraint::on_delete), field("on_update", &Constraint::on_update));
template <>
constexpr auto fields<Index> =
    std::tuple(field("name", &Index::name), field("columns", &Index::columns),
               field("expression", &Index::expression), field("method", &Index::method),
               field("tablespace", &Index::tablespace), field("definition", &Index::definition),
               field("unique", &Index::unique), field("valid", &Index::valid),
               field("constraint", &Index::constraint), field("clustered", &Index::clustered),
               field("parent", &Index::parent));
template <>
constexpr auto fields<Trigger> =
    std::tuple(field("name", &Trigger::name), field("function", &Trigger::function),
               field("partner", &Trigger::partner), field("each_row", &Trigger::each_row),
               field("inherited", &Trigger::inherited));
template <>
constexpr auto fields<Rule> =
    std::tuple(field("name", &Rule::name), field("relations", &Rule::relations),
               field("functions", &Rule::functions));
template <>
constexpr auto fields<Use> =
    std::tuple(field("relation", &Use::relation), field("columns", &Use::columns));
template <>
constexpr auto fields<Relation> = std::tuple(
    field("name", &Relation::name), field("kind", &Relation::kind),
    field("temporary", &Relation::temporary), field("unlogged", &Relation::unlogged),
    field("populated", &Relation::populated), field("tablespace", &Relation::tablespace),
    field("access_method", &Relation::access_method), field("columns", &Relation::columns),
    field("constraints", &Relation::constraints), field("indexes", &Relation::indexes),
    field("triggers", &Relation::triggers), field("rules", &Relation::rules),
    field("policies", &Relation::policies), field("parents", &Relation::parents),
    field("partition", &Relation::partition),
    field("default_partition", &Relation::default_partition),
    field("detach_pending", &Relation::detach_pending),
    field("partition_strategy", &Relation::partition_strategy),
    field("partition_key", &Relation::partition_key), field("bound", &Relation::bound),
    field("of_type", &Relation::of_type), field("uses", &Relation::uses),
    field("functions", &Relation::functions), field("owner_table", &Relation::owner_table),
    field("owner_column", &Relation::owner_column), field("rows", &Relation::rows),
    field("bytes", &Relation::bytes), field("heap_bytes", &Relation::heap_bytes),
    field("tail_empty", &Relation::tail_empty), field("toast", &Relation::toast));
template <>
constexpr auto fields<TypeInfo> =
    std::tuple(field("name", &TypeInfo::name), field("kind", &TypeInfo::kind),
               field("base", &TypeInfo::base), field("not_null", &TypeInfo::not_null),
               field("checks", &TypeInfo::checks), field("value", &TypeInfo::value),
               field("attributes", &TypeInfo::attributes), field("labels", &TypeInfo::labels));
template <>
constexpr auto fields<Function> = std::tuple(
    field("name", &Function::name), field("arguments", &Function::arguments),
    field("volatile", &Function::volatile_result), field("language", &Function::language),
    field("body", &Function::body), field("commits", &Function::commits));

template <typename T>
constexpr bool has_fields = !std::is_same_v<std::remove_cv_t<decltype(fields<T>)>, int>;

// Written by value, each way.
template <typename T>
  requires std::is_arithmetic_v<T>
Json written(T value) {
  return value;
}
Json written(std::string const& value) { return value; }
Json written(RelationName const& name) { return Json::array({name.schema, name.name}); }
template <typename T>
  requires std::is_enum_v<T>
Json written(T value) {
  return static_cast<int>(value);
}
template <typename T>
  requires has_fields<T>
Json written(T const& value);
template <typename T>
Json written(std::optional<T> const& value) {
  return value ? written(*value) : Json();
}
template <typename T>
Json written(std::vector<T> const& list) {
  auto all = Json::array();
  for (auto const& one : list) {
    all.push_back(written(one));
  }
  return all;
}
// What is as in a new one is left out: most of a catalog is.
template <typename T>
  requires has_fields<T>
Json written(T const& value) {
  static T const blank{};
  auto json = Json::object();
  auto const put = [&](auto const& one) {
    if (!(value.*one.member == blank.*one.member)) {
      json[one.key] = written(value.*one.member);
    }
  };
  std::apply([&](auto const&... all) { (put(all), ...); }, fields<T>);
  return json;
}

template <typename T>
  requires std::is_arithmetic_v<T>
void read(Json const& json, T& value) {
  value = json.get<T>();
}
void read(Json const& json, std::string& value) { value = json.get<std::string>(); }
void read(Json const& json, RelationName& name) {
  name = {json.at(0).get<std::string>(), json.at(1).get<std::string>()};
}
template <typename T>
  requires std::is_enum_v<T>
void read(Json const& json, T& value) {
  value = static_cast<T>(json.get<int>());
}
template <typename T>
  requires has_fields<T>
void read(Json const& json, T& value);
template <typename T>
void read(Json const& json, std::optional<T>& value) {
  read(json, value.emplace());
}
template <typename T>
void read(Json const& json, std::vector<T>& list) {
  for (auto const& one : json) {
    read(one, list.emplace_back());
  }
}
template <typename T>
  requires has_fields<T>
void read(Json const& json, T& value) {
  auto const take = [&](auto const& one) {
    if (auto const found = json.find(one.key); found != json.end()) {
      read(*found, value.*one.member);
    }
  };
  std::apply([&](auto const&... all) { (take(all), ...); }, fields<T>);
}

template <typename T>
std::vector<T> list_of(Json const& json, char const* key) {
  std::vector<T> list;
  if (auto const found = json.find(key); found != json.end()) {
    read(*found, list);
  }
  return list;
}

using Members = std::map<std::string, std::vector<RelationName>>;

Json members_json(Members const& members) {
  auto json = Json::object();
  for (auto const& [name, relations] : members) {
    json[name] = written(relations);
  }
  return json;
}

Members members_from(Json const& json, char const* key) {
  Members members;
  if (auto const found = json.find(key); found != json.end()) {
    for (auto const& [name, relations] : found->items()) {
      read(relations, members[name]);
    }
  }
  return members;
}

template <typename Map>
Json values_json(Map const& map) {
  auto all = Json::array();
  for (auto const& [name, value] : map) {
    all.push_back(written(value));
  }
  return all;
}

Catalog catalog_of(Json const& json) {
  Catalog catalog;
  catalog.search_path = list_of<std::string>(json, "search_path");
  catalog.time_zone = json.at("time_zone").get<std::string>();
  catalog.complete = json.at("complete").get<bool>();
  auto const schemas = list_of<std::string>(json, "schemas");
  catalog.schemas = {schemas.begin(), schemas.end()};
  for (auto& type : list_of<TypeInfo>(json, "types")) {
    catalog.types.insert_or_assign(type.name, type);
  }
  for (auto& function : list_of<Function>(json, "functions")) {
    catalog.functions.emplace(function.name, function);
  }
  catalog.publications = members_from(json, "publications");
  catalog.extensions = members_from(json, "extensions");
  for (auto const& pair : list_of<std::vector<RelationName>>(json, "statistics")) {
    catalog.statistics.insert_or_assign(pair.at(0), pair.at(1));
  }
  for (auto& relation : list_of<Relation>(json, "relations")) {
    catalog.put(std::move(relation));
  }
  return catalog;
}

}  // namespace

std::string catalog_json(ServerCatalog const& known) {
  auto const& catalog = known.catalog;
  auto statistics = Json::array();
  for (auto const& [name, table] : catalog.statistics) {
    statistics.push_back(written(std::vector{name, table}));
  }
  Json const json = {{"server_version", known.server_version},
                     {"search_path", written(catalog.search_path)},
                     {"time_zone", catalog.time_zone},
                     {"complete", catalog.complete},
                     {"schemas", written(std::vector<std::string>(catalog.schemas.begin(),
                                                                  catalog.schemas.end()))},
                     {"types", values_json(catalog.types)},
                     {"functions", values_json(catalog.functions)},
                     {"publications", members_json(catalog.publications)},
                     {"extensions", members_json(catalog.extensions)},
                     {"statistics", statistics},
                     {"relations", values_json(catalog.relations())}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ServerCatalog> catalog_from_json(std::string_view text) {
  try {
    auto const json = Json::parse(text);
    return ServerCatalog{.catalog = catalog_of(json),
                         .server_version = json.at("server_version").get<int>()};
  } catch (Json::exception const& error) {
    return tl::unexpected(Error{.code = ErrorCode::internal,
                                .detail = std::string("this is no catalog: ") + error.what()});
  } catch (std::out_of_range const&) {
    return tl::unexpected(
        Error{.code = ErrorCode::internal, .detail = "this is no catalog: a list is too short"});
  }
}

}  // namespace runbookd::planner
