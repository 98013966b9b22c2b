// What is read from a server is what replaying the same SQL tells, and leads to the same effects.
#include "daemon/target/catalog.h"

#include <fstream>
#include <iterator>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/effects.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using Json = nlohmann::json;

namespace {

constexpr int some = 7;  // every seventh case: fifty

Json truth() {
  std::ifstream in(std::string(RUNBOOKD_SOURCE_DIR) + "/tests/planner/locktruth/cases.json");
  return Json::parse(in);
}

planner::Catalog replayed(Json const& setup) {
  planner::Catalog catalog;
  catalog.complete = true;
  for (auto const& sql : setup) {
    catalog = planner::replay({.text = sql.get<std::string>()}, std::move(catalog)).catalog;
  }
  return catalog;
}

std::string joined(std::vector<std::string> const& words) {
  std::string all;
  for (auto const& word : words) {
    all += word + ",";
  }
  return all;
}

std::string line_of(planner::Constraint const& c) {
  auto line = "constraint " + c.name + " " + std::to_string(static_cast<int>(c.kind)) + " (" +
              joined(c.columns) + ") " + planner::to_sql(c.references) + "(" +
              joined(c.referenced_columns) + ") " + (c.validated ? "valid" : "not valid") +
              " never null: " + joined(c.expression.never_null) + " where";
  for (auto const& condition : c.expression.conditions) {
    line += " " + condition.column + condition.op + condition.value;
  }
  return line;
}

// Every fact that decides effects, a line each.
std::set<std::string> lines_of(planner::Catalog const& catalog) {
  std::set<std::string> lines;
  for (auto const& [name, r] : catalog.relations()) {
    auto const add = [&, table = planner::to_sql(name)](std::string const& what) {
      lines.insert(table + ": " + what);
    };
    add(std::string(to_text(r.kind)) + (r.unlogged ? " unlogged" : "") +
        (r.partition ? " partition" : "") + (r.default_partition ? " default" : ""));
    for (auto const& column : r.columns) {
      if (r.kind == planner::RelationKind::view ||
          r.kind == planner::RelationKind::materialized_view) {
        add("column " + column.name);
        continue;
      }
      std::string modifiers;
      for (auto const m : column.type.modifiers) {
        modifiers += std::to_string(m) + ",";
      }
      add("column " + column.name + " " + column.type.schema + "." + column.type.name + "(" +
          modifiers + ")" + (column.type.array ? "[]" : "") + (column.not_null ? " not null" : "") +
          (column.identity != 0 ? " identity" : "") + (column.generated != 0 ? " generated" : "") +
          (column.value && column.value->is_volatile ? " volatile" : ""));
    }
    for (auto const& constraint : r.constraints) {
      bool const told_by_column = constraint.kind == planner::Constraint::Kind::not_null &&
                                  constraint.validated && !constraint.no_inherit;
      if (!told_by_column) {
        add(line_of(constraint));
      }
    }
    for (auto const& index : r.indexes) {
      add("index " + planner::to_sql(index.name) + " " + index.definition + " of " +
          planner::to_sql(index.parent) + (index.constraint ? " constraint" : ""));
    }
    for (auto const& trigger : r.triggers) {
      add("trigger " + trigger.name + " " + planner::to_sql(trigger.function));
    }
    for (auto const& parent : r.parents) {
      add("below " + planner::to_sql(parent));
    }
    for (auto const& condition : r.bound) {
      add("bound " + condition.column + condition.op + condition.value);
    }
    for (auto const& use : r.uses) {
      add("uses " + planner::to_sql(use.relation) + " " + joined(use.columns));
    }
    if (!r.owner_table.empty()) {
      add("owned by " + planner::to_sql(r.owner_table) + "." + r.owner_column);
    }
  }
  return lines;
}

std::string difference(std::set<std::string> const& read, std::set<std::string> const& told) {
  std::string text;
  for (auto const& line : read) {
    text += told.contains(line) ? "" : "  server:   " + line + "\n";
  }
  for (auto const& line : told) {
    text += read.contains(line) ? "" : "  replayed: " + line + "\n";
  }
  return text;
}

bool runnable(Json const& one, int major) {
  if (one.contains("session")) {
    return false;
  }
  for (auto const& observed : one["observed"]) {
    for (auto const& version : observed["versions"]) {
      if (version == major) {
        return observed["status"] == "ok";
      }
    }
  }
  return false;
}

void compare(Json const& one) {
  Target const target;
  auto const session = target.connect();
  for (auto const& sql : one["setup"]) {
    auto const done = session->run(sql.get<std::string>());
    REQUIRE_MESSAGE(done, sql.dump());
  }
  auto read = daemon::read_catalog(*session);
  REQUIRE_MESSAGE(read, read.error().message);
  auto const told = replayed(one["setup"]);
  CHECK(difference(lines_of(*read), lines_of(told)) == "");
  read->time_zone = "UTC";
  auto const major = session->server_version() / 10000;
  planner::SqlText const statement{.text = one["statement"].get<std::string>()};
  auto by_server = planner::explain(statement, *read, major);
  auto by_replay = planner::explain(statement, told, major);
  REQUIRE(by_server.statements.size() == by_replay.statements.size());
  for (std::size_t i = 0; i < by_server.statements.size(); ++i) {
    auto& seen = by_server.statements[i].effects;
    seen.hold_ms = by_replay.statements[i].effects.hold_ms;  // sizes only a server has
    for (auto* locks : {&seen.locks, &seen.other_locks}) {
      for (auto& lock : *locks) {
        lock.rows = lock.bytes = -1;
      }
    }
    CHECK((seen == by_replay.statements[i].effects));
  }
}

}  // namespace

TEST_CASE("the catalog of a server is the one that replaying its SQL gives") {
  auto const major =
      std::stoi(Target().sql("SELECT current_setting('server_version_num')")) / 10000;
  for (auto const* role : {"app_owner", "app_reader"}) {  // some of the SQL names them
    server().sql("postgres", std::string("CREATE ROLE ") + role);
  }
  auto const all = truth();
  int number = 0, compared = 0;
  for (auto const& one : all["cases"]) {
    if (number++ % some != 0 || !runnable(one, major)) {
      continue;
    }
    CAPTURE(one["id"].get<std::string>());
    CAPTURE(one["setup"].dump(1));
    compare(one);
    ++compared;
  }
  CHECK(compared >= 40);
}

TEST_CASE("sizes and rows come with the catalog, and its reader waits for nobody's lock") {
  Target const target;
  target.sql(
      "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 10000) g; CREATE INDEX ON t (id); "
      "CREATE TABLE never_looked_at (id int); "
      "CREATE VIEW v AS SELECT * FROM t WHERE id > 0; "
      "ALTER TABLE t ADD CHECK (id > 0), ADD COLUMN d int DEFAULT 1; "
      "CREATE INDEX ON t ((id + 1)); CREATE TABLE p (a int) PARTITION BY RANGE ((a + 1)); "
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2)");
  target.sql("ANALYZE t");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; LOCK t, p, v"));
  auto const session = target.connect();
  auto const catalog = daemon::read_catalog(*session);
  REQUIRE_MESSAGE(catalog, catalog.error().message);
  auto const* table = catalog->find({"public", "t"});
  REQUIRE(table != nullptr);
  CHECK(table->rows == 10000);
  CHECK(table->heap_bytes >= 300'000);
  CHECK(table->bytes > table->heap_bytes);
  auto const* other = catalog->find({"public", "never_looked_at"});
  REQUIRE(other != nullptr);
  CHECK(other->bytes == -1);
}
