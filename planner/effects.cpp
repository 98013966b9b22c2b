// The entry points: which family a statement belongs to.
#include "planner/effects.h"

#include <algorithm>
#include <utility>

#include "planner/effects_recorder.h"
#include "planner/pg_tree.h"
#include "planner/replay.h"
#include "planner/sql_body.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"
#include "planner/sql_syntax.h"

namespace runbookd::planner {
namespace {

using pg::Node;
constexpr int oldest = 13, newest = 18;

void create_schema(Recorder& r, Node statement) {
  for (auto const element : statement.list("schemaElts")) {
    // its own relations are new; what they refer to is not
    if (element.is("CreateStmt")) {
      effects_of_create_table(r, element);
    } else if (element.is("ViewStmt")) {
      effects_of_view(r, element);
    }
  }
}

void move_object(Recorder& r, Node statement) {
  if (!statement["relation"]) {
    return;
  }
  auto const* relation = r.relation(statement["relation"]);
  if (relation == nullptr) {
    return;
  }
  r.lock(*relation, LockMode::access_exclusive);
  r.breaks(std::string(to_text(relation->kind)) + " " + to_sql(relation->name),
           "it is found in schema " + statement.text("newschema") + " afterwards");
  for (auto const* owned : r.catalog.sequences_of(relation->name)) {
    r.lock(*owned, LockMode::access_exclusive);
  }
}

void create_function(Recorder& r, Node statement) {
  if (auto const body = statement["sql_body"]) {
    record_query(r, body, QueryUse::looks);
  }
  // the server reads the body of a SQL function to check it
  std::string language = "sql", text;
  for (auto const option : statement.list("options")) {
    if (option.text("defname") == "language") {
      language = option["arg"].text("sval");
    } else if (option.text("defname") == "as") {
      auto const lines = pg::names(option["arg"].list("items"));
      text = lines.empty() ? "" : lines.front();
    }
  }
  if (language == "sql" && !text.empty()) {
    auto const tree = pg::parse(text);
    for (auto const& inner : tree.statements) {
      record_query(r, inner.node, QueryUse::looks);
    }
  }
}

void inner_query(Recorder& r, Node statement) { effects_of_query(r, statement["query"]); }

void explain_statement(Recorder& r, Node statement) {
  bool const runs = pg::option_set(statement, "options", "analyze", false);
  if (runs) {
    record_statement(r, statement["query"]);
  } else {
    record_query(r, statement["query"], QueryUse::plans);
  }
  for (auto const& [node, name] : references_of(statement["query"])) {
    if (auto const* relation = r.catalog.find(name)) {
      r.lock(*relation, LockMode::access_share);  // the plan is told in its columns' names
    }
  }
}

void create_table_as(Recorder& r, Node statement) {
  auto const* there = r.catalog.find(pg::name_of(statement["into"]["rel"]));
  if (there != nullptr && statement.flag("if_not_exists")) {
    return;
  }
  if (statement["into"].flag("skipData")) {
    record_query(r, statement["query"], QueryUse::looks);
  } else {
    record_query(r, statement["query"], QueryUse::reads_all);
  }
}

void do_block(Recorder& r, Node statement) { effects_of_body(r, pg::do_body(statement)); }

void call(Recorder& r, Node statement) {
  r.opaque();
  auto const name = pg::name_of(statement["funccall"].list("funcname"));
  for (auto const* function : r.catalog.find_functions(name)) {
    effects_of_body(r, function->body);
  }
}

void alter_or_index(Recorder& r, Node statement) {
  if (statement.text("objtype") == "OBJECT_INDEX") {
    effects_of_alter_index(r, statement);
  } else if (statement.text("objtype") == "OBJECT_TYPE") {
    effects_of_types(r, statement);
  } else {
    effects_of_alter_table(r, statement);
  }
}

void depends(Recorder& r, Node statement) {
  auto const variable = statement["relation"];
  if (auto const found = r.catalog.find_index(pg::name_of(variable))) {
    r.lock_index(*found.table, *found.index, LockMode::access_exclusive);
  } else if (variable) {
    lock_named(r, variable, LockMode::access_exclusive);
  }
}

void unknown_reach(Recorder& r, Node) {
  r.opaque();
  r.assume("which relations it reaches depends on their owners and places, which are not known");
}

struct Family {
  std::string_view type;
  void (*effects)(Recorder&, Node);
};
constexpr Family families[] = {
    {"AlterDomainStmt", effects_of_types},
    {"AlterObjectDependsStmt", depends},
    {"AlterObjectSchemaStmt", move_object},
    {"AlterPolicyStmt", effects_of_policy},
    {"AlterPublicationStmt", effects_of_publication},
    {"AlterSeqStmt", effects_of_sequence},
    {"AlterTableMoveAllStmt", unknown_reach},
    {"AlterTableStmt", alter_or_index},
    {"CallStmt", call},
    {"ClusterStmt", effects_of_maintenance},
    {"CommentStmt", effects_of_label},
    {"CopyStmt", effects_of_query},
    {"CreateForeignTableStmt", effects_of_create_table},
    {"CreateFunctionStmt", create_function},
    {"CreatePolicyStmt", effects_of_policy},
    {"CreatePublicationStmt", effects_of_publication},
    {"CreateSchemaStmt", create_schema},
    {"CreateSeqStmt", effects_of_sequence},
    {"CreateStatsStmt", effects_of_statistics},
    {"CreateStmt", effects_of_create_table},
    {"CreateTableAsStmt", create_table_as},
    {"CreateTrigStmt", effects_of_trigger},
    {"DeclareCursorStmt", inner_query},
    {"DeleteStmt", effects_of_query},
    {"DoStmt", do_block},
    {"DropOwnedStmt", unknown_reach},
    {"DropStmt", effects_of_drop},
    {"ExplainStmt", explain_statement},
    {"GrantStmt", effects_of_grant},
    {"IndexStmt", effects_of_index},
    {"InsertStmt", effects_of_query},
    {"LockStmt", effects_of_lock},
    {"MergeStmt", effects_of_query},
    {"PrepareStmt", [](Recorder& r, Node n) { record_query(r, n["query"], QueryUse::looks); }},
    {"ReassignOwnedStmt", unknown_reach},
    {"RefreshMatViewStmt", effects_of_refresh},
    {"ReindexStmt", effects_of_reindex},
    {"RenameStmt", effects_of_rename},
    {"RuleStmt", effects_of_rule},
    {"SecLabelStmt", effects_of_label},
    {"SelectStmt", effects_of_query},
    {"TruncateStmt", effects_of_truncate},
    {"UpdateStmt", effects_of_query},
    {"VacuumStmt", effects_of_maintenance},
    {"ViewStmt", effects_of_view},
};

std::vector<std::string> names_where(std::vector<RelationLock> const& locks,
                                     bool (*wanted)(LockMode)) {
  std::vector<std::string> names;
  for (auto const& lock : locks) {
    if (wanted(lock.mode)) {
      names.push_back(lock.name);
    }
  }
  return names;
}

}  // namespace

void record_statement(Recorder& recorder, Node statement) {
  auto const found = std::ranges::lower_bound(families, statement.type(), {}, &Family::type);
  if (found != std::end(families) && found->type == statement.type()) {
    found->effects(recorder, statement);
  }
}

Effects record_effects(Node node, Catalog const& catalog, int server_major) {
  Recorder recorder(catalog, std::clamp(server_major, oldest, newest));
  if (!pg::transactional(node)) {
    recorder.outside();
  }
  record_statement(recorder, node);
  if (!node.is("RenameStmt") && !node.is("AlterObjectSchemaStmt") &&
      !node.is("CompositeTypeStmt")) {
    for (auto const& [schema, name] : pg::created_by(node)) {
      recorder.create(catalog.made_as({schema, name}));
    }
  }
  return recorder.take();
}

Effects record_effects(pg::Tree const& tree, pg::ParsedStatement const& statement,
                       Catalog const& catalog, int server_major) {
  auto effects = record_effects(statement.node, catalog, server_major);
  for (auto const& newer : tree.newer) {
    bool const here =
        newer.offset >= statement.offset && newer.offset <= statement.offset + statement.length;
    if (here && newer.since > effects.since) {
      effects.since = newer.since;
      effects.since_words = newer.words;
    }
  }
  if (effects.since > server_major) {
    effects.assumed.push_back("a server before version " + std::to_string(effects.since) +
                              " refuses it: " + effects.since_words + " is new there");
  }
  return effects;
}

Effects unknown_effects(std::string const& why) {
  Effects effects;
  effects.analysed = false;
  effects.not_analysed = "not analysed: " + why;
  return effects;
}
Effects unread_effects(pg::Tree const& tree) {
  return unknown_effects("the parser of PostgreSQL 15 says " + tree.error);
}

std::vector<std::string> Effects::blocks_reads() const {
  return names_where(locks, [](LockMode mode) { return planner::blocks_reads(mode); });
}
std::vector<std::string> Effects::blocks_writes() const {
  return names_where(locks, [](LockMode mode) { return planner::blocks_writes(mode); });
}

Effects effects_of(Statement const& statement, Catalog const& catalog, int server_major) {
  auto const tree = pg::parse(statement.sql.text);
  if (!tree.ok() || tree.statements.size() != 1) {
    return tree.ok() ? unknown_effects("it is not one statement") : unread_effects(tree);
  }
  return record_effects(tree, tree.statements.front(), catalog, server_major);
}

Catalog apply(Catalog catalog, Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  for (auto const& parsed : tree.statements) {
    replay_statement(catalog, parsed.node);
  }
  return catalog;
}

}  // namespace runbookd::planner
