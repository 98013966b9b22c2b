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

void lock_named(Recorder& r, Node variable, LockMode mode) {
  if (auto const* relation = r.relation(variable)) {
    r.lock(*relation, mode);
  }
}

LockMode mode_of(std::int64_t number) {
  return static_cast<LockMode>(std::clamp<std::int64_t>(number, 1, 8) - 1);
}

void lock_view(Recorder& r, Relation const& view, LockMode mode) {
  r.lock(view, mode);
  for (auto const& use : view.uses) {
    if (auto const* below = r.catalog.find(use.relation)) {
      if (below->kind == RelationKind::view) {
        lock_view(r, *below, mode);
      } else {
        lock_tree(r, *below, mode, true);
      }
    }
  }
}

void lock_table(Recorder& r, Node statement) {
  auto const mode = mode_of(statement.number("mode"));
  for (auto const variable : statement.list("relations")) {
    auto const* relation = r.relation(variable);
    if (relation == nullptr) {
      continue;
    }
    if (relation->kind == RelationKind::view) {
      lock_view(r, *relation, mode);
    } else {
      lock_tree(r, *relation, mode, variable.flag("inh"));
    }
  }
}

// Comments and security labels.
void label(Recorder& r, Node statement) {
  auto const kind = statement.text("objtype");
  auto const object = statement["object"];
  auto words = pg::names(object.list(object.is("List") ? "items" : "names"));
  bool const part = kind == "OBJECT_TABCONSTRAINT" || kind == "OBJECT_TRIGGER" ||
                    kind == "OBJECT_RULE" || kind == "OBJECT_POLICY" || kind == "OBJECT_COLUMN";
  bool const whole = kind == "OBJECT_TABLE" || kind == "OBJECT_VIEW" || kind == "OBJECT_MATVIEW" ||
                     kind == "OBJECT_SEQUENCE" || kind == "OBJECT_FOREIGN_TABLE" ||
                     kind == "OBJECT_INDEX";
  if (words.empty() || (!part && !whole)) {
    return;
  }
  if (part) {
    words.pop_back();
  }
  if (words.empty()) {
    return;
  }
  RelationName const name{words.size() > 1 ? words[words.size() - 2] : "", words.back()};
  if (kind == "OBJECT_INDEX") {
    if (auto const found = r.index(name)) {
      r.lock_index(*found.table, *found.index, LockMode::share_update_exclusive);
    }
    return;
  }
  if (auto const* relation = r.relation(name)) {
    r.lock(*relation, whole || kind == "OBJECT_COLUMN" ? LockMode::share_update_exclusive
                                                       : LockMode::access_share);
  }
}

// From version 18 on rights are given under a lock.
void grant(Recorder& r, Node statement) {
  auto const kind = statement.text("objtype");
  if (r.major < 18 || (kind != "OBJECT_TABLE" && kind != "OBJECT_SEQUENCE")) {
    return;
  }
  bool const sequences = kind == "OBJECT_SEQUENCE";
  for (auto const object : statement.list("objects")) {
    if (statement.text("targtype") == "ACL_TARGET_ALL_IN_SCHEMA") {
      for (auto const& [name, relation] : r.catalog.relations()) {
        if (name.schema == object.text("sval") &&
            (relation.kind == RelationKind::sequence) == sequences) {
          r.lock(relation, LockMode::access_share);
        }
      }
    } else if (auto const* relation =
                   r.relation(object, sequences ? RelationKind::sequence : RelationKind::table)) {
      r.lock(*relation, LockMode::access_share);
    }
  }
}

void create_view(Recorder& r, Node statement) {
  auto const variable = statement["view"];
  record_query(r, statement["query"], QueryUse::looks);
  auto const* there = r.catalog.find(pg::name_of(variable));
  if (statement.flag("replace") && there != nullptr && variable.text("relpersistence") != "t") {
    r.lock(*there, LockMode::access_exclusive);
  }
}

void refresh(Recorder& r, Node statement) {
  auto const* view = r.relation(statement["relation"], RelationKind::materialized_view);
  if (view == nullptr) {
    return;
  }
  bool const concurrent = statement.flag("concurrent");
  r.lock(*view, concurrent ? LockMode::exclusive : LockMode::access_exclusive);
  if (statement.flag("skipData")) {
    r.empty(*view);
    return;
  }
  if (concurrent) {
    r.scan(*view);
  } else {
    r.refill(*view);
  }
  std::vector<Relation const*> open{view};
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (auto const& use : open[i]->uses) {
      auto const* below = r.catalog.find(use.relation);
      if (below == nullptr) {
        continue;
      }
      r.lock(*below, LockMode::access_share);
      if (below->kind == RelationKind::view) {
        open.push_back(below);
      } else {
        lock_tree(r, *below, LockMode::access_share, true);
        for (auto const* part : r.catalog.descendants(below->name)) {
          r.scan(*part);
        }
        r.scan(*below);
      }
    }
  }
}

void create_trigger(Recorder& r, Node statement) {
  auto const* table = r.relation(statement["relation"]);
  if (table == nullptr) {
    return;
  }
  lock_tree(r, *table, LockMode::share_row_exclusive,
            statement.flag("row") && table->kind == RelationKind::partitioned_table);
  if (statement["constrrel"]) {
    lock_named(r, statement["constrrel"], LockMode::access_share);
  }
}

void create_rule(Recorder& r, Node statement) {
  lock_named(r, statement["relation"], LockMode::access_exclusive);
  for (auto const action : statement.list("actions")) {
    record_query(r, action, QueryUse::looks);
  }
}

