// Rows: what changes too many of them at once, or loses them.
#include <algorithm>
#include <array>
#include <set>

#include "planner/lint/site.h"
#include "planner/size.h"
#include "planner/sql_body.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

constexpr std::int64_t many_rows = 100'000;

Hits loop_in_block(Site const& site) {
  for (auto const& inner : pg::body_statements(pg::do_body(site.node))) {
    if (inner.in_loop && inner.changes_rows()) {
      return {{.why = "a loop in a DO block is one transaction however small its batches are: "
                      "every row stays locked until the end, and a failure undoes all of it",
               .fix = "use a backfill step: one transaction per batch, with pause, resume and "
                      "progress",
               .severity = Severity::warning}};
    }
  }
  return {};
}

bool same_operands(Node left, Node right) {
  if (left.is("ColumnRef") && right.is("ColumnRef")) {
    return pg::names(left.list("fields")) == pg::names(right.list("fields"));
  }
  auto const one = pg::literal(left);
  return one && one == pg::literal(right);
}

// Leaves no row out, but for what a NULL may do: true, 1 = 1, id = id, id IS NOT NULL of a key.
bool is_true(Node condition, Relation const* table) {
  auto const holds = [table](Node part) { return is_true(part, table); };
  if (condition.is("BoolExpr")) {
    auto const parts = condition.list("args");
    auto const type = condition.word("boolop");
    return type == "AND_EXPR"  ? std::ranges::all_of(parts, holds)
           : type == "OR_EXPR" ? std::ranges::any_of(parts, holds)
                               : false;
  }
  if (condition.is("NullTest") && condition.word("nulltesttype") == "IS_NOT_NULL") {
    auto const name = pg::names(condition["arg"].list("fields"));
    auto const* column = table == nullptr || name.empty() ? nullptr : table->column(name.back());
    return column != nullptr && column->not_null;
  }
  if (condition.is("A_Expr") && condition.word("kind") == "AEXPR_OP" &&
      pg::names(condition.list("name")) == std::vector<std::string>{"="}) {
    return same_operands(condition["lexpr"], condition["rexpr"]);
  }
  return condition.is("A_Const") && condition["boolval"].flag("boolval");
}

Hits without_where(Site const& site) {
  if (site.node.is("DoStmt")) {
    return loop_in_block(site);
  }
  bool const change = site.node.is("UpdateStmt") || site.node.is("DeleteStmt");
  auto const condition = site.node["whereClause"];
  auto const* table = site.table();
  bool const all = !condition || is_true(condition, table);
  if (!change || !all || site.is_new()) {
    return {};
  }
  return {
      {.why = pg::kind_of(site.node) +
              (condition ? " whose WHERE leaves no row out" : " without WHERE") +
              " locks every row of " + site.name_of().name +
              " until it commits, and leaves a dead copy of each",
       .tables = table == nullptr ? std::vector<std::string>{} : std::vector{to_sql(table->name)}}};
}

// One row at most: every column of some unique index is compared with =.
bool by_key(Relation const& table, Node condition, Catalog const& catalog) {
  auto const conditions = pg::expression_of(condition, catalog).conditions;
  auto const fixed = [&](std::string const& column) {
    return std::ranges::any_of(conditions, [&](Condition const& one) {
      return one.column == column && (one.op == "=" || one.op == "in");
    });
  };
  return std::ranges::any_of(table.indexes, [&](Index const& index) {
    return index.unique && !index.columns.empty() && std::ranges::all_of(index.columns, fixed);
  });
}

Hits many(Site const& site) {
  auto const* table = site.table();
  bool const change = site.node.is("UpdateStmt") || site.node.is("DeleteStmt");
  auto const condition = site.node["whereClause"];
  if (!change || table == nullptr || !condition || is_true(condition, table) || site.is_new() ||
      table->rows < many_rows || by_key(*table, condition, site.before)) {
    return {};
  }
  return {{.on = to_sql(table->name) + ", about " + grouped(table->rows) + " rows"}};
}

Hits copies(Site const& site) {
  bool const copy = (site.node.is("InsertStmt") && site.node.has("selectStmt")) ||
                    site.node.is("CreateTableAsStmt");
  if (!copy) {
    return {};
  }
  for (auto const& name : site.existing(site.effects.scans)) {
    auto const lock = std::ranges::find(site.effects.locks, name, &RelationLock::name);
    if (lock != site.effects.locks.end() && lock->rows >= many_rows) {
      return {{.on = name + ", about " + grouped(lock->rows) + " rows"}};
    }
  }
  return {};
}

Hits without_columns(Site const& site) {
  bool const bare = site.node.is("InsertStmt") && site.node.list("cols").empty() &&
                    site.node.has("selectStmt") && !site.is_new();
  return bare ? Hits{{.on = to_sql(site.name_of())}} : Hits{};
}

Hits assigned_twice(Site const& site) {
  if (!site.node.is("UpdateStmt") && !site.node.is("InsertStmt")) {
    return {};
  }
  std::set<std::string> seen;
  for (auto const target : site.node.list(site.node.is("UpdateStmt") ? "targetList" : "cols")) {
    auto const name = target.text("name");
    if (target.list("indirection").empty() && !seen.insert(name).second) {
      return {{.on = "column " + name, .offset = site.location(target)}};
    }
  }
  return {};
}

Hits restarts_sequence(Site const& site) {
  bool restart = site.node.is("TruncateStmt") && site.node.flag("restart_seqs") &&
                 !site.existing(site.effects.emptied).empty();
  if (site.node.is("AlterSeqStmt")) {
    restart = std::ranges::any_of(site.node.list("options"),
                                  [](Node option) { return option.text("defname") == "restart"; });
    auto const name = site.name_of("sequence");
    restart = restart && !site.known.is_new(name);
  }
  return restart ? Hits{{}} : Hits{};
}

