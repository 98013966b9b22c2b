// What a statement outside a transaction is about: the names by which recovery asks the catalog.
#include <algorithm>
#include <utility>

#include "planner/pg_tree.h"
#include "planner/sql.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using Kind = Outside::Kind;

Outside about(Kind kind, std::string name, std::string on = "") {
  return {.kind = kind,
          .schema = "",
          .name = std::move(name),
          .on_schema = "",
          .on = std::move(on),
          .value = std::nullopt};
}

Outside about_relation(Kind kind, Node relation) {
  auto outside = about(kind, relation.text("relname"));
  outside.schema = relation.text("schemaname");
  return outside;
}

Outside of_build(Node index) {
  auto const table = index["relation"];
  auto outside = about(Kind::create_index, index.text("idxname"), table.text("relname"));
  outside.schema = outside.on_schema = table.text("schemaname");
  return outside;
}

Outside of_drop(Node drop) {
  auto const objects = drop.list("objects");
  auto const name =
      objects.empty() ? std::vector<std::string>{} : pg::names(objects.front().list("items"));
  auto outside = about(Kind::drop_index, name.empty() ? "" : name.back());
  outside.schema = name.size() > 1 ? name[name.size() - 2] : "";
  return outside;
}

Outside of_reindex(Node reindex) {
  auto const object = reindex.text("kind");
  if (object == "REINDEX_OBJECT_INDEX") {
    return about_relation(Kind::reindex_index, reindex["relation"]);
  }
  if (object == "REINDEX_OBJECT_TABLE") {
    return about_relation(Kind::reindex_table, reindex["relation"]);
  }
  bool const concurrently = pg::option_set(reindex, "params", "concurrently", false);
  bool const schema = object == "REINDEX_OBJECT_SCHEMA";
  return concurrently ? about(Kind::reindex_many, schema ? reindex.text("name") : "")
                      : about(Kind::maintenance, "");
}

Outside of_detach(Node alter) {
  for (auto const& command : alter.list("cmds")) {
    if (command.text("subtype") == "AT_DetachPartition") {
      auto outside = about_relation(Kind::detach, command["def"]["name"]);
      outside.on_schema = alter["relation"].text("schemaname");
      outside.on = alter["relation"].text("relname");
      return outside;
    }
  }
  return about(Kind::other, "");
}

// ALTER DATABASE … SET TABLESPACE
Outside of_move(Node alter) {
  auto outside = about(Kind::move_database, alter.text("dbname"));
  for (auto const& option : alter.list("options")) {
    outside.value = option["arg"].text("sval");
  }
  return outside;
}

// As the server writes it into postgresql.auto.conf; nothing where the setting is taken out of it.
std::optional<std::string> value_of(Node setting) {
  if (setting.text("kind") != "VAR_SET_VALUE") {
    return std::nullopt;
  }
  std::string value;
  for (auto const& argument : setting.list("args")) {
    value += value.empty() ? "" : ", ";
    auto const constant = argument.is("A_Const") ? argument : Node{};
    if (constant["ival"]) {
      value += std::to_string(constant["ival"].number("ival"));
    } else if (constant["fval"]) {
      value += constant["fval"].text("fval");
    } else {
      value += constant["sval"].text("sval");
    }
  }
  return value;
}

Outside of_setting(Node alter) {
  auto const setting = alter["setstmt"];
  auto outside = about(Kind::alter_system, setting.text("name"));
  outside.value = value_of(setting);
  return outside;
}

// REFRESH and SET end in the same state however often they are sent.
Outside of_subscription(Node alter) {
  auto const kind = alter.text("kind");
  bool const repeatable =
      kind == "ALTER_SUBSCRIPTION_REFRESH" || kind == "ALTER_SUBSCRIPTION_SET_PUBLICATION";
  return about(repeatable ? Kind::maintenance : Kind::alter_subscription, alter.text("subname"));
}

struct Rule {
  std::string_view type;
  Outside (*outside)(Node);
};

constexpr Rule rules[] = {
    {"IndexStmt", of_build},
    {"DropStmt", of_drop},
    {"ReindexStmt", of_reindex},
    {"AlterTableStmt", of_detach},
    {"VacuumStmt", [](Node) { return about(Kind::maintenance, ""); }},
    {"ClusterStmt", [](Node) { return about(Kind::maintenance, ""); }},
    {"DiscardStmt", [](Node) { return about(Kind::maintenance, ""); }},
    {"CreatedbStmt", [](Node n) { return about(Kind::create_database, n.text("dbname")); }},
    {"DropdbStmt", [](Node n) { return about(Kind::drop_database, n.text("dbname")); }},
    {"AlterDatabaseStmt", of_move},
    {"AlterSystemStmt", of_setting},
    {"CreateTableSpaceStmt",
     [](Node n) { return about(Kind::create_tablespace, n.text("tablespacename")); }},
    {"DropTableSpaceStmt",
     [](Node n) { return about(Kind::drop_tablespace, n.text("tablespacename")); }},
    {"CreateSubscriptionStmt",
     [](Node n) { return about(Kind::create_subscription, n.text("subname")); }},
    {"DropSubscriptionStmt",
     [](Node n) { return about(Kind::drop_subscription, n.text("subname")); }},
    {"AlterSubscriptionStmt", of_subscription},
};

}  // namespace

std::optional<Outside> outside_of(Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  if (tree.statements.empty() || pg::transactional(tree.statements[0].node)) {
    return std::nullopt;
  }
  auto const node = tree.statements[0].node;
  auto const rule = std::ranges::find(rules, node.type(), &Rule::type);
  return rule == std::end(rules) ? about(Kind::other, "") : rule->outside(node);
}

}  // namespace runbookd::planner
