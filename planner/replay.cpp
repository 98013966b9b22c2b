// The dispatch, and what is neither table nor type.
#include "planner/replay.h"

#include <algorithm>
#include <utility>

#include "planner/sql_expression.h"
#include "planner/toast.h"

namespace runbookd::planner {
namespace {

using pg::Node;

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

// What a query makes, as far as its columns are those of tables.
Relation made_by(Catalog const& catalog, Node query) {
  Relation made;
  auto const uses = uses_of(catalog, query);
  for (auto const target : query.list("targetList")) {
    auto const fields = target["val"].list("fields");
    auto const words = pg::names(fields);
    bool const star = words.size() < fields.size();
    auto const name = words.empty() ? std::string() : words.back();
    for (auto const& use : uses) {
      auto const* from = catalog.find(use.relation);
      auto const* column = from == nullptr ? nullptr : from->column(name);
      if (star && from != nullptr) {
        made.columns.insert(made.columns.end(), from->columns.begin(), from->columns.end());
      } else if (column != nullptr) {
        made.columns.push_back({.name = name, .type = column->type});
        break;
      }
    }
  }
  return made;
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
      auto const call = pg::names(target["val"].list("funcname"));
      name = !fields.empty() ? fields.back() : !call.empty() ? call.back() : "";
    }
    view.columns.push_back({.name = name});
  }
  view.toast =
      kind == RelationKind::materialized_view && needs_toast(catalog, made_by(catalog, query));
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
  table.toast = needs_toast(catalog, made_by(catalog, query));
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
    auto const actions = statement.list("actions");
    auto const rule =
        rule_of(catalog, statement.text("rulename"), {actions.begin(), actions.end()});
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
    table.toast = needs_toast(catalog, made_by(catalog, statement));
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
    {"AlterDomainStmt", replay_type},
    {"AlterObjectSchemaStmt", move_to_schema},
    {"AlterSeqStmt", own_sequence},
    {"AlterTableStmt", replay_alter_table},
    {"CompositeTypeStmt", replay_type},
    {"CreateDomainStmt", replay_type},
    {"CreateEnumStmt", replay_type},
    {"CreateExtensionStmt", replay_type},
    {"CreateForeignTableStmt", replay_create_table},
    {"CreateFunctionStmt", replay_type},
    {"AlterPublicationStmt", publish},
    {"CreatePolicyStmt", create_policy},
    {"CreatePublicationStmt", publish},
    {"CreateRangeStmt", replay_type},
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

}  // namespace

void replay_statement(Catalog& catalog, Node statement) {
  auto const found = std::ranges::find(table, statement.type(), &Replay::type);
  if (found != std::end(table)) {
    found->replay(catalog, statement);
  }
}

}  // namespace runbookd::planner
