// Tables and partitions as a whole: what writes them anew, stops them, or makes them unsafe.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

bool rewrites_whole_table(Node node) {
  bool const vacuum = node.is("VacuumStmt") && node.flag("is_vacuumcmd");
  return node.is("ClusterStmt") || (vacuum && pg::option_set(node, "options", "full", false));
}

std::string settings_words(std::string const& type) {
  return type == "AT_SetLogged" || type == "AT_SetUnLogged" ? "SET LOGGED or UNLOGGED"
         : type == "AT_SetTableSpace"                       ? "SET TABLESPACE"
         : type == "AT_SetAccessMethod"                     ? "SET ACCESS METHOD"
                                                            : "";
}

Hits rewrites(Site const& site) {
  if (rewrites_whole_table(site.node)) {
    auto const tables = site.existing(site.effects.rewrites);
    bool const all_new = !site.effects.rewrites.empty() && tables.empty();
    return all_new ? Hits{}
                   : Hits{{.why = site.statement.kind +
                                  " rewrites the whole table, and nobody can read or write it "
                                  "meanwhile",
                           .fix = "use plain VACUUM, or a tool that rewrites online, such as "
                                  "pg_repack",
                           .tables = tables}};
  }
  Hits hits;
  for (auto const& command : site.commands) {
    auto const what = settings_words(command.type);
    auto const tables = site.existing(command.effects.rewrites);
    if (!what.empty() && !tables.empty()) {
      hits.push_back(
          {.why = what + " rewrites " + joined(tables) + " while nobody can read or write it",
           .tables = tables});
    }
  }
  return hits;
}

Hits detach(Site const& site) {
  for (auto const& command : site.commands) {
    if (command.type == "AT_DetachPartition" && !command.def.flag("concurrent") && !site.is_new()) {
      bool const possible = site.major() >= 14;
      return {{.fix = possible ? ""
                               : "PostgreSQL 13 has no other way: keep the stall budget short; "
                                 "from 14 on write DETACH PARTITION … CONCURRENTLY",
               .severity = possible ? std::nullopt : std::optional(Severity::note)}};
    }
  }
  return {};
}

// The constraint saves a later ATTACH from reading the rows; it is not what was there before.
Hits detach_leaves_check(Site const& site) {
  for (auto const& command : site.commands) {
    auto const partition = command.def["name"].text("relname");
    if (command.type == "AT_DetachPartition" && command.def.flag("concurrent") &&
        site.where == Where::step && !partition.empty()) {
      return {{.why = "DETACH PARTITION … CONCURRENTLY leaves a CHECK with the partition's bounds "
                      "on " +
                      partition +
                      ", and ATTACH PARTITION in the rollback does not take it away: the schema "
                      "would differ from what it was before the step",
               .fix = "let the rollback end with ALTER TABLE " + partition +
                      " DROP CONSTRAINT and the name that \\d " + partition + " shows"}};
    }
  }
  return {};
}

std::string partition_of(Command const& command) {
  auto const name = command.def["name"];
  return to_sql(
      {name.text("schemaname").empty() ? "public" : name.text("schemaname"), name.text("relname")});
}

Hits attach(Site const& site) {
  for (auto const& command : site.commands) {
    if (command.type != "AT_AttachPartition") {
      continue;
    }
    auto const name = command.def["name"];
    RelationName const partition{name.text("schemaname"), name.text("relname")};
    bool const seen = site.table() != nullptr && !site.table()->partition_strategy.empty();
    bool const proven = !seen && site.known.has_valid_check(partition);
    auto const tables = site.existing(command.effects.scans);
    bool const rest = command.def["bound"].flag("is_default") && !seen && !site.before.complete;
    bool const reads = rest || holds(tables, partition_of(command));
    if (reads && !proven && !site.known.is_new(partition)) {
      return {{.on = to_sql(partition), .tables = {partition_of(command)}}};
    }
  }
  return {};
}

Hits reads_default(Site const& site) {
  bool const makes =
      site.node.is("CreateStmt") || std::ranges::any_of(site.commands, [](Command const& command) {
        return command.type == "AT_AttachPartition";
      });
  if (!makes) {
    return {};
  }
  std::vector<std::string> defaults;
  for (auto const& name : site.existing(site.effects.scans)) {
    for (auto const& lock : site.effects.locks) {
      auto const* relation = lock.name == name ? site.before.find(lock.relation) : nullptr;
      if (relation != nullptr && relation->default_partition) {
        defaults.push_back(name);
      }
    }
  }
  return defaults.empty() ? Hits{} : Hits{{.on = joined(defaults), .tables = defaults}};
}

