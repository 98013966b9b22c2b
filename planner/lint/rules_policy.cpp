// House rules: optional, because reasonable people differ.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;
constexpr auto optional = LintRule::Use::optional;

Hits varchar(Site const& site) {
  Hits hits;
  for (auto const& column : site.columns) {
    auto const type = pg::type_of(column.def["typeName"]);
    if (type.name == "varchar" && !type.modifiers.empty()) {
      hits.push_back({.on = "column " + column.name, .offset = site.location(column.def)});
    }
  }
  return hits;
}

Hits no_primary_key(Site const& site) {
  auto const node = site.node;
  if (!node.is("CreateStmt") || node["relation"].text("relpersistence") == "t" ||
      node.has("partbound") || node.has("ofTypename") || !node.list("inhRelations").empty()) {
    return {};
  }
  for (auto const element : node.list("tableElts")) {
    if (element.is("TableLikeClause") || element.text("contype") == "CONSTR_PRIMARY" ||
        has_constraint(element, "CONSTR_PRIMARY")) {
      return {};
    }
  }
  return {{.on = to_sql(site.name_of())}};
}

bool lacks_schema(Node relation) {
  return relation && relation.text("schemaname").empty() && !relation.text("relname").empty() &&
         relation.text("relpersistence") != "t";
}

Hits unqualified(Site const& site) {
  constexpr std::string_view kinds[] = {"CreateStmt", "AlterTableStmt", "IndexStmt", "RenameStmt"};
  bool const own = holds(kinds, site.node.type()) && lacks_schema(site.node["relation"]);
  return own ? Hits{{.on = site.name_of().name}} : Hits{};
}

Hits not_repeatable(Site const& site) {
  auto const node = site.node;
  bool const makes = (node.is("CreateStmt") || node.is("CreateSchemaStmt") ||
                      node.is("CreateExtensionStmt") || node.is("CreateSeqStmt")) &&
                     !node.flag("if_not_exists");
  bool const index =
      node.is("IndexStmt") && !node.flag("if_not_exists") && !node.flag("concurrent");
  bool const drops = node.is("DropStmt") && !node.flag("missing_ok");
  bool const column = std::ranges::any_of(site.commands, [](Command const& command) {
    return (command.type == "AT_AddColumn" || command.type == "AT_DropColumn" ||
            command.type == "AT_DropConstraint") &&
           !command.node.flag("missing_ok");
  });
  return makes || index || drops || column ? Hits{{}} : Hits{};
}

Hits cascade_key(Site const& site) {
  for (auto const node : pg::every(site.node)) {
    if (node.is("Constraint") && node.text("contype") == "CONSTR_FOREIGN" &&
        node.text("fk_del_action") == "c") {
      return {{.offset = site.location(node)}};
    }
  }
  return {};
}

Hits foreign_key(Site const& site) {
  for (auto const node : pg::every(site.node)) {
    if (node.is("Constraint") && node.text("contype") == "CONSTR_FOREIGN") {
      return {{.offset = site.location(node)}};
    }
  }
  return {};
}

Hits enumeration(Site const& site) { return site.node.is("CreateEnumStmt") ? Hits{{}} : Hits{}; }

Hits label_order(Site const& site) {
  bool const adds = site.node.is("AlterEnumStmt") && site.node.text("oldVal").empty();
  return adds && site.node.text("newValNeighbor").empty() ? Hits{{}} : Hits{};
}

Hits trigger(Site const& site) {
  return site.node.is("CreateTrigStmt") && !site.is_new() ? Hits{{.on = to_sql(site.name_of())}}
                                                          : Hits{};
}

Hits owner(Site const& site) {
  bool const changes = site.node.is("AlterOwnerStmt") ||
                       std::ranges::any_of(site.commands, [](Command const& command) {
                         return command.type == "AT_ChangeOwner";
                       });
  bool const role =
      site.node.is("VariableSetStmt") &&
      (site.node.text("name") == "role" || site.node.text("name") == "session_authorization");
  return changes || role ? Hits{{}} : Hits{};
}

Hits domain(Site const& site) {
  bool const limits = site.node.is("CreateDomainStmt") && !site.node.list("constraints").empty();
  return limits ? Hits{{}} : Hits{};
}

Hits statement_timeout(Site const& site) {
  bool const set = site.known.statement_timeout && *site.known.statement_timeout > 0;
  bool const heavy = !site.existing(site.effects.scans).empty() && site.effects.transactional &&
                     !site.stopped(LockMode::share_update_exclusive).empty();
  return !site.in_plan() && !site.options.timeouts_given && !set && heavy ? Hits{{}} : Hits{};
}

