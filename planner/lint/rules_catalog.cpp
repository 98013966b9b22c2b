// What a known schema or server version says: that a statement will fail, or do something else.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

bool there(Site const& site, RelationName const& name) {
  return site.before.find(name) != nullptr || site.before.find_index(name);
}

Hits no_such_table(Site const& site) {
  bool const names_one =
      (site.node.is("AlterTableStmt") || site.node.is("RenameStmt") || site.node.is("IndexStmt") ||
       site.node.is("TruncateStmt") || site.node.is("UpdateStmt") || site.node.is("DeleteStmt") ||
       site.node.is("InsertStmt") || site.node.is("CreateTrigStmt") ||
       site.node.is("AlterSeqStmt")) &&
      !site.node.flag("missing_ok");
  if (!names_one || !site.before.complete) {
    return {};
  }
  std::vector<RelationName> names;
  if (site.node.is("TruncateStmt")) {
    for (auto const one : site.node.list("relations")) {
      names.push_back({one.text("schemaname"), one.text("relname")});
    }
  } else if (site.node.is("AlterSeqStmt")) {
    names.push_back(pg::name_of(site.node["sequence"]));
  } else if (site.node.has("relation")) {
    auto const object = site.node.text("objtype");
    if (object == "OBJECT_TYPE" || site.node.text("renameType") == "OBJECT_ATTRIBUTE") {
      return {};
    }
    names.push_back(site.name_of());
  }
  for (auto const& name : names) {
    bool const servers_own = name.schema == "pg_catalog" || name.schema == "information_schema" ||
                             name.name.starts_with("pg_");
    if (!name.empty() && !there(site, name) && !servers_own) {
      return {{.on = to_sql(name)}};
    }
  }
  return {};
}

Hits no_such_column(Site const& site) {
  auto const* table = site.table();
  if (table == nullptr || !site.before.complete || table->columns.empty()) {
    return {};
  }
  std::vector<std::string> made;
  for (auto const& command : site.commands) {
    bool const uses = command.type == "AT_DropColumn" || command.type == "AT_SetNotNull" ||
                      command.type == "AT_DropNotNull" || command.type == "AT_ColumnDefault" ||
                      command.type == "AT_AlterColumnType";
    if (command.type == "AT_AddColumn") {
      made.push_back(command.def.text("colname"));
    }
    if (uses && !command.node.flag("missing_ok") && table->column(command.name) == nullptr &&
        !holds(made, command.name)) {
      return {{.on = to_sql(table->name) + "." + quoted_identifier(command.name)}};
    }
  }
  if (site.node.is("IndexStmt")) {
    for (auto const part : site.node.list("indexParams")) {
      auto const name = part.text("name");
      if (!name.empty() && table->column(name) == nullptr) {
        return {{.on = to_sql(table->name) + "." + quoted_identifier(name)}};
      }
    }
  }
  if (site.node.is("RenameStmt") && site.node.text("renameType") == "OBJECT_COLUMN" &&
      table->column(site.node.text("subname")) == nullptr) {
    return {{.on = to_sql(table->name) + "." + quoted_identifier(site.node.text("subname"))}};
  }
  return {};
}

Hits already_there(Site const& site) {
  bool const temporary = site.node["relation"].text("relpersistence") == "t";
  if (site.node.is("CreateStmt") && !site.node.flag("if_not_exists") && !temporary &&
      site.table() != nullptr && !site.table()->temporary) {
    return {{.on = to_sql(site.table()->name)}};
  }
  auto const* table = site.table();
  if (site.node.is("IndexStmt") && !site.node.flag("if_not_exists") && table != nullptr &&
      !site.node.text("idxname").empty()) {
    auto const found = site.before.find_index({table->name.schema, site.node.text("idxname")});
    return found ? Hits{{.on = to_sql(found.index->name)}} : Hits{};
  }
  for (auto const& command : site.commands) {
    auto const name = command.def.text("colname");
    if (command.type == "AT_AddColumn" && !command.node.flag("missing_ok") && table != nullptr &&
        table->column(name) != nullptr) {
      return {{.on = to_sql(table->name) + "." + quoted_identifier(name)}};
    }
  }
  return {};
}

Hits refused_by_dependents(Site const& site) {
  for (auto const& sentence : site.effects.assumed) {
    if (sentence.starts_with("the server refuses this without CASCADE")) {
      return {{.why = sentence}};
    }
  }
  return {};
}

struct Novelty {
  int since;
  std::string_view what;  // of the program, or of the site
};

