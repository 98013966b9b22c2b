// SELECT, INSERT, UPDATE, DELETE, MERGE, COPY, and queries inside of other statements.
#include <algorithm>
#include <set>

#include "planner/effects_recorder.h"
#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using Names = std::vector<std::string>;

template <typename List, typename Item>
bool has(List const& list, Item const& item) {
  return std::ranges::find(list, item) != std::ranges::end(list);
}

bool overlap(Names const& one, Names const& other) {
  return std::ranges::any_of(one, [&](auto const& name) { return has(other, name); });
}

class Query {
 public:
  Query(Recorder& recorder, Node root, QueryUse use) : r_(recorder), root_(root), use_(use) {
    for (auto const node : pg::every(root)) {
      if (node.is("CommonTableExpr")) {
        common_.insert(node.text("ctename"));
      }
    }
  }

  void record() {
    visit(root_, false);
    for (auto const node : pg::every(root_)) {
      if (node.is("FuncCall") && runs()) {
        call(node);
      }
    }
  }

 private:
  void visit(Node node, bool inner);
  void select(Node statement, bool inner);
  void change(Node statement);
  void copy(Node statement);
  void read(Node variable, Node where, LockMode mode, bool certain);
  void read_table(Relation const& table, std::vector<Condition> const& known, LockMode mode,
                  bool certain);
  void target(Relation const& table, Node statement);
  void insert(Relation const& table, Node statement);
  void check_parents(Relation const& table, Names const& written, bool all);
  void check_children(Relation const& table, Names const& written, bool deletes);
  void run_triggers(Relation const& table);
  void call(Node node);
  // Whoever plans looks at the indexes.
  void lock(Relation const& relation, LockMode mode) {
    if (runs()) {
      r_.lock_with_indexes(relation, mode);
    } else {
      r_.lock(relation, mode);
    }
  }
  bool hidden(RelationName const& name) const {
    return name.schema.empty() && common_.contains(name.name);
  }
  std::vector<Node> variables(pg::Nodes from) const;

  Recorder& r_;
  Node root_;
  QueryUse use_;
  bool runs() const { return use_ != QueryUse::looks; }
  bool reads() const { return use_ == QueryUse::reads || use_ == QueryUse::reads_all; }
  std::set<std::string> common_;
  std::set<RelationName> checked_;  // whose foreign keys were followed
};

// The tables of a FROM list, without those of its subqueries.
std::vector<Node> Query::variables(pg::Nodes from) const {
  std::vector<Node> found;
  std::vector<Node> open(from.begin(), from.end());
  while (!open.empty()) {
    auto const node = open.back();
    open.pop_back();
    if (node.is("RangeVar")) {
      found.push_back(node);
    } else if (node.is("JoinExpr")) {
      open.push_back(node["larg"]);
      open.push_back(node["rarg"]);
    } else if (node.is("RangeTableSample")) {
      open.push_back(node["relation"]);
    }
  }
  return found;
}

void Query::visit(Node node, bool inner) {
  if (!node) {
    return;
  }
  bool const union_of = node.text("op").starts_with("SETOP_") && node.text("op") != "SETOP_NONE";
  bool const statement = node.is("SelectStmt") || (node.has("targetList") && node.has("op"));
  if (statement && union_of) {
    visit(node["larg"], true);
    visit(node["rarg"], true);
  } else if (statement) {
    select(node, inner);
  } else if (node.is("InsertStmt") || node.is("UpdateStmt") || node.is("DeleteStmt") ||
             node.is("MergeStmt")) {
    change(node);
  } else if (node.is("CopyStmt")) {
    copy(node);
  }
  node.each_child([&](std::string_view field, Node below) {
    bool const side = field == "larg" || field == "rarg";
    if (!(side && union_of)) {
      visit(below, true);
    }
  });
}

void Query::select(Node statement, bool inner) {
  auto const locking = statement.list("lockingClause");
  bool const limited = static_cast<bool>(statement["limitCount"]);
  auto const where = statement["whereClause"];
  // the outermost SELECT of a person may stop reading anywhere
  bool const top =
      !inner && use_ == QueryUse::reads && root_.is("SelectStmt") && !root_["intoClause"];
  for (auto const variable : variables(statement.list("fromClause"))) {
    auto const alias = variable["alias"].text("aliasname");
    auto const called = alias.empty() ? variable.text("relname") : alias;
    bool const locked = std::ranges::any_of(locking, [&](Node clause) {
      auto const of = clause.list("lockedRels");
      return of.empty() ||
             std::ranges::any_of(of, [&](Node n) { return n.text("relname") == called; });
    });
    read(variable, where, locked ? LockMode::row_share : LockMode::access_share, !top && !limited);
  }
}

