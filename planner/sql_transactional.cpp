// Which statements the server refuses inside a transaction block, as far as their text tells:
// REINDEX and CLUSTER of a partitioned table are refused too, and a CALL whose procedure commits.
#include <algorithm>

#include "planner/sql_kind.h"

namespace runbookd::planner::pg {
namespace {

bool reindexes_concurrently(Node statement) {
  return option_set(statement, "params", "concurrently", false);
}

// Subscriptions make or drop a slot on another server, which no rollback could take back.
bool subscription_transactional(Node statement) {
  if (statement.is("DropSubscriptionStmt")) {
    return false;
  }
  if (statement.is("CreateSubscriptionStmt")) {
    bool const connects = option_set(statement, "options", "connect", true);
    return !option_set(statement, "options", "create_slot", connects);
  }
  auto const kind = statement.text("kind");
  bool const sets = kind == "ALTER_SUBSCRIPTION_SET_PUBLICATION" ||
                    kind == "ALTER_SUBSCRIPTION_ADD_PUBLICATION" ||
                    kind == "ALTER_SUBSCRIPTION_DROP_PUBLICATION";
  return kind != "ALTER_SUBSCRIPTION_REFRESH" &&
         !(sets && option_set(statement, "options", "refresh", true));
}

bool moves_database(Node statement) {
  return std::ranges::any_of(statement.list("options"), [](Node const& option) {
    return option.text("defname") == "tablespace";
  });
}

bool reindexes_many(Node statement) {
  auto const kind = statement.text("kind");
  return kind != "REINDEX_OBJECT_TABLE" && kind != "REINDEX_OBJECT_INDEX";
}

// An option's value: nothing, a number, a word in quotes, or a bare word, which reads like a type's
// name.
bool says_yes(Node value) {
  if (value.is("Integer")) {
    return value.number("ival") != 0;
  }
  if (value.is("Boolean")) {
    return value.flag("boolval");
  }
  auto const type = names(value.list("names"));
  auto const word = type.empty() ? value.text("sval") : type.back();
  return !same_word(word, "FALSE") && !same_word(word, "OFF") && word != "0";
}

}  // namespace

bool detaches_concurrently(Node statement) {
  auto const commands = statement.list("cmds");
  return std::ranges::any_of(commands, [](Node const& command) {
    return command.text("subtype") == "AT_DetachPartition" && command["def"].flag("concurrent");
  });
}

bool option_set(Node statement, std::string_view list, std::string_view name, bool missing) {
  for (auto const& option : statement.list(list)) {
    if (option.text("defname") == name) {
      return says_yes(option["arg"]);
    }
  }
  return missing;
}

bool transactional(Node statement) {
  auto const type = statement.type();
  if (type == "IndexStmt" || type == "DropStmt") {
    return !statement.flag("concurrent");
  }
  if (type == "ReindexStmt") {
    return !reindexes_concurrently(statement) && !reindexes_many(statement);
  }
  if (type == "AlterTableStmt") {
    return !detaches_concurrently(statement);
  }
  if (type == "VacuumStmt") {
    return !statement.flag("is_vacuumcmd");
  }
  if (type == "AlterDatabaseStmt") {
    return !moves_database(statement);
  }
  if (type == "ClusterStmt") {
    return statement.has("relation");
  }
  if (type == "DiscardStmt") {
    return statement.text("target") != "DISCARD_ALL";
  }
  if (type.ends_with("SubscriptionStmt")) {
    return subscription_transactional(statement);
  }
  return type != "CreatedbStmt" && type != "DropdbStmt" && type != "CreateTableSpaceStmt" &&
         type != "DropTableSpaceStmt" && type != "AlterSystemStmt";
}

}  // namespace runbookd::planner::pg
