// Indexes: how they are built, dropped and rebuilt while people work.
#include <algorithm>
#include <array>
#include <set>

#include "planner/lint/site.h"
#include "planner/replay.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

bool concurrently(Node reindex) { return pg::option_set(reindex, "params", "concurrently", false); }

// A machine may add the word where the statement is free to stand outside a transaction.
std::vector<TextEdit> add_concurrently(Site const& site, std::string_view behind) {
  auto const edit = site.alone ? site.adding(behind, " CONCURRENTLY") : std::nullopt;
  return edit ? std::vector{*edit} : std::vector<TextEdit>{};
}

Hits create_index(Site const& site) {
  auto const node = site.node;
  if (!node.is("IndexStmt") || node.flag("concurrent") || site.is_new()) {
    return {};
  }
  auto const* table = site.table();
  bool const parent = table != nullptr && table->kind == RelationKind::partitioned_table;
  if (!node["relation"].flag("inh") && (parent || table == nullptr)) {
    return {};  // ON ONLY a parent: nothing is built
  }
  auto const tables = site.existing(site.effects.scans);
  if (tables.empty()) {
    return {};
  }
  return {{.why = "CREATE INDEX blocks every write to " + joined(tables) +
                  " until the whole index is built",
           .fix = parent ? "CREATE INDEX … ON ONLY the partitioned table, CREATE INDEX "
                           "CONCURRENTLY for each partition, then ALTER INDEX … ATTACH PARTITION"
                         : "",
           .tables = tables,
           .edits = parent ? std::vector<TextEdit>{} : add_concurrently(site, "INDEX")}};
}

Hits drop_index(Site const& site) {
  auto const node = site.node;
  if (!node.is("DropStmt") || node.text("removeType") != "OBJECT_INDEX" ||
      node.flag("concurrent")) {
    return {};
  }
  auto const objects = node.list("objects");
  bool const harmless = std::ranges::all_of(objects, [&](Node object) {
    auto const name = pg::name_of(object.list("items"));
    auto const found = site.before.find_index(name);
    return found ? site.known.is_new(found.table->name)
                 : site.before.complete && node.flag("missing_ok");
  });
  if (harmless) {
    return {};
  }
  bool const one = objects.size() == 1 && node.text("behavior") != "DROP_CASCADE";
  return {{.edits = one ? add_concurrently(site, "INDEX") : std::vector<TextEdit>{}}};
}

Hits reindex(Site const& site) {
  auto const kind = site.node.text("kind");
  bool const of_new = kind == "REINDEX_OBJECT_TABLE" && site.is_new();
  if (!site.node.is("ReindexStmt") || concurrently(site.node) || of_new ||
      kind == "REINDEX_OBJECT_SYSTEM") {
    return {};
  }
  return {{.tables = site.existing(site.effects.scans),
           .edits = add_concurrently(site, kind == "REINDEX_OBJECT_TABLE"    ? "TABLE"
                                           : kind == "REINDEX_OBJECT_INDEX"  ? "INDEX"
                                           : kind == "REINDEX_OBJECT_SCHEMA" ? "SCHEMA"
                                                                             : "DATABASE")}};
}

Hits reindex_partitioned(Site const& site) {
  if (!site.node.is("ReindexStmt") || !concurrently(site.node) ||
      site.node.text("kind") != "REINDEX_OBJECT_TABLE") {
    return {};
  }
  auto const* table = site.table();
  if (table != nullptr ? table->kind != RelationKind::partitioned_table : site.before.complete) {
    return {};
  }
  auto const name = site.name_of().name;
  return {{.why = (table != nullptr ? "" : "where " + name + " is partitioned, ") +
                  "REINDEX TABLE CONCURRENTLY takes the partitions one by one, and waits for the "
                  "lock of each without a limit"}};
}

Hits concurrent_on_partitioned(Site const& site) {
  auto const* table = site.table();
  bool const fails = site.node.is("IndexStmt") && site.node.flag("concurrent") &&
                     table != nullptr && table->kind == RelationKind::partitioned_table;
  return fails ? Hits{{.on = to_sql(table->name)}} : Hits{};
}