Hits partition_of_table(Site const& site) {
  bool const partition = site.node.is("CreateStmt") && site.node.has("partbound");
  auto const parents = site.node.list("inhRelations");
  if (!partition || parents.empty()) {
    return {};
  }
  RelationName const parent{parents[0].text("schemaname"), parents[0].text("relname")};
  return site.known.is_new(parent) || site.stopped(LockMode::access_exclusive).empty()
             ? Hits{}
             : Hits{{.on = to_sql(parent)}};
}

Hits explicit_lock(Site const& site) {
  if (!site.node.is("LockStmt")) {
    return {};
  }
  auto const tables = site.stopped(LockMode::share);
  return tables.empty() ? Hits{} : Hits{{.on = joined(tables)}};
}

Hits truncates(Site const& site) {
  if (!site.node.is("TruncateStmt")) {
    return {};
  }
  auto const emptied = site.existing(site.effects.emptied);
  bool const cascade = site.node.text("behavior") == "DROP_CASCADE";
  if (emptied.empty()) {
    return {};
  }
  return {
      {.on = joined(emptied), .severity = cascade ? std::optional(Severity::error) : std::nullopt}};
}

Hits truncate_cascade(Site const& site) {
  if (!site.node.is("TruncateStmt") || site.node.text("behavior") != "DROP_CASCADE") {
    return {};
  }
  auto const named = site.node.list("relations");
  std::vector<std::string> more;
  for (auto const& name : site.existing(site.effects.emptied)) {
    bool const by_name = std::ranges::any_of(named, [&](Node one) {
      auto const* found = site.before.find({one.text("schemaname"), one.text("relname")});
      return found != nullptr && to_sql(found->name) == name;
    });
    if (!by_name) {
      more.push_back(name);
    }
  }
  if (site.before.complete) {
    return more.empty() ? Hits{} : Hits{{.on = joined(more)}};
  }
  auto const all_new = std::ranges::all_of(named, [&](Node one) {
    return site.known.is_new({one.text("schemaname"), one.text("relname")});
  });
  return all_new ? Hits{} : Hits{{}};
}

Hits drop_cascade(Site const& site) {
  bool const cascade = (site.node.is("DropStmt") && site.node.text("behavior") == "DROP_CASCADE") ||
                       std::ranges::any_of(site.commands, [](Command const& command) {
                         return command.node.text("behavior") == "DROP_CASCADE";
                       });
  if (!cascade || site.node.text("removeType") == "OBJECT_SCHEMA") {
    return {};
  }
  if (site.node.is("DropStmt") && !site.node.list("objects").empty() &&
      site.node.text("removeType") == "OBJECT_TABLE" &&
      std::ranges::all_of(site.node.list("objects"), [&](Node object) {
        auto const path = pg::names(object.list("items"));
        return !path.empty() &&
               site.known.is_new({path.size() > 1 ? path[path.size() - 2] : "", path.back()});
      })) {
    return {};
  }
  if (!site.before.complete) {
    return {{}};
  }
  auto const kinds = {RelationKind::view, RelationKind::materialized_view};
  std::vector<std::string> dependents;
  for (auto const& name : site.effects.dropped) {
    for (auto const& [key, relation] : site.before.relations()) {
      bool const view = std::ranges::find(kinds, relation.kind) != kinds.end();
      if (view && to_sql(key) == name) {
        dependents.push_back(name);
      }
    }
  }
  for (auto const& name : site.stopped(LockMode::access_exclusive)) {
    bool const itself = site.table() != nullptr && to_sql(site.table()->name) == name;
    if (!itself && !holds(site.effects.dropped, name)) {
      dependents.push_back("a foreign key of " + name);
    }
  }
  return dependents.empty() ? Hits{} : Hits{{.on = joined(dependents)}};
}

Hits unlogged(Site const& site) {
  bool const makes =
      site.node.is("CreateStmt") && site.node["relation"].text("relpersistence") == "u";
  bool const sets = std::ranges::any_of(site.commands, [&](Command const& command) {
    return command.type == "AT_SetUnLogged" && !command.effects.rewrites.empty();
  });
  return makes || sets ? Hits{{.on = to_sql(site.name_of())}} : Hits{};
}

