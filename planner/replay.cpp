// Everything but tables; the dispatch.
#include "planner/replay.h"

#include <algorithm>
#include <set>
#include <utility>

#include "planner/catalog_text.h"
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

void create_sequence(Catalog& catalog, Node statement) {
  auto const variable = statement["sequence"];
  Relation sequence{.kind = RelationKind::sequence};
  sequence.temporary = variable.text("relpersistence") == "t";
  sequence.name = catalog.made_as(pg::name_of(variable), sequence.temporary);
  if (!catalog.relations().contains(sequence.name)) {
    catalog.put(std::move(sequence));
  }
}

void own_sequence(Catalog& catalog, Node statement) {
  auto const* found = catalog.find(pg::name_of(statement["sequence"]));
  if (found == nullptr) {
    return;
  }
  auto const name = found->name;
  for (auto const option : statement.list("options")) {
    if (option.text("defname") != "owned_by") {
      continue;
    }
    auto parts = pg::names(option["arg"].list("items"));
    RelationName table;
    std::string column;
    if (parts.size() > 1) {
      column = parts.back();
      parts.pop_back();
      auto const* owner =
          catalog.find({parts.size() > 1 ? parts[parts.size() - 2] : "", parts.back()});
      table = owner != nullptr ? owner->name : RelationName{};
    }
    catalog.change(name, [&](Relation& r) {
      r.owner_table = table;
      r.owner_column = column;
    });
  }
}

void create_view(Catalog& catalog, Node variable, Node query, RelationKind kind, bool replace,
                 bool populated) {
  Relation view{.kind = kind};
  view.temporary = variable.text("relpersistence") == "t";
  view.name = catalog.made_as(pg::name_of(variable), view.temporary);
  view.populated = populated;
  if (catalog.relations().contains(view.name) && !replace) {
    return;
  }
  view.uses = uses_of(catalog, query);
  view.functions = pg::expression_of(query, catalog).functions;
  for (auto const target : query.list("targetList")) {
    auto name = target.text("name");
    if (name.empty()) {
      auto const fields = pg::names(target["val"].list("fields"));
      name = fields.empty() ? "" : fields.back();
    }
    view.columns.push_back({.name = name});
  }
  catalog.put(std::move(view));
}

void create_table_as(Catalog& catalog, Node statement) {
  auto const into = statement["into"];
  auto const query = statement["query"];
  if (statement.text("objtype") == "OBJECT_MATVIEW") {
    create_view(catalog, into["rel"], query, RelationKind::materialized_view, false,
                !into.flag("skipData"));
    return;
  }
  Relation table;
  table.temporary = into["rel"].text("relpersistence") == "t";
  table.name = catalog.made_as(pg::name_of(into["rel"]), table.temporary);
  if (!catalog.relations().contains(table.name)) {
    catalog.put(std::move(table));
  }
}

void create_index(Catalog& catalog, Node statement) {
  auto const* table = catalog.find(pg::name_of(statement["relation"]));
  if (table == nullptr) {
    return;
  }
  auto const name = table->name;
  auto index = index_of(catalog, *table, statement);
  if (!statement["relation"].flag("inh") && table->kind == RelationKind::partitioned_table) {
    catalog.change(name, [&](Relation& r) { r.indexes.push_back(std::move(index)); });
    return;
  }
  add_index(catalog, name, std::move(index));
}

void create_trigger(Catalog& catalog, Node statement) {
  auto const* table = catalog.find(pg::name_of(statement["relation"]));
  if (table == nullptr) {
    return;
  }
  Trigger trigger{.name = statement.text("trigname"), .each_row = statement.flag("row")};
  auto const written = pg::name_of(statement.list("funcname"));
  auto const known = catalog.find_functions(written);
  trigger.function = known.empty() ? written : known.front()->name;
  if (auto const* partner = catalog.find(pg::name_of(statement["constrrel"]))) {
    trigger.partner = partner->name;
  }
  auto const top = table->name;
  auto const put = [&](RelationName const& name) {
    catalog.change(name, [&](Relation& r) {
      std::erase_if(r.triggers, [&](auto& t) { return t.name == trigger.name; });
      r.triggers.push_back(trigger);
    });
  };
  put(top);
  trigger.inherited = true;
  for (auto const* part : catalog.descendants(top)) {
    if (trigger.each_row && part->partition) {
      put(RelationName(part->name));
    }
  }
}

Rule rule_of(Catalog const& catalog, std::string const& name, std::vector<Node> const& roots) {
  Rule rule{.name = name};
  for (auto const root : roots) {
    for (auto const& use : uses_of(catalog, root)) {
      rule.relations.push_back(use.relation);
    }
    auto const functions = pg::expression_of(root, catalog).functions;
    rule.functions.insert(rule.functions.end(), functions.begin(), functions.end());
  }
  return rule;
}