void Query::read(Node variable, Node where, LockMode mode, bool certain) {
  auto const name = pg::name_of(variable);
  auto const* relation = hidden(name) ? nullptr : r_.relation(name);
  if (relation == nullptr) {
    return;
  }
  auto const known = where ? pg::expression_of(where, r_.catalog) : Expression{};
  bool const indexed = std::ranges::any_of(relation->indexes, [&](Index const& index) {
    return !index.columns.empty() && has(known.columns, index.columns.front());
  });
  if (!variable.flag("inh") || !runs()) {
    lock(*relation, mode);
    if (reads() && runs() && certain && !indexed) {
      r_.scan(*relation);
    } else if (reads() && runs()) {
      r_.maybe_scan(*relation);
    }
    return;
  }
  read_table(*relation, known.conditions, mode, certain && !indexed);
}

void Query::read_table(Relation const& table, std::vector<Condition> const& known, LockMode mode,
                       bool certain) {
  lock(table, mode);
  for (auto const& use : table.uses) {
    auto const* below = r_.catalog.find(use.relation);
    if (table.kind == RelationKind::view && below != nullptr) {
      read_table(*below, {}, mode, certain);
    }
  }
  if (reads() && certain) {
    r_.scan(table);
  } else if (reads()) {
    r_.maybe_scan(table);
  }
  auto const children = r_.catalog.children(table.name);
  auto rows = known;
  for (auto const& one : known) {
    rows.push_back({one.column, "is not null", ""});  // no comparison holds for NULL
  }
  bool const placed = std::ranges::any_of(children, [&](Relation const* child) {
    return child->partition && !child->bound.empty() && pg::implies(rows, child->bound);
  });
  for (auto const* child : children) {
    bool const elsewhere = child->default_partition && placed;
    if (!child->partition || (!elsewhere && !pg::excludes(known, child->bound))) {
      read_table(*child, known, mode, certain);
    }
  }
}

Names written_columns(Node statement) {
  Names columns;
  auto const list = statement.list(statement.is("InsertStmt") ? "cols" : "targetList");
  for (auto const target : list) {
    columns.push_back(target.text("name"));
  }
  return columns;
}

void Query::change(Node statement) {
  auto const variable = statement["relation"];
  auto const name = pg::name_of(variable);
  auto const* table = r_.relation(name);
  if (table == nullptr) {
    return;
  }
  if (statement.is("InsertStmt")) {
    insert(*table, statement);
  } else if (!runs()) {
    lock(*table, LockMode::row_exclusive);
  } else {
    auto const where =
        statement.is("MergeStmt") ? statement["joinCondition"] : statement["whereClause"];
    bool const joined = !statement.list("usingClause").empty() ||
                        !statement.list("fromClause").empty() || statement.is("MergeStmt");
    // rows that the source lacks are found by looking at all
    bool const all = std::ranges::any_of(statement.list("mergeWhenClauses"),
                                         [](Node clause) { return clause.flag("by_source"); });
    read(variable, all ? Node{} : where, LockMode::row_exclusive, all || !joined);
  }
  if (runs()) {
    target(*table, statement);
  }
  for (auto const* from : {"fromClause", "usingClause"}) {
    for (auto const other : variables(statement.list(from))) {
      read(other, statement["whereClause"], LockMode::access_share, true);
    }
  }
  if (statement.is("MergeStmt") && statement["sourceRelation"]) {
    for (auto const other : variables(pg::Nodes::of(statement["sourceRelation"]))) {
      read(other, Node{}, LockMode::access_share, true);
    }
  }
  if (statement.is("DeleteStmt") && !statement["whereClause"] &&
      statement.list("usingClause").empty()) {
    r_.loses("rows of " + to_sql(table->name), "all of them are gone; nothing brings them back");
  }
}