Hits drops_schema(Site const& site) {
  bool const schema = site.node.is("DropStmt") && site.node.text("removeType") == "OBJECT_SCHEMA";
  if (schema && site.before.complete && site.effects.dropped.empty() &&
      site.effects.destructive.empty()) {
    return {};  // an empty one, or none
  }
  bool const cascade = site.node.text("behavior") == "DROP_CASCADE";
  return schema ? Hits{{.severity = cascade ? std::nullopt : std::optional(Severity::note)}}
                : Hits{};
}

Hits drops_database(Site const& site) {
  return site.node.is("DropdbStmt") ? Hits{{.on = site.node.text("dbname")}} : Hits{};
}

Hits drops_extension(Site const& site) {
  return site.node.is("DropStmt") && site.node.text("removeType") == "OBJECT_EXTENSION" ? Hits{{}}
                                                                                        : Hits{};
}

Hits drops_table(Site const& site) {
  if (!site.node.is("DropStmt") || site.node.text("removeType") != "OBJECT_TABLE" ||
      site.takes_away()) {
    return {};
  }
  std::vector<std::string> names;
  for (auto const object : site.node.list("objects")) {
    auto const path = pg::names(object.list("items"));
    RelationName const name{path.size() > 1 ? path[path.size() - 2] : "", path.back()};
    auto const* table = site.before.find(name);
    bool const absent = site.before.complete && table == nullptr;
    bool const private_one = table != nullptr && table->temporary;
    if (!absent && !private_one && !site.known.is_new(name)) {
      names.push_back(to_sql(name));
    }
  }
  return names.empty() ? Hits{} : Hits{{.on = joined(names)}};
}

// The body as the server will see it: what EXECUTE runs is made of strings.
Hits dynamic(Site const& site) {
  auto const body = pg::do_body(site.node);
  if (body.empty()) {
    return {};
  }
  for (auto const& token : pg::scan(body)) {
    if (!token.comment && pg::same_word(token.in(body), "EXECUTE")) {
      return {{}};
    }
  }
  return {};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "data/update-without-backfill",
      .severity = Severity::error,
      .title = "Every row of a table is changed in one transaction",
      .why = "every row stays locked until it commits, and a dead copy of each is left",
      .fix = "use a backfill step: small batches, one transaction each",
      .like = "strong_migrations, Bytebase",
      .weight = LintRule::Weight::by_size},
     without_where},
    {{.id = "data/many-rows-at-once",
      .severity = Severity::warning,
      .title = "UPDATE or DELETE of an unknown part of a large table",
      .why = "it may change many rows in one transaction: they stay locked until it commits, and a "
             "dead copy of each is left",
      .fix = "use a backfill step: small batches, one transaction each",
      .like = "Bytebase"},
     many},
    {{.id = "data/copies-large-table",
      .severity = Severity::warning,
      .title = "A large table is copied in one statement",
      .why =
          "its snapshot holds up VACUUM for as long as it runs, all is written at once, and what "
          "the application changes meanwhile is not in the copy",
      .fix =
          "make the table empty, keep it up to date by a trigger, and fill it by a backfill step",
      .like = "Bytebase"},
     copies},
    {{.id = "data/insert-without-columns",
      .severity = Severity::note,
      .title = "INSERT without a list of columns",
      .why = "it fails, or fills the wrong column, as soon as the table has one more",
      .fix = "name the columns",
      .like = "Bytebase"},
     without_columns},
    {{.id = "sql/column-assigned-twice",
      .severity = Severity::error,
      .title = "A column is assigned twice",
      .why = "the server refuses several assignments to one column",
      .fix = "assign it once",
      .like = "squawk ban-duplicate-column-assignments"},
     assigned_twice},
    {{.id = "data/restarts-sequence",
      .severity = Severity::warning,
      .title = "A sequence starts again",
      .why = "it gives out numbers that it has given before; other tables, caches and logs may "
             "still refer to them",
      .fix = "leave the sequence where it is"},
     restarts_sequence},
    {{.id = "data/drop-schema",
      .severity = Severity::error,
      .title = "A schema is dropped with all that is in it",
      .why = "everything in it goes, and a rollback can bring none of the rows back",
      .fix = "drop what is in it by name, and then the empty schema without CASCADE",
      .like = "Atlas DS101, pgsafe"},
     drops_schema},
    {{.id = "data/drop-database",
      .severity = Severity::error,
      .title = "A database is dropped",
      .why = "everything in it is gone for good",
      .fix = "leave it to a person with a backup",
      .like = "squawk ban-drop-database"},
     drops_database},
    {{.id = "data/drop-extension",
      .severity = Severity::warning,
      .title = "An extension is dropped",
      .why = "its types, functions and operators go with it, and columns and indexes that use them "
             "with CASCADE",
      .fix = "move what uses it first, in steps of their own"},
     drops_extension},
    {{.id = "data/drop-table",
      .severity = Severity::warning,
      .title = "A table is dropped",
      .why = "its rows are gone: a rollback can make it again, but empty; and what still names it "
             "fails",
      .fix = "drop it in the contract phase of a plan, when nothing reads it any longer",
      .like = "squawk ban-drop-table, Atlas DS102"},
     drops_table},
    {{.id = "sql/dynamic",
      .severity = Severity::note,
      .title = "Dynamic SQL in a DO block",
      .why = "what EXECUTE runs is put together when it runs, so nobody can judge it before",
      .fix = "write the statements out",
      .like = "strong_migrations (execute), safe-migrate"},
     dynamic},
});

}  // namespace

std::span<StatementRule const> data_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