std::optional<Novelty> novelty(Site const& site) {
  auto const node = site.node;
  if (site.effects.since > 0) {
    return Novelty{site.effects.since, site.effects.since_words};
  }
  for (auto const& command : site.commands) {
    if (command.type == "AT_DetachPartition" && command.def.flag("concurrent")) {
      return Novelty{14, "DETACH PARTITION … CONCURRENTLY"};
    }
    if (command.type == "AT_DetachPartitionFinalize") {
      return Novelty{14, "DETACH PARTITION … FINALIZE"};
    }
    if (command.type == "AT_SetAccessMethod") {
      return Novelty{15, "SET ACCESS METHOD"};
    }
    if (command.type == "AT_SetCompression") {
      return Novelty{14, "SET COMPRESSION"};
    }
    if (command.def.flag("nulls_not_distinct")) {
      return Novelty{15, "NULLS NOT DISTINCT"};
    }
  }
  if (node.is("IndexStmt") && node.flag("nulls_not_distinct")) {
    return Novelty{15, "NULLS NOT DISTINCT"};
  }
  if (node.is("MergeStmt")) {
    return Novelty{15, "MERGE"};
  }
  if (node.is("ViewStmt")) {
    for (auto const option : node.list("options")) {
      if (option.text("defname") == "security_invoker") {
        return Novelty{15, "a view WITH (security_invoker)"};
      }
    }
  }
  bool const reindexes = node.is("ReindexStmt") && node.text("kind") == "REINDEX_OBJECT_TABLE";
  if (reindexes && site.table() != nullptr &&
      site.table()->kind == RelationKind::partitioned_table) {
    return Novelty{14, "REINDEX of a partitioned table"};
  }
  return std::nullopt;
}

Hits too_new(Site const& site) {
  auto const it = novelty(site);
  if (!it || site.major() >= it->since) {
    return {};
  }
  return {{.why = std::string(it->what) + " is there from PostgreSQL " + std::to_string(it->since) +
                  " on, and the server may be " + std::to_string(site.major())}};
}

// The server keeps what an index or a generated column holds, whatever the function says now.
Hits replaces_indexed_function(Site const& site) {
  if (!site.node.is("CreateFunctionStmt") || !site.node.flag("replace")) {
    return {};
  }
  auto const name = pg::name_of(site.node.list("funcname"));
  auto const found = site.before.find_functions(name);
  if (found.empty()) {
    return {};
  }
  auto const& full = found.front()->name;
  for (auto const& [table, relation] : site.before.relations()) {
    for (auto const& index : relation.indexes) {
      if (std::ranges::find(index.expression.functions, full) != index.expression.functions.end()) {
        return {{.on = to_sql(full) + "() stands in index " + to_sql(index.name)}};
      }
    }
  }
  return {};
}

Hits becomes_volatile(Site const& site) {
  if (!site.node.is("CreateFunctionStmt") || !site.node.flag("replace")) {
    return {};
  }
  auto const found = site.before.find_functions(pg::name_of(site.node.list("funcname")));
  bool volatile_now = true;
  for (auto const option : site.node.list("options")) {
    if (option.text("defname") == "volatility") {
      volatile_now = option["arg"].text("sval") == "volatile";
    }
  }
  bool const sql_body = site.node.has("sql_body");
  if (found.size() != 1 || found.front()->volatile_result || !volatile_now || sql_body ||
      found.front()->language == "sql") {
    return {};
  }
  return {{.on = to_sql(found.front()->name) + "()"}};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "sql/no-such-table",
      .severity = Severity::error,
      .title = "A table that is not in the schema",
      .why = "the schema that this is judged by has no such table, so the statement fails",
      .fix = "correct the name, or let it be judged by the schema as it is before this runs"},
     no_such_table},
    {{.id = "sql/no-such-column",
      .severity = Severity::error,
      .title = "A column that is not in the schema",
      .why = "the schema that this is judged by has no such column, so the statement fails",
      .fix = "correct the name, or let it be judged by the schema as it is before this runs"},
     no_such_column},
    {{.id = "sql/already-there",
      .severity = Severity::error,
      .title = "Something is made that is there already",
      .why = "it is there already, so the statement fails",
      .fix = "leave it out, or choose another name"},
     already_there},
    {{.id = "sql/refused-by-dependents",
      .severity = Severity::error,
      .title = "A DROP that something depends on",
      .why = "something depends on it, and the server refuses",
      .fix = "drop or change what depends on it first"},
     refused_by_dependents},
    {{.id = "version/not-in-this-server",
      .severity = Severity::error,
      .title = "A statement that the server's version does not know",
      .why = "the server does not know it and refuses",
      .fix = "say which server it is for: database: {version: …} in a plan, --server-version for "
             "SQL; or write it in the older way"},
     too_new},
    {{.id = "data/replaces-indexed-function",
      .severity = Severity::warning,
      .title = "A function in an index is replaced",
      .why = "the index keeps what the old function said, and finds the wrong rows if the new one "
             "says something else",
      .fix =
          "make a function of another name, an index with it, and drop the old index; or REINDEX "
          "CONCURRENTLY after this",
      .like = "safe-migrate"},
     replaces_indexed_function},
    {{.id = "break/function-becomes-volatile",
      .severity = Severity::warning,
      .title = "A function becomes VOLATILE",
      .why = "queries that used an index through it read whole tables from here on, and defaults "
             "with it rewrite tables",
      .fix = "write IMMUTABLE or STABLE as it was before",
      .like = "safe-migrate"},
     becomes_volatile},
});

}  // namespace

std::span<StatementRule const> catalog_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