Hits unique_may_fail(Site const& site) {
  bool const builds = site.node.is("IndexStmt") && site.node.flag("unique") && !site.is_new();
  return builds ? Hits{{.on = "index " + site.node.text("idxname")}} : Hits{};
}

Hits default_changed(Site const& site) {
  for (auto const& command : site.commands) {
    if (command.type == "AT_ColumnDefault" && !site.is_new()) {
      return {{.on = "column " + command.name}};
    }
  }
  return {};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "policy/varchar",
      .severity = Severity::note,
      .title = "varchar(n)",
      .why = "to lower the limit later rewrites the table; a CHECK can be exchanged without that",
      .fix = "write text with a CHECK",
      .like = "squawk prefer-text-field",
      .use = optional},
     varchar},
    {{.id = "policy/primary-key",
      .severity = Severity::warning,
      .title = "A table without primary key",
      .why = "logical replication cannot carry its updates, and a backfill has no way through it",
      .fix = "give it a primary key",
      .like = "Bytebase, pg-migration-lint",
      .use = optional},
     no_primary_key},
    {{.id = "policy/schema-qualified",
      .severity = Severity::note,
      .title = "A name without its schema",
      .why = "which table is meant depends on the search_path of the session",
      .fix = "write schema.table",
      .like = "squawk require-table-schema",
      .use = optional},
     unqualified},
    {{.id = "policy/repeatable",
      .severity = Severity::note,
      .title = "A statement that fails the second time",
      .why = "where a script is run again after it broke off, this stops it",
      .fix = "write IF EXISTS or IF NOT EXISTS; not for an index built CONCURRENTLY, which may be "
             "there and be invalid",
      .like = "squawk prefer-robust-stmts",
      .use = optional},
     not_repeatable},
    {{.id = "policy/cascade-key",
      .severity = Severity::note,
      .title = "ON DELETE CASCADE",
      .why = "deleting one row can delete many others, in one transaction and without a word",
      .fix = "write ON DELETE RESTRICT, and delete in batches",
      .like = "Bytebase",
      .use = optional},
     cascade_key},
    {{.id = "policy/foreign-key",
      .severity = Severity::note,
      .title = "A foreign key",
      .why = "every write to the one table locks a row of the other",
      .fix = "let the application keep the two in step",
      .like = "Bytebase",
      .use = optional},
     foreign_key},
    {{.id = "policy/enumeration",
      .severity = Severity::note,
      .title = "An enumeration",
      .why = "a value can be added but never taken away again",
      .fix = "write text with a CHECK, or a table of values",
      .like = "eugene W13",
      .use = optional},
     enumeration},
    {{.id = "policy/label-order",
      .severity = Severity::note,
      .title = "A value of an enumeration is added without its place",
      .why = "it sorts after all others, and that cannot be changed later",
      .fix = "write BEFORE or AFTER",
      .like = "squawk require-enum-value-ordering",
      .use = optional},
     label_order},
    {{.id = "policy/trigger",
      .severity = Severity::note,
      .title = "A trigger on a table in use",
      .why = "it runs with every write from here on, and its errors are the application's",
      .fix = "measure it on a copy first",
      .like = "pgsafe",
      .use = optional},
     trigger},
    {{.id = "policy/owner",
      .severity = Severity::note,
      .title = "An owner or role is changed",
      .why = "whoever owns an object may drop it, and rights that were granted hang on it",
      .fix = "let one role own everything",
      .like = "Bytebase",
      .use = optional},
     owner},
    {{.id = "policy/domain",
      .severity = Severity::note,
      .title = "A domain with a constraint",
      .why = "to change its constraint later locks and reads every table that has such a column",
      .fix = "write the base type, and a CHECK on each table",
      .like = "squawk ban-create-domain-with-constraint",
      .use = optional},
     domain},
    {{.id = "policy/statement-timeout",
      .severity = Severity::note,
      .title = "A long statement without statement_timeout",
      .why = "nothing ends it when it takes longer than was thought",
      .fix = "SET statement_timeout before it",
      .like = "squawk require-statement-timeout",
      .use = optional},
     statement_timeout},
    {{.id = "policy/unique-over-data",
      .severity = Severity::note,
      .title = "A unique index over rows that may hold duplicates",
      .why = "a duplicate ends the build and leaves an invalid index behind",
      .fix = "look for duplicates first: SELECT …, count(*) … GROUP BY … HAVING count(*) > 1",
      .like = "Atlas MF101 and MF102",
      .use = optional},
     unique_may_fail},
    {{.id = "policy/default-changed",
      .severity = Severity::note,
      .title = "A default is changed",
      .why = "an application that writes the old default itself goes on doing so until it starts "
             "again",
      .fix = "restart what caches the schema after this",
      .like = "strong_migrations",
      .use = optional},
     default_changed},
});

}  // namespace

std::span<StatementRule const> policy_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
