#include "daemon/target/catalog.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "daemon/target/catalog_sql.h"
#include "planner/catalog_text.h"

namespace runbookd::daemon {
namespace {

using namespace planner;

constexpr char between = '\x1f', entries = '\x1e';

std::vector<std::string> split(std::string const& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size() && !text.empty();) {
    auto const end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

class Row {
 public:
  explicit Row(std::vector<Cell> const& cells) : cells_(cells) {}
  std::string text(std::size_t i) const { return cells_[i].value_or(""); }
  bool null(std::size_t i) const { return !cells_[i].has_value(); }
  bool flag(std::size_t i) const { return cells_[i] == "t"; }
  char letter(std::size_t i) const { return text(i).empty() ? '\0' : text(i).front(); }
  std::int64_t number(std::size_t i, std::int64_t missing = -1) const {
    return known_number_in(cells_[i]).value_or(missing);
  }
  std::vector<std::string> list(std::size_t i) const { return split(text(i), between); }

 private:
  std::vector<Cell> const& cells_;
};

RelationKind kind_of(char relkind) {
  switch (relkind) {
    case 'p':
      return RelationKind::partitioned_table;
    case 'v':
      return RelationKind::view;
    case 'm':
      return RelationKind::materialized_view;
    case 'f':
      return RelationKind::foreign_table;
    case 'S':
      return RelationKind::sequence;
    default:
      return RelationKind::table;
  }
}

Constraint::Kind constraint_kind(char contype) {
  switch (contype) {
    case 'f':
      return Constraint::Kind::foreign_key;
    case 'p':
      return Constraint::Kind::primary_key;
    case 'u':
      return Constraint::Kind::unique;
    case 'x':
      return Constraint::Kind::exclusion;
    case 'n':
      return Constraint::Kind::not_null;
    default:
      return Constraint::Kind::check;
  }
}

RelationName dotted(std::string const& text) {
  auto const dot = text.find('.');
  return {text.substr(0, dot), text.substr(dot + 1)};
}

// Newer servers open a relation to write its expressions out.
constexpr std::string_view limits = "SET LOCAL lock_timeout = '1s'; SET LOCAL jit = off; ";

// Everything at once would be one message of a dozen answers, of which a session gives the last.
class Reader {
 public:
  explicit Reader(Session& session) : session_(session) {}

  SqlResult<Catalog> read() {
    catalog_.complete = true;
    each(catalog_sql::session, &Reader::session_facts);
    each(catalog_sql::types, &Reader::type);
    each(catalog_sql::attributes, &Reader::attribute);
    each(catalog_sql::functions, &Reader::function);
    each(catalog_sql::members, &Reader::member);
    each(catalog_sql::relations(session_.server_version()).c_str(), &Reader::relation);
    relate();
    each(catalog_sql::columns().c_str(), &Reader::column);
    each(catalog_sql::constraints(session_.server_version()).c_str(), &Reader::constraint);
    each(catalog_sql::indexes().c_str(), &Reader::index);
    each(catalog_sql::triggers, &Reader::trigger);
    each(catalog_sql::rules, &Reader::rule);
    each(catalog_sql::uses, &Reader::use);
    each(catalog_sql::statistics, &Reader::statistic);
    each(catalog_sql::publications, &Reader::publication);
    if (failure_) {
      return tl::unexpected(*std::move(failure_));
    }
    for (auto& [oid, found] : found_) {
      catalog_.put(std::move(found.relation));
    }
    return std::move(catalog_);
  }

 private:
  struct Found {
    Relation relation;
    std::vector<std::string> parents;
    std::string bound, owner;
  };

  void each(char const* question, void (Reader::*take)(Row const&)) {
    if (failure_) {
      return;
    }
    // with nothing but the server's own schema in the path every name comes whole
    bool const own_path = question == catalog_sql::session;
    auto const rows = session_.run(
        std::string(limits) + (own_path ? "" : "SET LOCAL search_path = pg_catalog; ") + question);
    if (!rows) {
      failure_ = rows.error();
      failure_->statement = "(what is in the database)";
      return;
    }
    for (auto const& row : rows->rows) {
      (this->*take)(Row(row));
    }
  }

  void session_facts(Row const& row) {
    catalog_.search_path = row.list(0);
    catalog_.time_zone = row.text(1);
    auto const schemas = row.list(2);
    catalog_.schemas = {schemas.begin(), schemas.end()};
  }

  TypeName type_named(std::string const& text) {
    auto const [at, fresh] = type_names_.try_emplace(text);
    if (fresh) {
      at->second = type_from(text, catalog_);
    }
    return at->second;
  }

  void type(Row const& row) {
    TypeInfo type{.name = {row.text(1), row.text(2)}};
    auto const kind = row.letter(3);
    type.kind = kind == 'd'   ? TypeInfo::Kind::domain
                : kind == 'e' ? TypeInfo::Kind::enumeration
                : kind == 'c' ? TypeInfo::Kind::composite
                              : TypeInfo::Kind::other;
    if (kind == 'd') {
      type.base = type_from(row.text(4), catalog_);
      type.not_null = row.flag(5);
      if (!row.null(6)) {
        type.value = expression_from(row.text(6), catalog_);
      }
      for (auto const& check : split(row.text(7), entries)) {
        auto const parts = split(check, between);
        type.checks.push_back({.kind = Constraint::Kind::check,
                               .name = parts[0],
                               .expression = expression_from(parts[1], catalog_),
                               .validated = parts[2].starts_with('t')});
      }
    }
    composites_[row.text(8)] = type.name;
    catalog_.types[type.name] = std::move(type);
  }

  void attribute(Row const& row) {
    auto const found = composites_.find(row.text(0));
    if (found != composites_.end()) {
      catalog_.types[found->second].attributes.push_back(
          {.name = row.text(1), .type = type_named(row.text(2))});
    }
  }

  void function(Row const& row) {
    Function function{.name = {row.text(0), row.text(1)},
                      .arguments = static_cast<int>(row.number(2)),
                      .language = row.text(4),
                      .body = row.text(5)};
    function.volatile_result = volatile_result(function, row.flag(3), catalog_);
    auto const name = function.name;
    catalog_.functions.emplace(name, std::move(function));
  }

  void member(Row const& row) {
    catalog_.extensions[row.text(0)].push_back({row.text(1), row.text(2)});
  }

  void relation(Row const& row) {
    Found found;
    auto& r = found.relation;
    r.name = {row.text(1), row.text(2)};
    r.kind = kind_of(row.letter(3));
    r.temporary = row.letter(4) == 't';
    r.unlogged = row.letter(4) == 'u';
    r.populated = row.flag(5);
    r.tablespace = row.text(6);
    r.access_method = row.null(7) ? "heap" : row.text(7);
    r.rows = row.number(8);
    r.bytes = row.number(9);
    r.heap_bytes = row.number(10);
    found.parents = row.list(11);
    r.partition = row.flag(12);
    r.detach_pending = row.flag(13);
    found.bound = row.text(14);
    r.default_partition = found.bound == "DEFAULT";
    if (!row.null(15)) {
      partition_key_from(row.text(15), r);
    }
    if (!row.null(16)) {
      auto const type = type_named(row.text(16));
      r.of_type = {type.schema, type.name};
    }
    found.owner = row.text(17);
    r.owner_column = row.text(18);
    r.toast = row.flag(19);
    found_[row.text(0)] = std::move(found);
  }

  RelationName name_of(std::string const& oid) const {
    auto const found = found_.find(oid);
    return found == found_.end() ? RelationName{} : found->second.relation.name;
  }

  // Once all have their names.
  void relate() {
    for (auto& [oid, found] : found_) {
      for (auto const& parent : found.parents) {
        if (auto const name = name_of(parent); !name.empty()) {
          found.relation.parents.push_back(name);
        }
      }
      if (!found.owner.empty()) {
        found.relation.owner_table = name_of(found.owner);
      }
      auto const above = found.parents.empty() ? found_.end() : found_.find(found.parents.front());
      if (found.relation.partition && above != found_.end() && !found.bound.empty()) {
        found.relation.bound = bound_from(found.bound, above->second.relation);
      }
    }
    // defaults name sequences, which have to be there when they are read
    for (auto const& [oid, found] : found_) {
      if (found.relation.kind == RelationKind::sequence) {
        catalog_.put(found.relation);
      }
    }
  }

  Relation* table_of(Row const& row) {
    auto const found = found_.find(row.text(0));
    return found == found_.end() ? nullptr : &found->second.relation;
  }

  void column(Row const& row) {
    if (auto* table = table_of(row)) {
      Column column{.name = row.text(1), .type = type_named(row.text(2))};
      column.not_null = row.flag(3);
      column.identity = row.letter(4);
      column.generated = row.letter(5);
      if (!row.null(6)) {
        column.value = expression_from(row.text(6), catalog_);
      }
      column.collation = row.text(7);
      table->columns.push_back(std::move(column));
    }
  }

  void constraint(Row const& row) {
    auto* table = table_of(row);
    if (table == nullptr) {
      return;
    }
    Constraint c{.kind = constraint_kind(row.letter(2)), .name = row.text(1)};
    if (c.kind != Constraint::Kind::check) {
      c.columns = row.list(3);
    }
    c.validated = row.flag(4);
    c.no_inherit =
        row.flag(5) && (c.kind == Constraint::Kind::check || c.kind == Constraint::Kind::not_null);
    c.enforced = row.flag(12);
    c.inherited = row.flag(6);
    if (c.kind == Constraint::Kind::foreign_key) {
      c.references = name_of(row.text(7));
      c.referenced_columns = row.list(8);
      c.on_delete = row.letter(9);
      c.on_update = row.letter(10);
    }
    if (!row.null(11)) {
      c.expression = expression_from(row.text(11), catalog_);
    }
    table->constraints.push_back(std::move(c));
  }

  void index(Row const& row) {
    auto* table = table_of(row);
    auto index = table == nullptr ? std::nullopt : index_from(row.text(2), *table, catalog_);
    if (!index) {
      return;
    }
    index->name = {table->name.schema, row.text(1)};
    index->valid = row.flag(3);
    index->clustered = row.flag(4);
    index->constraint = row.flag(5);
    index->tablespace = row.text(6);
    index->parent = {row.text(7), row.text(8)};
    table->indexes.push_back(*std::move(index));
  }

  void trigger(Row const& row) {
    if (auto* table = table_of(row)) {
      table->triggers.push_back({.name = row.text(1),
                                 .function = {row.text(2), row.text(3)},
                                 .partner = name_of(row.text(5)),
                                 .each_row = row.text(4) == "1",
                                 .inherited = row.flag(6)});
    }
  }

  void rule(Row const& row) {
    auto* table = table_of(row);
    if (table == nullptr) {
      return;
    }
    Rule rule{.name = row.text(2)};
    for (auto const& oid : row.list(3)) {
      if (auto const name = name_of(oid); !name.empty()) {
        rule.relations.push_back(name);
      }
    }
    for (auto const& function : row.list(4)) {
      rule.functions.push_back(dotted(function));
    }
    if (rule.name == "_RETURN") {
      table->functions = std::move(rule.functions);
    } else {
      (row.text(1) == "rule" ? table->rules : table->policies).push_back(std::move(rule));
    }
  }

  void statistic(Row const& row) {
    if (auto const table = name_of(row.text(2)); !table.empty()) {
      catalog_.statistics[{row.text(0), row.text(1)}] = table;
    }
  }

  void publication(Row const& row) {
    if (auto const table = name_of(row.text(1)); !table.empty()) {
      catalog_.publications[row.text(0)].push_back(table);
    }
  }

  void use(Row const& row) {
    auto* view = table_of(row);
    auto const used = name_of(row.text(1));
    if (view != nullptr && !used.empty()) {
      auto columns = row.list(2);
      std::ranges::sort(columns);
      view->uses.push_back({.relation = used, .columns = std::move(columns)});
      std::ranges::sort(view->uses, {}, &Use::relation);
    }
  }

  Session& session_;
  Catalog catalog_;
  std::optional<SqlFailure> failure_;
  std::map<std::string, Found> found_;              // by oid
  std::map<std::string, RelationName> composites_;  // by the oid of their row type
  std::map<std::string, TypeName> type_names_;
};

}  // namespace

SqlResult<Catalog> read_catalog(Session& session) { return Reader(session).read(); }

SqlResult<planner::ServerCatalog> read_server(Session& session) {
  auto catalog = read_catalog(session);
  if (!catalog) {
    return tl::unexpected(catalog.error());
  }
  return planner::ServerCatalog{.catalog = std::move(*catalog),
                                .server_version = session.server_version()};
}

}  // namespace runbookd::daemon