Hits if_not_exists_concurrently(Site const& site) {
  auto const node = site.node;
  auto const name = node.text("idxname");
  if (!node.is("IndexStmt") || !node.flag("concurrent") || !node.flag("if_not_exists") ||
      holds(site.known.dropped_indexes, name)) {
    return {};
  }
  auto const found = site.before.find_index({site.name_of().schema, name});
  if (found ? found.index->valid : site.before.complete) {
    return {};
  }
  return {
      {.on = "index " + name, .severity = found ? std::optional(Severity::error) : std::nullopt}};
}

Hits many_columns(Site const& site) {
  constexpr std::size_t most = 3;
  auto const columns = site.node.list("indexParams").size();
  if (!site.node.is("IndexStmt") || site.node.flag("unique") || columns <= most) {
    return {};
  }
  return {{.why = "an index over " + std::to_string(columns) +
                  " columns is large, is written with every change of any of them, and seldom "
                  "helps more than one over the first three"}};
}

Hits column_twice(Site const& site) {
  if (!site.node.is("IndexStmt")) {
    return {};
  }
  std::set<std::string> seen;
  for (auto const* list : {"indexParams", "indexIncludingParams"}) {
    for (auto const part : site.node.list(list)) {
      auto const name = part.text("name");
      if (!name.empty() && part.list("opclass").empty() && !seen.insert(name).second) {
        return {{.on = "column " + name}};
      }
    }
  }
  return {};
}

Hits same_index(Site const& site) {
  auto const* table = site.node.is("IndexStmt") ? site.table() : nullptr;
  if (table == nullptr || site.node.list("indexParams").empty()) {
    return {};
  }
  bool const ordered = std::ranges::any_of(site.node.list("indexParams"), [](Node part) {
    auto const order = part.text("ordering"), nulls = part.text("nulls_ordering");
    return order == "SORTBY_DESC" || nulls == "SORTBY_NULLS_FIRST";
  });
  if (ordered) {
    return {};  // the catalog does not know the order of the others
  }
  auto const made = index_of(site.before, *table, site.node);
  for (auto const& index : table->indexes) {
    bool const same = index.columns == made.columns && index.definition == made.definition &&
                      index.method == made.method && index.unique == made.unique;
    if (same && index.valid && index.name.name != site.node.text("idxname")) {
      return {{.on = to_sql(index.name)}};
    }
  }
  return {};
}

Hits broken_release(Site const& site) {
  bool const builds = (site.node.is("IndexStmt") && site.node.flag("concurrent")) ||
                      (site.node.is("ReindexStmt") && concurrently(site.node));
  bool const broken =
      site.major() == 14 && site.options.server_minor >= 0 && site.options.server_minor <= 3;
  return builds && broken ? Hits{{}} : Hits{};
}

Hits refresh(Site const& site) {
  auto const node = site.node;
  if (!node.is("RefreshMatViewStmt") || node.flag("concurrent") || site.is_new()) {
    return {};
  }
  auto const* view = site.table();
  return view != nullptr && !view->populated
             ? Hits{}
             : Hits{{.on = to_sql(site.name_of()), .tables = {to_sql(site.name_of())}}};
}