// The rows of VALUES whose place among the partitions is written there.
std::vector<std::vector<Condition>> literal_rows(Relation const& table, Node statement) {
  std::vector<std::vector<Condition>> rows;
  auto columns = written_columns(statement);
  if (columns.empty()) {
    for (auto const& column : table.columns) {
      columns.push_back(column.name);
    }
  }
  for (auto const list : statement["selectStmt"].list("valuesLists")) {
    std::vector<Condition> row;
    auto const values = list.list("items");
    for (std::size_t i = 0; i < std::min(columns.size(), values.size()); ++i) {
      if (auto const value = pg::literal(values[i])) {
        row.push_back({columns[i], "=", *value});
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void Query::insert(Relation const& table, Node statement) {
  lock(table, LockMode::row_exclusive);
  if (!runs() || table.kind != RelationKind::partitioned_table) {
    return;
  }
  auto const rows = literal_rows(table, statement);
  auto const& key = table.partition_key.columns;
  bool const placed = !rows.empty() && std::ranges::all_of(rows, [&](auto const& row) {
    return std::ranges::all_of(key, [&](auto const& column) {
      return std::ranges::any_of(row, [&](Condition const& c) { return c.column == column; });
    });
  });
  for (auto const* part : r_.catalog.descendants(table.name)) {
    bool const hit = !placed || std::ranges::any_of(rows, [&](auto const& row) {
      return !pg::excludes(row, part->bound) && !part->default_partition;
    });
    if (hit) {
      lock(*part, LockMode::row_exclusive);
    }
  }
}

void Query::copy(Node statement) {
  auto const variable = statement["relation"];
  if (!variable) {
    return;
  }
  auto const* table = r_.relation(variable);
  if (table == nullptr) {
    return;
  }
  if (statement.flag("is_from")) {
    lock(*table, LockMode::row_exclusive);
    check_parents(*table, {}, true);
    run_triggers(*table);
  } else {
    r_.lock(*table, LockMode::access_share);
    r_.scan(*table);
  }
}

// The view's tables, foreign keys and triggers of a change.
void Query::target(Relation const& table, Node statement) {
  if (table.kind == RelationKind::view) {
    for (auto const& use : table.uses) {
      if (auto const* below = r_.catalog.find(use.relation)) {
        lock(*below, LockMode::row_exclusive);
        target(*below, statement);
      }
    }
    return;
  }
  auto const written = written_columns(statement);
  bool const deletes = statement.is("DeleteStmt");
  bool const all = statement.is("MergeStmt") || (statement.is("InsertStmt") && written.empty());
  if (!deletes) {
    check_parents(table, written, all);
  }
  if (!statement.is("InsertStmt")) {
    check_children(table, written, deletes);
  }
  run_triggers(table);
  for (auto const& name : table.parents) {
    auto const* parent = r_.catalog.find(name);
    if (table.partition && parent != nullptr && (!deletes || r_.major < 14)) {
      r_.lock(*parent, LockMode::access_share);
    }
  }
}

void Query::check_parents(Relation const& table, Names const& written, bool all) {
  for (auto const& key : table.constraints) {
    if (key.kind == Constraint::Kind::foreign_key && (all || overlap(key.columns, written))) {
      if (auto const* other = r_.catalog.find(key.references)) {
        lock(*other, LockMode::row_share);
        if (other->kind == RelationKind::partitioned_table) {
          for (auto const* part : r_.catalog.descendants(other->name)) {
            lock(*part, LockMode::row_share);
          }
        }
        r_.maybe_scan(*other);
      }
    }
  }
}

void Query::check_children(Relation const& table, Names const& written, bool deletes) {
  if (!checked_.insert(table.name).second) {
    return;
  }
  for (auto const* child : r_.catalog.referencing(table.name)) {
    for (auto const& key : child->constraints) {
      if (key.references != table.name || !(deletes || overlap(key.referenced_columns, written))) {
        continue;
      }
      auto const action = deletes ? key.on_delete : key.on_update;
      bool const asks = action == 'a' || action == 'r';
      lock(*child, asks ? LockMode::row_share : LockMode::row_exclusive);
      r_.maybe_scan(*child);
      if (!asks && !deletes && action == 'c') {
        check_parents(*child, key.columns, false);
      }
      if (!asks) {
        check_children(*child, key.columns, deletes && action == 'c');
      }
    }
  }
}

void Query::run_triggers(Relation const& table) {
  for (auto const& trigger : table.triggers) {
    r_.opaque();
    r_.assume("what trigger " + quoted_identifier(trigger.name) + " of " + to_sql(table.name) +
              " does is told as far as its function's text shows it");
    for (auto const* function : r_.catalog.find_functions(trigger.function)) {
      effects_of_body(r_, function->body);
    }
  }
}

void Query::call(Node node) {
  for (auto const* function : r_.catalog.find_functions(pg::name_of(node.list("funcname")))) {
    if (function->volatile_result && !function->body.empty()) {
      r_.opaque();
      effects_of_body(r_, function->body);
    }
  }
}

}  // namespace

void record_query(Recorder& recorder, Node query, QueryUse use) {
  Query(recorder, query, use).record();
}

void effects_of_query(Recorder& recorder, Node statement) {
  record_query(recorder, statement, QueryUse::reads);
}

}  // namespace runbookd::planner