void create_rule(Catalog& catalog, Node statement) {
  auto const* table = catalog.find(pg::name_of(statement["relation"]));
  if (table != nullptr) {
    auto const rule = rule_of(catalog, statement.text("rulename"), statement.list("actions"));
    catalog.change(RelationName(table->name), [&](Relation& r) { r.rules.push_back(rule); });
  }
}

void create_policy(Catalog& catalog, Node statement) {
  auto const* table = catalog.find(pg::name_of(statement["table"]));
  if (table != nullptr) {
    auto const rule = rule_of(catalog, statement.text("policy_name"),
                              {statement["qual"], statement["with_check"]});
    catalog.change(RelationName(table->name), [&](Relation& r) { r.policies.push_back(rule); });
  }
}

void move_to_schema(Catalog& catalog, Node statement) {
  auto const* relation = catalog.find(pg::name_of(statement["relation"]));
  if (!statement["relation"] || relation == nullptr) {
    return;
  }
  auto const name = relation->name;
  auto const schema = statement.text("newschema");
  std::vector<RelationName> moved{name};
  for (auto const* sequence : catalog.sequences_of(name)) {
    moved.push_back(sequence->name);
  }
  for (auto const& one : moved) {
    catalog.rename(one, {schema, one.name});
  }
}

void set_setting(Catalog& catalog, Node statement) {
  auto const name = statement.text("name");
  auto const values = statement.list("args");
  auto const value = values.empty() ? std::nullopt : pg::literal(values.front());
  if (pg::same_word(name, "TIMEZONE") && value) {
    catalog.time_zone = *value;
  }
  if (name == "search_path") {
    catalog.search_path.clear();
    for (auto const one : values) {
      if (auto const schema = pg::literal(one); schema && *schema != "\"$user\"") {
        catalog.search_path.push_back(*schema);
      }
    }
  }
}