Hits create_over_existing(Site const& site) {
  bool const makes = site.node.is("CreateStmt") && site.node.flag("if_not_exists");
  auto const* there = makes ? site.table() : nullptr;
  if (there == nullptr) {
    return {};
  }
  std::vector<std::string> missing;
  for (auto const& column : site.columns) {
    auto const* old = there->column(column.name);
    if (old == nullptr || old->type.name != column.type) {
      missing.push_back(column.name);
    }
  }
  return missing.empty() ? Hits{}
                         : Hits{{.on = to_sql(there->name),
                                 .why = "the table is there already, so IF NOT EXISTS does "
                                        "nothing, and it differs in " +
                                        joined(missing)}};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "lock/rewrites-table",
      .severity = Severity::error,
      .title = "A whole table is written anew",
      .why = "nobody can read or write the table until all of it has been written anew",
      .fix = "make a new table, fill it by a backfill step, then swap the names",
      .like = "squawk prefer-repack, pgsafe",
      .weight = LintRule::Weight::by_size},
     rewrites},
    {{.id = "lock/detach-not-concurrent",
      .severity = Severity::warning,
      .title = "A partition is detached without CONCURRENTLY",
      .why = "DETACH PARTITION blocks every read and write of the whole partitioned table",
      .fix = "write DETACH PARTITION … CONCURRENTLY, in a step of its own (PostgreSQL 14 and "
             "later)",
      .like = "squawk require-concurrent-partition-detach"},
     detach},
    {{.id = "rollback/detach-leaves-check",
      .severity = Severity::note,
      .title = "A concurrent detach leaves a CHECK that its rollback does not take away",
      .why = "DETACH PARTITION … CONCURRENTLY leaves a CHECK with the partition's bounds",
      .fix = "let the rollback end with DROP CONSTRAINT"},
     detach_leaves_check},
    {{.id = "lock/attach-reads-partition",
      .severity = Severity::warning,
      .title = "A partition is attached whose rows nothing proves",
      .why = "ATTACH PARTITION reads all of the new partition while it is locked, unless a CHECK "
             "already proves the bounds and its indexes match",
      .fix = "in an earlier step add and validate a CHECK equal to the bounds",
      .like = "pgsafe",
      .weight = LintRule::Weight::by_size},
     attach},
    {{.id = "lock/reads-default-partition",
      .severity = Severity::error,
      .title = "A new partition makes the server read the default partition",
      .why = "it is locked against reads and writes and read from end to end, for rows that would "
             "belong into the new partition",
      .fix = "in an earlier step add and validate a CHECK on the default partition that excludes "
             "the new bounds",
      .weight = LintRule::Weight::by_size},
     reads_default},
    {{.id = "lock/create-partition-of",
      .severity = Severity::warning,
      .title = "A partition is made with CREATE TABLE … PARTITION OF",
      .why =
          "CREATE TABLE … PARTITION OF asks for ACCESS EXCLUSIVE on the partitioned table: every "
          "read and write of all its partitions queues behind it",
      .fix = "CREATE TABLE … (LIKE … INCLUDING ALL), then ALTER TABLE … ATTACH PARTITION, which "
             "lets reads and writes pass",
      .like = "pgsafe"},
     partition_of_table},
    {{.id = "lock/explicit-lock",
      .severity = Severity::warning,
      .title = "LOCK TABLE in a migration",
      .why = "the table is locked by hand until the transaction ends",
      .fix = "leave it out: each statement takes the lock that it needs"},
     explicit_lock},
    {{.id = "data/truncate",
      .severity = Severity::warning,
      .title = "TRUNCATE of a table that was there before",
      .why = "every row is gone for good, and nobody can read or write the table meanwhile",
      .fix = "delete what is not needed in small batches; or acknowledge that the rows may go",
      .like = "pgsafe, pg-migration-lint"},
     truncates},
    {{.id = "data/truncate-cascade",
      .severity = Severity::error,
      .title = "TRUNCATE … CASCADE",
      .why = "TRUNCATE … CASCADE also empties every table with a foreign key to it, named or not",
      .fix = "name each table that is to be emptied, without CASCADE",
      .like = "squawk ban-truncate-cascade"},
     truncate_cascade},
    {{.id = "data/drop-cascade",
      .severity = Severity::warning,
      .title = "DROP … CASCADE",
      .why = "CASCADE drops whatever depends on it as well, also what nobody has thought of",
      .fix = "drop each object that depends on it by name, without CASCADE",
      .like = "pg-migration-lint, safe-migrate"},
     drop_cascade},
    {{.id = "data/unlogged-table",
      .severity = Severity::warning,
      .title = "A table without write-ahead log",
      .why = "it is emptied after a crash of the server, and replicas and backups do not have its "
             "rows",
      .fix = "leave UNLOGGED out, unless the rows may be lost at any time",
      .like = "pg-migration-lint"},
     unlogged},
    {{.id = "data/create-does-nothing",
      .severity = Severity::warning,
      .title = "CREATE TABLE IF NOT EXISTS over another table of that name",
      .why = "the table is there already, so the statement does nothing, and it differs",
      .fix = "ALTER TABLE for what is missing",
      .like = "pg-migration-lint"},
     create_over_existing},
});

}  // namespace

std::span<StatementRule const> table_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