void policy(Recorder& r, Node statement) {
  lock_named(r, statement["table"], LockMode::access_exclusive);
  record_query(r, statement["qual"], QueryUse::looks);
  record_query(r, statement["with_check"], QueryUse::looks);
}

void sequence(Recorder& r, Node statement) {
  bool const alter = statement.is("AlterSeqStmt");
  auto const* found = alter ? r.relation(statement["sequence"], RelationKind::sequence)
                            : r.catalog.find(pg::name_of(statement["sequence"]));
  if (alter && found != nullptr) {
    r.lock(*found, LockMode::share_row_exclusive);
  }
  if (!alter && found != nullptr && statement.flag("if_not_exists")) {
    return;
  }
  for (auto const option : statement.list("options")) {
    auto words = pg::names(option["arg"].list("items"));
    if (option.text("defname") == "owned_by" && words.size() > 1) {
      words.pop_back();
      if (auto const* table = r.relation(
              RelationName{words.size() > 1 ? words[words.size() - 2] : "", words.back()})) {
        r.lock(*table, LockMode::access_share);
      }
    }
  }
}

void statistics(Recorder& r, Node statement) {
  for (auto const variable : statement.list("relations")) {
    lock_named(r, variable, LockMode::share_update_exclusive);
  }
}

void publication(Recorder& r, Node statement) {
  for (auto const object : statement.list("pubobjects")) {
    auto const variable = object["pubtable"]["relation"];
    if (auto const* table = variable ? r.relation(variable) : nullptr) {
      lock_tree(r, *table, LockMode::share_update_exclusive,
                variable.flag("inh") && table->kind != RelationKind::partitioned_table);
    }
  }
  auto const before = r.catalog.publications.find(statement.text("pubname"));
  if (statement.text("action") == "AP_SetObjects" && before != r.catalog.publications.end()) {
    for (auto const& name : before->second) {
      if (auto const* table = r.catalog.find(name)) {
        r.lock(*table, LockMode::share_update_exclusive);
      }
    }
  }
}

void create_schema(Recorder& r, Node statement) {
  for (auto const element : statement.list("schemaElts")) {
    // its own relations are new; what they refer to is not
    if (element.is("CreateStmt")) {
      effects_of_create_table(r, element);
    } else if (element.is("ViewStmt")) {
      create_view(r, element);
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
    {"AlterPolicyStmt", policy},
    {"AlterPublicationStmt", publication},
    {"AlterSeqStmt", sequence},
    {"AlterTableMoveAllStmt", unknown_reach},
    {"AlterTableStmt", alter_or_index},
    {"CallStmt", call},
    {"ClusterStmt", effects_of_maintenance},
    {"CommentStmt", label},
    {"CopyStmt", effects_of_query},
    {"CreateForeignTableStmt", effects_of_create_table},
    {"CreateFunctionStmt", create_function},
    {"CreatePolicyStmt", policy},
    {"CreatePublicationStmt", publication},
    {"CreateSchemaStmt", create_schema},
    {"CreateSeqStmt", sequence},
    {"CreateStatsStmt", statistics},
    {"CreateStmt", effects_of_create_table},
    {"CreateTableAsStmt", create_table_as},
    {"CreateTrigStmt", create_trigger},
    {"DeclareCursorStmt", inner_query},
    {"DeleteStmt", effects_of_query},
    {"DoStmt", do_block},
    {"DropOwnedStmt", unknown_reach},
    {"DropStmt", effects_of_drop},
    {"ExplainStmt", explain_statement},
    {"GrantStmt", grant},
    {"IndexStmt", effects_of_index},
    {"InsertStmt", effects_of_query},
    {"LockStmt", lock_table},
    {"MergeStmt", effects_of_query},
    {"PrepareStmt", [](Recorder& r, Node n) { record_query(r, n["query"], QueryUse::looks); }},
    {"ReassignOwnedStmt", unknown_reach},
    {"RefreshMatViewStmt", refresh},
    {"ReindexStmt", effects_of_reindex},
    {"RenameStmt", effects_of_rename},
    {"RuleStmt", create_rule},
    {"SecLabelStmt", label},
    {"SelectStmt", effects_of_query},
    {"TruncateStmt", effects_of_truncate},
    {"UpdateStmt", effects_of_query},
    {"VacuumStmt", effects_of_maintenance},
    {"ViewStmt", create_view},
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
  if (!node.is("RenameStmt") && !node.is("AlterObjectSchemaStmt")) {
    for (auto const& [schema, name] : pg::created_by(node)) {
      recorder.create(catalog.made_as({schema, name}));
    }
  }
  return recorder.take();
}

std::vector<std::string> Effects::blocks_reads() const {
  return names_where(locks, [](LockMode mode) { return planner::blocks_reads(mode); });
}
std::vector<std::string> Effects::blocks_writes() const {
  return names_where(locks, [](LockMode mode) { return planner::blocks_writes(mode); });
}

namespace {

Effects unreadable(std::string const& why) {
  Effects effects;
  effects.analysed = false;
  effects.not_analysed = why;
  return effects;
}

}  // namespace

Effects effects_of(Statement const& statement, Catalog const& catalog, int server_major) {
  auto const tree = pg::parse(statement.sql.text);
  if (!tree.ok() || tree.statements.size() != 1) {
    return unreadable("not analysed: " + (tree.ok() ? "not one statement" : tree.error));
  }
  return record_effects(tree.statements.front().node, catalog, server_major);
}

Catalog apply(Catalog catalog, Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  for (auto const& parsed : tree.statements) {
    replay_statement(catalog, parsed.node);
  }
  return catalog;
}

}  // namespace runbookd::planner
