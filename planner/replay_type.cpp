// Types, domains, functions, and extensions that bring them.
#include <algorithm>
#include <utility>

#include "planner/catalog_text.h"
#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

Function function_of(Catalog const& catalog, Node statement) {
  auto const name = pg::name_of(statement.list("funcname"));
  Function function{.name = catalog.made_as(name)};
  function.arguments = static_cast<int>(statement.list("parameters").size());
  function.language = "sql";
  for (auto const option : statement.list("options")) {
    auto const what = option.text("defname");
    auto const value = option["arg"];
    if (what == "volatility") {
      function.volatile_result = value.text("sval") == "volatile";
    } else if (what == "language") {
      function.language = value.text("sval");
    } else if (what == "as") {
      auto const lines = pg::names(value.list("items"));
      function.body = lines.empty() ? "" : lines.front();
    }
  }
  function.volatile_result = volatile_result(function, function.volatile_result, catalog);
  return function;
}

void create_function(Catalog& catalog, Node statement) {
  auto function = function_of(catalog, statement);
  auto const [begin, end] = catalog.functions.equal_range(function.name);
  for (auto i = begin; i != end; ++i) {
    if (i->second.arguments == function.arguments) {
      i->second = std::move(function);
      return;
    }
  }
  auto const name = function.name;
  catalog.functions.emplace(name, std::move(function));
}

void create_domain(Catalog& catalog, Node statement) {
  TypeInfo type{.name = catalog.made_as(pg::name_of(statement.list("domainname"))),
                .kind = TypeInfo::Kind::domain};
  type.base = pg::type_of(statement["typeName"], catalog);
  for (auto const node : statement.list("constraints")) {
    auto const kind = node.text("contype");
    if (kind == "CONSTR_NOTNULL") {
      type.not_null = true;
    } else if (kind == "CONSTR_DEFAULT") {
      type.value = pg::expression_of(node["raw_expr"], catalog);
    } else if (kind == "CONSTR_CHECK") {
      auto const name = node.text("conname");
      type.checks.push_back({.kind = Constraint::Kind::check,
                             .name = name.empty() ? type.name.name + "_check" : name,
                             .expression = pg::expression_of(node["raw_expr"], catalog)});
    }
  }
  catalog.types[type.name] = type;
}

void alter_domain(Catalog& catalog, Node statement) {
  auto const name = pg::name_of(statement.list("typeName"));
  auto const* found = catalog.find_type({.schema = name.schema, .name = name.name});
  if (found == nullptr) {
    return;
  }
  auto const what = statement.text("subtype");
  auto const definition = statement["def"];
  auto& type = catalog.types.at(found->name);
  if (what == "N" || what == "O") {
    type.not_null = what == "O";
  } else if (what == "T") {
    type.value = definition ? std::optional(pg::expression_of(definition, catalog)) : std::nullopt;
  } else if (what == "C") {
    type.checks.push_back({.kind = Constraint::Kind::check,
                           .name = definition.text("conname"),
                           .expression = pg::expression_of(definition["raw_expr"], catalog),
                           .validated = !definition.flag("skip_validation")});
  } else {
    for (auto& check : type.checks) {
      check.validated = check.validated || (what == "V" && check.name == statement.text("name"));
    }
    if (what == "X") {
      std::erase_if(type.checks, [&](auto& c) { return c.name == statement.text("name"); });
    }
  }
}

void create_type(Catalog& catalog, RelationName const& name, TypeInfo::Kind kind) {
  auto const full = catalog.made_as(name);
  catalog.types[full] = {.name = full, .kind = kind};
}

void create_composite(Catalog& catalog, Node statement) {
  TypeInfo type{.name = catalog.made_as(pg::name_of(statement["typevar"])),
                .kind = TypeInfo::Kind::composite};
  for (auto const column : statement.list("coldeflist")) {
    type.attributes.push_back(
        {.name = column.text("colname"), .type = pg::type_of(column["typeName"], catalog)});
  }
  catalog.types[type.name] = type;
}

struct Members {
  std::string_view extension;
  std::vector<std::string> types, functions;
};

void create_extension(Catalog& catalog, Node statement) {
  static std::vector<Members> const known = {
      {"citext", {"citext"}, {}},
      {"hstore", {"hstore"}, {}},
      {"ltree", {"ltree", "lquery", "ltxtquery"}, {}},
      {"cube", {"cube"}, {}},
      {"isn", {"isbn", "isbn13", "ean13", "issn", "upc"}, {}},
      {"postgis", {"geometry", "geography"}, {}},
      {"vector", {"vector"}, {}},
      {"unaccent", {}, {"unaccent"}},
      {"uuid-ossp", {}, {"uuid_generate_v4", "uuid_generate_v1", "uuid_generate_v1mc"}},
  };
  auto const name = statement.text("extname");
  auto schema = std::string();
  for (auto const option : statement.list("options")) {
    if (option.text("defname") == "schema") {
      schema = option["arg"].text("sval");
    }
  }
  auto& members = catalog.extensions[name];
  auto const found = std::ranges::find(known, name, &Members::extension);
  if (found == known.end()) {
    return;
  }
  for (auto const& type : found->types) {
    create_type(catalog, {schema, type}, TypeInfo::Kind::other);
    members.push_back(catalog.made_as({schema, type}));
  }
  for (auto const& function : found->functions) {
    auto const full = catalog.made_as({schema, function});
    catalog.functions.emplace(
        full,
        Function{.name = full, .volatile_result = function.starts_with("uuid"), .language = "c"});
    members.push_back(full);
  }
}

struct Replay {
  std::string_view type;
  void (*replay)(Catalog&, Node);
};
constexpr Replay table[] = {
    {"AlterDomainStmt", alter_domain},
    {"CompositeTypeStmt", create_composite},
    {"CreateDomainStmt", create_domain},
    {"CreateEnumStmt",
     [](Catalog& c, Node n) {
       create_type(c, pg::name_of(n.list("typeName")), TypeInfo::Kind::enumeration);
     }},
    {"CreateExtensionStmt", create_extension},
    {"CreateFunctionStmt", create_function},
    {"CreateRangeStmt",
     [](Catalog& c, Node n) {
       create_type(c, pg::name_of(n.list("typeName")), TypeInfo::Kind::other);
     }},
};

}  // namespace

void replay_type(Catalog& catalog, Node statement) {
  auto const found = std::ranges::find(table, statement.type(), &Replay::type);
  if (found != std::end(table)) {
    found->replay(catalog, statement);
  }
}

}  // namespace runbookd::planner