Hits refresh_without_key(Site const& site) {
  auto const* view = site.node.is("RefreshMatViewStmt") ? site.table() : nullptr;
  if (view == nullptr || !site.node.flag("concurrent")) {
    return {};
  }
  bool const key = std::ranges::any_of(view->indexes, [](Index const& index) {
    return index.unique && index.valid && index.expression.columns.empty() &&
           index.expression.conditions.empty();
  });
  return key ? Hits{} : Hits{{.on = to_sql(view->name)}};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "lock/create-index-not-concurrent",
      .severity = Severity::error,
      .title = "An index is built on a table in use without CONCURRENTLY",
      .why = "CREATE INDEX blocks every write to the table until the whole index is built",
      .fix = "write CREATE INDEX CONCURRENTLY, in a step of its own",
      .like = "squawk require-concurrent-index-creation, strong_migrations, eugene E6, Atlas PG101",
      .weight = LintRule::Weight::by_size},
     create_index},
    {{.id = "lock/drop-index-not-concurrent",
      .severity = Severity::warning,
      .title = "An index is dropped without CONCURRENTLY",
      .why = "DROP INDEX waits for a lock on its table, and every read and write of the table "
             "queues behind it",
      .fix = "write DROP INDEX CONCURRENTLY, in a step of its own",
      .like = "squawk require-concurrent-index-deletion, strong_migrations, Atlas PG102"},
     drop_index},
    {{.id = "lock/reindex-not-concurrent",
      .severity = Severity::error,
      .title = "An index is rebuilt without CONCURRENTLY",
      .why = "REINDEX blocks every write to the table until the index is rebuilt, and every read "
             "that would use it",
      .fix = "write REINDEX … CONCURRENTLY, in a step of its own",
      .like = "squawk require-concurrent-reindex",
      .weight = LintRule::Weight::by_size},
     reindex},
    {{.id = "lock/reindex-partitioned-waits",
      .severity = Severity::note,
      .title = "A partitioned table is reindexed as a whole",
      .why = "REINDEX TABLE CONCURRENTLY of a partitioned table waits for the lock of each "
             "partition without a limit",
      .fix = "for a partitioned table write REINDEX TABLE CONCURRENTLY for each partition, in "
             "steps of their own"},
     reindex_partitioned},
    {{.id = "index/concurrent-on-partitioned",
      .severity = Severity::error,
      .title = "CREATE INDEX CONCURRENTLY on a partitioned table",
      .why = "the server refuses to build an index of a partitioned table concurrently",
      .fix = "CREATE INDEX … ON ONLY the partitioned table, CREATE INDEX CONCURRENTLY for each "
             "partition, then ALTER INDEX … ATTACH PARTITION for each"},
     concurrent_on_partitioned},
    {{.id = "index/if-not-exists-keeps-invalid",
      .severity = Severity::warning,
      .title = "IF NOT EXISTS over an index that may be invalid",
      .why = "a concurrent build that was broken off leaves an invalid index of this name; with IF "
             "NOT EXISTS the next try succeeds and the index stays unusable",
      .fix = "leave IF NOT EXISTS out, and drop what is left first: DROP INDEX CONCURRENTLY IF "
             "EXISTS"},
     if_not_exists_concurrently},
    {{.id = "index/many-columns",
      .severity = Severity::note,
      .title = "An index over more than three columns",
      .why = "each column makes the index larger and its upkeep dearer",
      .fix = "index the columns that tell rows apart; let INCLUDE carry what is only read",
      .like = "strong_migrations"},
     many_columns},
    {{.id = "index/column-twice",
      .severity = Severity::warning,
      .title = "A column stands twice in one index",
      .why = "it stands twice in the index, which only makes it larger",
      .fix = "name it once",
      .like = "Bytebase"},
     column_twice},
    {{.id = "index/same-as-another",
      .severity = Severity::warning,
      .title = "An index that is there already, by another name",
      .why = "it indexes the same; a second one costs time with every write and helps no query",
      .fix = "leave it out",
      .like = "Bytebase"},
     same_index},
    {{.id = "index/release-corrupts",
      .severity = Severity::error,
      .title = "A concurrent build on PostgreSQL 14.0 to 14.3",
      .why = "PostgreSQL 14.0 to 14.3 can leave rows out of an index that is built concurrently",
      .fix = "update the server to 14.4 or later first",
      .like = "strong_migrations"},
     broken_release},
    {{.id = "lock/refresh-not-concurrent",
      .severity = Severity::warning,
      .title = "A materialized view is refreshed without CONCURRENTLY",
      .why = "nobody can read the view until its query has run to its end",
      .fix = "REFRESH MATERIALIZED VIEW CONCURRENTLY; the view needs a unique index over columns",
      .like = "pgsafe",
      .weight = LintRule::Weight::by_size},
     refresh},
    {{.id = "index/refresh-needs-unique",
      .severity = Severity::error,
      .title = "REFRESH … CONCURRENTLY of a view without a unique index",
      .why = "it has no unique index over plain columns without WHERE, so the server refuses to "
             "refresh it concurrently",
      .fix = "CREATE UNIQUE INDEX on the view first"},
     refresh_without_key},
});

}  // namespace

std::span<StatementRule const> index_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