// pg_dump empties the search path so: SELECT pg_catalog.set_config('search_path', '', false)
void select(Catalog& catalog, Node statement) {
  if (auto const into = statement["intoClause"]) {
    Relation table;
    table.name = catalog.made_as(pg::name_of(into["rel"]));
    if (!catalog.relations().contains(table.name)) {
      catalog.put(std::move(table));
    }
    return;
  }
  for (auto const target : statement.list("targetList")) {
    auto const call = target["val"];
    auto const arguments = call.list("args");
    if (call.is("FuncCall") && pg::name_of(call.list("funcname")).name == "set_config" &&
        arguments.size() == 3 && pg::literal(arguments[0]) == "search_path" &&
        pg::literal(arguments[1]) == "") {
      catalog.search_path.clear();
    }
  }
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

void create_schema(Catalog& catalog, Node statement) {
  auto const schema = statement.text("schemaname");
  catalog.schemas.insert(schema);
  auto const path = catalog.search_path;
  catalog.search_path.insert(catalog.search_path.begin(), schema);
  for (auto const element : statement.list("schemaElts")) {
    replay_statement(catalog, element);
  }
  catalog.search_path = path;
}

void delete_rows(Catalog& catalog, Node statement) {
  auto const* table = catalog.find(pg::name_of(statement["relation"]));
  if (table != nullptr && !statement["whereClause"]) {
    catalog.change(RelationName(table->name), [](Relation& r) { r.tail_empty = true; });
  }
}

// An interrupted DETACH … CONCURRENTLY, as tests make it.
void update_rows(Catalog& catalog, Node statement) {
  auto const name = pg::name_of(statement["relation"]);
  auto const targets = statement.list("targetList");
  if (name.name == "pg_inherits" && !targets.empty() &&
      targets.front().text("name") == "inhdetachpending") {
    for (auto const node : pg::every(statement["whereClause"])) {
      if (auto const text = pg::literal(node)) {
        catalog.change(catalog.made_as({"", *text}), [](Relation& r) { r.detach_pending = true; });
      }
    }
  }
}

std::vector<RelationName> published(Catalog const& catalog, Node statement) {
  std::vector<RelationName> tables;
  for (auto const object : statement.list("pubobjects")) {
    if (auto const* table = catalog.find(pg::name_of(object["pubtable"]["relation"]))) {
      tables.push_back(table->name);
    }
  }
  return tables;
}

void publish(Catalog& catalog, Node statement) {
  auto& tables = catalog.publications[statement.text("pubname")];
  auto const named = published(catalog, statement);
  auto const action = statement.text("action");
  if (action == "AP_SetObjects") {
    tables.clear();
  }
  for (auto const& name : named) {
    std::erase(tables, name);
    if (action != "AP_DropObjects") {
      tables.push_back(name);
    }
  }
}

void create_statistics(Catalog& catalog, Node statement) {
  auto const from = statement.list("relations");
  auto const* table = from.empty() ? nullptr : catalog.find(pg::name_of(from.front()));
  if (table != nullptr) {
    catalog.statistics[catalog.made_as(pg::name_of(statement.list("defnames")))] = table->name;
  }
}

void drop(Catalog& catalog, Node statement) { remove(catalog, fallout_of(catalog, statement)); }

struct Replay {
  std::string_view type;
  void (*replay)(Catalog&, Node);
};
constexpr Replay table[] = {
    {"AlterDomainStmt", alter_domain},
    {"AlterObjectSchemaStmt", move_to_schema},
    {"AlterSeqStmt", own_sequence},
    {"AlterTableStmt", replay_alter_table},
    {"CompositeTypeStmt", create_composite},
    {"CreateDomainStmt", create_domain},
    {"CreateEnumStmt",
     [](Catalog& c, Node n) {
       create_type(c, pg::name_of(n.list("typeName")), TypeInfo::Kind::enumeration);
     }},
    {"CreateExtensionStmt", create_extension},
    {"CreateForeignTableStmt", replay_create_table},
    {"CreateFunctionStmt", create_function},
    {"AlterPublicationStmt", publish},
    {"CreatePolicyStmt", create_policy},
    {"CreatePublicationStmt", publish},
    {"CreateRangeStmt",
     [](Catalog& c, Node n) {
       create_type(c, pg::name_of(n.list("typeName")), TypeInfo::Kind::other);
     }},
    {"CreateSchemaStmt", create_schema},
    {"CreateSeqStmt",
     [](Catalog& c, Node n) {
       create_sequence(c, n);
       own_sequence(c, n);
     }},
    {"CreateStatsStmt", create_statistics},
    {"CreateStmt", replay_create_table},
    {"CreateTableAsStmt", create_table_as},
    {"CreateTrigStmt", create_trigger},
    {"DeleteStmt", delete_rows},
    {"DropStmt", drop},
    {"IndexStmt", create_index},
    {"RenameStmt", replay_rename},
    {"RuleStmt", create_rule},
    {"SelectStmt", select},
    {"UpdateStmt", update_rows},
    {"VariableSetStmt", set_setting},
    {"ViewStmt",
     [](Catalog& c, Node n) {
       create_view(c, n["view"], n["query"], RelationKind::view, n.flag("replace"), true);
     }},
};

struct Object {
  RelationName name;
  std::string part;
};

Object object_of(Node node, bool part) {
  auto const list = node.is("List")             ? node.list("items")
                    : node.is("ObjectWithArgs") ? node.list("objname")
                    : node.is("TypeName")       ? node.list("names")
                                                : std::vector<Node>{node};
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

Fallout fallout_of(Catalog const& catalog, Node statement) {
  Fallout fallout(catalog, statement.text("behavior") == "DROP_CASCADE");
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

std::vector<Reference> references_of(Node query) {
  std::set<std::string> common;  // WITH names; they hide tables
  std::vector<Reference> found;
  auto const nodes = pg::every(query);
  for (auto const node : nodes) {
    if (node.is("CommonTableExpr")) {
      common.insert(node.text("ctename"));
    }
  }
  auto const add = [&](Node node) {
    auto const name = pg::name_of(node);
    if (!name.empty() && (!name.schema.empty() || !common.contains(name.name))) {
      found.push_back({node, name});
    }
  };
  for (auto const node : nodes) {
    if (node.is("RangeVar")) {
      add(node);
    }
    if (node.is("InsertStmt") || node.is("UpdateStmt") || node.is("DeleteStmt") ||
        node.is("MergeStmt")) {
      add(node["relation"]);
    }
  }
  return found;
}

std::vector<Use> uses_of(Catalog const& catalog, Node query) {
  std::set<std::string> words;
  bool star = false;
  for (auto const node : pg::every(query)) {
    if (node.is("ColumnRef")) {
      auto const fields = node.list("fields");
      star = star || (!fields.empty() && fields.back().is("A_Star"));
      auto const names = pg::names(fields);
      words.insert(names.begin(), names.end());
    }
  }
  std::vector<Use> uses;
  for (auto const& reference : references_of(query)) {
    auto const* relation = catalog.find(reference.name);
    if (relation == nullptr ||
        std::ranges::any_of(uses, [&](auto& use) { return use.relation == relation->name; })) {
      continue;
    }
    Use use{.relation = relation->name};
    for (auto const& column : relation->columns) {
      if (star || words.contains(column.name)) {
        use.columns.push_back(column.name);
      }
    }
    std::ranges::sort(use.columns);
    uses.push_back(std::move(use));
  }
  std::ranges::sort(uses, {}, &Use::relation);
  return uses;
}

void replay_statement(Catalog& catalog, Node statement) {
  auto const found = std::ranges::find(table, statement.type(), &Replay::type);
  if (found != std::end(table)) {
    found->replay(catalog, statement);
  }
}

}  // namespace runbookd::planner
