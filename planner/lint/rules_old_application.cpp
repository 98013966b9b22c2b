// What the application of yesterday trips over. In a contract phase that is the point, so nothing
// is said there.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

bool renames(Site const& site, std::initializer_list<std::string_view> kinds) {
  return site.node.is("RenameStmt") && !site.takes_away() &&
         std::ranges::find(kinds, site.node.text("renameType")) != kinds.end();
}

// A table or view that was made just now has no readers yet.
Hits renames_table(Site const& site) {
  bool const it =
      renames(site, {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"});
  auto const name = site.name_of();
  bool const private_one = site.table() != nullptr && site.table()->temporary;
  return it && !site.is_new() && !private_one && !site.before.find_index(name)
             ? Hits{{.on = to_sql(name)}}
             : Hits{};
}

Hits renames_column(Site const& site) {
  bool const it = renames(site, {"OBJECT_COLUMN", "OBJECT_ATTRIBUTE"});
  return it && !site.is_new() ? Hits{{.on = to_sql(site.name_of()) + "." +
                                            quoted_identifier(site.node.text("subname"))}}
                              : Hits{};
}

Hits renames_other(Site const& site) {
  bool const schema = renames(site, {"OBJECT_SCHEMA"});
  bool const type = renames(site, {"OBJECT_TYPE", "OBJECT_DOMAIN"});
  bool const function = renames(site, {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE"});
  bool const label =
      site.node.is("AlterEnumStmt") && !site.node.text("oldVal").empty() && !site.takes_away();
  if (!schema && !type && !function && !label) {
    return {};
  }
  return {{.on = schema  ? "schema " + site.node.text("subname")
                 : label ? "value '" + site.node.text("oldVal") + "'"
                 : type  ? "a type"
                         : "a function"}};
}

Hits drops_column(Site const& site) {
  Hits hits;
  auto const* table = site.table();
  for (auto const& command : site.commands) {
    bool const absent = table != nullptr && table->column(command.name) == nullptr &&
                        command.node.flag("missing_ok");
    if (command.type == "AT_DropColumn" && !site.takes_away() && !site.is_new() && !absent) {
      hits.push_back({.on = to_sql(site.name_of()) + "." + quoted_identifier(command.name)});
    }
  }
  return hits;
}

Hits drops_not_null(Site const& site) {
  Hits hits;
  for (auto const& command : site.commands) {
    if (command.type == "AT_DropNotNull" && !site.takes_away() && !site.is_new()) {
      hits.push_back({.on = "column " + command.name});
    }
  }
  return hits;
}

Hits moves_schema(Site const& site) {
  bool const moves = site.node.is("AlterObjectSchemaStmt") && !site.takes_away();
  bool const table = site.node.has("relation");
  return moves && table && !site.is_new() ? Hits{{.on = to_sql(site.name_of())}} : Hits{};
}

Hits drops_view(Site const& site) {
  auto const kind = site.node.text("removeType");
  if (!site.node.is("DropStmt") || site.takes_away() ||
      (kind != "OBJECT_VIEW" && kind != "OBJECT_MATVIEW")) {
    return {};
  }
  std::vector<std::string> names;
  for (auto const object : site.node.list("objects")) {
    auto const name = pg::name_of(object.list("items"));
    bool const absent = site.before.complete && site.before.find(name) == nullptr;
    if (!absent && !site.known.is_new(name)) {
      names.push_back(to_sql(name));
    }
  }
  return names.empty() ? Hits{} : Hits{{.on = joined(names)}};
}

Hits drops_routine(Site const& site) {
  auto const kind = site.node.text("removeType");
  constexpr std::string_view kinds[] = {"OBJECT_FUNCTION",  "OBJECT_PROCEDURE", "OBJECT_ROUTINE",
                                        "OBJECT_AGGREGATE", "OBJECT_TYPE",      "OBJECT_DOMAIN"};
  bool const drops = site.node.is("DropStmt") && holds(kinds, kind) && !site.takes_away();
  return drops ? Hits{{.on = "the " + pg::object_words(kind)}} : Hits{};
}

Hits changes_published(Site const& site) {
  auto const* table = site.table();
  bool const shape =
      (site.node.is("RenameStmt") && site.node.text("renameType") == "OBJECT_COLUMN") ||
      std::ranges::any_of(site.commands, [](Command const& command) {
        return command.type == "AT_AddColumn" || command.type == "AT_DropColumn" ||
               command.type == "AT_AlterColumnType";
      });
  if (table == nullptr || !shape || site.is_new()) {
    return {};
  }
  for (auto const& [publication, tables] : site.before.publications) {
    if (std::ranges::find(tables, table->name) != tables.end()) {
      return {{.on = to_sql(table->name) + " is in publication " + publication}};
    }
  }
  return {};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "break/rename-table",
      .severity = Severity::warning,
      .title = "A table or view in use is renamed",
      .why = "statements of the running application that use the old name fail from here on",
      .fix = "leave a view of the old name in the same transaction, and drop it in the contract "
             "phase",
      .like = "squawk renaming-table, strong_migrations, Atlas BC101"},
     renames_table},
    {{.id = "break/rename-column",
      .severity = Severity::warning,
      .title = "A column in use is renamed",
      .why = "statements of the running application that use the old name fail from here on",
      .fix = "add a column of the new name, write both, backfill it, switch readers over, and drop "
             "the old one in the contract phase",
      .like = "squawk renaming-column, strong_migrations, Atlas BC102"},
     renames_column},
    {{.id = "break/rename-other",
      .severity = Severity::warning,
      .title = "A schema, type, function or value of an enumeration is renamed",
      .why = "statements of the running application that use the old name fail from here on",
      .fix = "make the new one beside it, switch over, and drop the old one in the contract phase",
      .like = "strong_migrations"},
     renames_other},
    {{.id = "break/drop-column",
      .severity = Severity::warning,
      .title = "A column is dropped while the application may use it",
      .why = "statements of the running application that name it fail, and its values are gone: a "
             "rollback can add it again, but without them",
      .fix = "drop it in the contract phase of a plan, when nothing reads or writes it any longer",
      .like = "squawk ban-drop-column, strong_migrations, Atlas DS103"},
     drops_column},
    {{.id = "break/drop-not-null",
      .severity = Severity::note,
      .title = "NOT NULL is taken away",
      .why = "readers of the running application may meet a NULL where there never was one, and "
             "the way back is a full check",
      .fix = "deploy readers that can bear NULL first",
      .like = "squawk ban-drop-not-null"},
     drops_not_null},
    {{.id = "break/moves-schema",
      .severity = Severity::warning,
      .title = "A table or view in use is moved to another schema",
      .why = "statements of the running application that use the old name fail from here on",
      .fix = "leave a view of the old name in the same transaction, and drop it in the contract "
             "phase"},
     moves_schema},
    {{.id = "break/drop-view",
      .severity = Severity::warning,
      .title = "A view is dropped while the application may read it",
      .why = "statements of the running application that read it fail from here on",
      .fix = "drop it in the contract phase; to change it, write CREATE OR REPLACE VIEW, or drop "
             "and make it in one transaction"},
     drops_view},
    {{.id = "break/drop-routine",
      .severity = Severity::warning,
      .title = "A function or type is dropped while the application may use it",
      .why = "statements of the running application that use it fail from here on",
      .fix = "drop it in the contract phase"},
     drops_routine},
    {{.id = "break/published-table",
      .severity = Severity::warning,
      .title = "The columns of a published table are changed",
      .why = "logical replication does not carry schema changes: the subscriber stops as soon as a "
             "row of the new shape reaches it",
      .fix = "add columns at the subscribers first, and drop them there last"},
     changes_published},
});

}  // namespace

std::span<StatementRule const> old_application_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
