#include "planner/sql_kind.h"

#include <algorithm>
#include <array>
#include <utility>

namespace runbookd::planner::pg {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

template <std::size_t N>
std::string_view look_up(std::array<Pair, N> const& table, std::string_view key) {
  auto const found = std::ranges::find(table, key, &Pair::first);
  return found == table.end() ? std::string_view() : found->second;
}

// Where the node's name does not spell the command.
constexpr auto commands = std::to_array<Pair>({
    {"CreateStmt", "CREATE TABLE"},
    {"CreateSeqStmt", "CREATE SEQUENCE"},
    {"AlterSeqStmt", "ALTER SEQUENCE"},
    {"CreateTrigStmt", "CREATE TRIGGER"},
    {"CreateEventTrigStmt", "CREATE EVENT TRIGGER"},
    {"AlterEventTrigStmt", "ALTER EVENT TRIGGER"},
    {"ViewStmt", "CREATE VIEW"},
    {"RuleStmt", "CREATE RULE"},
    {"CompositeTypeStmt", "CREATE TYPE"},
    {"CreateEnumStmt", "CREATE TYPE"},
    {"CreateRangeStmt", "CREATE TYPE"},
    {"AlterEnumStmt", "ALTER TYPE"},
    {"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW"},
    {"CreateStatsStmt", "CREATE STATISTICS"},
    {"AlterStatsStmt", "ALTER STATISTICS"},
    {"CreatedbStmt", "CREATE DATABASE"},
    {"DropdbStmt", "DROP DATABASE"},
    {"AlterDatabaseSetStmt", "ALTER DATABASE"},
    {"AlterDatabaseRefreshCollStmt", "ALTER DATABASE"},
    {"AlterRoleSetStmt", "ALTER ROLE"},
    {"CreateTableSpaceStmt", "CREATE TABLESPACE"},
    {"DropTableSpaceStmt", "DROP TABLESPACE"},
    {"AlterTableSpaceOptionsStmt", "ALTER TABLESPACE"},
    {"AlterTableMoveAllStmt", "ALTER TABLE"},
    {"AlterObjectDependsStmt", "ALTER DEPENDS ON EXTENSION"},
    {"VariableShowStmt", "SHOW"},
    {"ConstraintsSetStmt", "SET CONSTRAINTS"},
    {"CheckPointStmt", "CHECKPOINT"},
    {"ClosePortalStmt", "CLOSE"},
    {"DeclareCursorStmt", "DECLARE CURSOR"},
    {"SecLabelStmt", "SECURITY LABEL"},
    {"CreatePLangStmt", "CREATE LANGUAGE"},
    {"CreateFdwStmt", "CREATE FOREIGN DATA WRAPPER"},
    {"AlterFdwStmt", "ALTER FOREIGN DATA WRAPPER"},
    {"CreateForeignServerStmt", "CREATE SERVER"},
    {"AlterForeignServerStmt", "ALTER SERVER"},
    {"AlterExtensionContentsStmt", "ALTER EXTENSION"},
    {"AlterTSDictionaryStmt", "ALTER TEXT SEARCH DICTIONARY"},
    {"AlterTSConfigurationStmt", "ALTER TEXT SEARCH CONFIGURATION"},
    {"CreateAmStmt", "CREATE ACCESS METHOD"},
    {"CreateOpClassStmt", "CREATE OPERATOR CLASS"},
    {"CreateOpFamilyStmt", "CREATE OPERATOR FAMILY"},
    {"AlterOpFamilyStmt", "ALTER OPERATOR FAMILY"},
});

constexpr auto objects = std::to_array<Pair>({
    {"OBJECT_MATVIEW", "MATERIALIZED VIEW"},
    {"OBJECT_TABCONSTRAINT", "CONSTRAINT"},
    {"OBJECT_DOMCONSTRAINT", "CONSTRAINT"},
    {"OBJECT_FDW", "FOREIGN DATA WRAPPER"},
    {"OBJECT_FOREIGN_SERVER", "SERVER"},
    {"OBJECT_OPCLASS", "OPERATOR CLASS"},
    {"OBJECT_OPFAMILY", "OPERATOR FAMILY"},
    {"OBJECT_STATISTIC_EXT", "STATISTICS"},
    {"OBJECT_LARGEOBJECT", "LARGE OBJECT"},
    {"OBJECT_TSCONFIGURATION", "TEXT SEARCH CONFIGURATION"},
    {"OBJECT_TSDICTIONARY", "TEXT SEARCH DICTIONARY"},
    {"OBJECT_TSPARSER", "TEXT SEARCH PARSER"},
    {"OBJECT_TSTEMPLATE", "TEXT SEARCH TEMPLATE"},
});

constexpr auto transaction_words = std::to_array<Pair>({
    {"TRANS_STMT_BEGIN", "BEGIN"},
    {"TRANS_STMT_START", "START TRANSACTION"},
    {"TRANS_STMT_COMMIT", "COMMIT"},
    {"TRANS_STMT_ROLLBACK", "ROLLBACK"},
    {"TRANS_STMT_SAVEPOINT", "SAVEPOINT"},
    {"TRANS_STMT_RELEASE", "RELEASE SAVEPOINT"},
    {"TRANS_STMT_ROLLBACK_TO", "ROLLBACK TO SAVEPOINT"},
    {"TRANS_STMT_PREPARE", "PREPARE TRANSACTION"},
    {"TRANS_STMT_COMMIT_PREPARED", "COMMIT PREPARED"},
    {"TRANS_STMT_ROLLBACK_PREPARED", "ROLLBACK PREPARED"},
});

// They read or change rows and settings, never the shape of anything.
constexpr auto shapeless = std::to_array<std::string_view>(
    {"InsertStmt",        "UpdateStmt",         "DeleteStmt",      "MergeStmt",
     "CopyStmt",          "VacuumStmt",         "VariableSetStmt", "VariableShowStmt",
     "LockStmt",          "NotifyStmt",         "ListenStmt",      "UnlistenStmt",
     "DeallocateStmt",    "CheckPointStmt",     "DiscardStmt",     "ClosePortalStmt",
     "FetchStmt",         "TruncateStmt",       "TransactionStmt", "LoadStmt",
     "DeclareCursorStmt", "ConstraintsSetStmt", "AlterSystemStmt"});

// "CreatePublicationStmt" -> "CREATE PUBLICATION"
std::string words_of(std::string_view type) {
  if (type.ends_with("Stmt")) {
    type.remove_suffix(4);
  }
  std::string words;
  for (char const letter : type) {
    bool const upper = letter >= 'A' && letter <= 'Z';
    if (upper && !words.empty()) {
      words += ' ';
    }
    words += upper ? letter : static_cast<char>(letter - 'a' + 'A');
  }
  return words;
}

std::string reindex_words(Node statement) {
  auto const object = statement.text("kind").substr(std::string_view("REINDEX_OBJECT_").size());
  return "REINDEX " + object +
         (option_set(statement, "params", "concurrently", false) ? " CONCURRENTLY" : "");
}

std::string alter_words(Node statement) {
  auto const words = "ALTER " + object_words(statement.text("objtype"));
  return detaches_concurrently(statement) ? words + " DETACH PARTITION CONCURRENTLY" : words;
}

std::string create_as_words(Node statement) {
  return statement.text("objtype") == "OBJECT_MATVIEW" ? "CREATE MATERIALIZED VIEW"
                                                       : "CREATE TABLE AS";
}

std::string rename_words(Node statement) {
  auto const renamed = statement.text("renameType");
  if (renamed == "OBJECT_COLUMN") {
    return "ALTER " + object_words(statement.text("relationType")) + " RENAME COLUMN";
  }
  if (renamed == "OBJECT_TABCONSTRAINT") {
    return "ALTER TABLE RENAME CONSTRAINT";
  }
  return renamed == "OBJECT_ATTRIBUTE" ? "ALTER TYPE RENAME ATTRIBUTE"
                                       : "ALTER " + object_words(renamed) + " RENAME";
}

std::string set_words(Node statement) {
  return statement.text("kind").starts_with("VAR_RESET") ? "RESET" : "SET";
}

std::string object_kind_words(Node statement) {
  if (statement.is("DropStmt")) {
    return "DROP " + object_words(statement.text("removeType")) +
           (statement.flag("concurrent") ? " CONCURRENTLY" : "");
  }
  if (statement.is("DefineStmt")) {
    return "CREATE " + object_words(statement.text("kind"));
  }
  if (statement.is("CommentStmt")) {
    return "COMMENT";
  }
  if (statement.is("AlterOwnerStmt") || statement.is("AlterObjectSchemaStmt")) {
    return "ALTER " + object_words(statement.text("objectType"));
  }
  return "";
}

}  // namespace

std::string object_words(std::string const& object) {
  if (auto const words = look_up(objects, object); !words.empty()) {
    return std::string(words);
  }
  auto words = object.starts_with("OBJECT_") ? object.substr(7) : object;
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string kind_of(Node statement) {
  if (auto const words = look_up(commands, statement.type()); !words.empty()) {
    return std::string(words);
  }
  if (statement.is("TransactionStmt")) {
    return std::string(look_up(transaction_words, statement.text("kind")));
  }
  if (statement.is("IndexStmt")) {
    return statement.flag("concurrent") ? "CREATE INDEX CONCURRENTLY" : "CREATE INDEX";
  }
  if (statement.is("AlterTableStmt")) {
    return alter_words(statement);
  }
  if (statement.is("ReindexStmt")) {
    return reindex_words(statement);
  }
  if (statement.is("RenameStmt")) {
    return rename_words(statement);
  }
  if (statement.is("CreateTableAsStmt")) {
    return create_as_words(statement);
  }
  if (statement.is("VacuumStmt")) {
    return statement.flag("is_vacuumcmd") ? "VACUUM" : "ANALYZE";
  }
  if (statement.is("VariableSetStmt")) {
    return set_words(statement);
  }
  if (statement.is("CreateFunctionStmt")) {
    return statement.flag("is_procedure") ? "CREATE PROCEDURE" : "CREATE FUNCTION";
  }
  if (statement.is("AlterFunctionStmt")) {
    return "ALTER " + object_words(statement.text("objtype"));
  }
  if (statement.is("GrantStmt") || statement.is("GrantRoleStmt")) {
    return statement.flag("is_grant") ? "GRANT" : "REVOKE";
  }
  auto const words = object_kind_words(statement);
  return words.empty() ? words_of(statement.type()) : words;
}

bool transaction_control(Node statement) { return statement.is("TransactionStmt"); }

bool changes_schema(Node statement) {
  if (statement.is("SelectStmt")) {
    return statement.has("intoClause");
  }
  if (statement.is("ExplainStmt") || statement.is("PrepareStmt")) {
    return changes_schema(statement["query"]);
  }
  return std::ranges::find(shapeless, statement.type()) == shapeless.end();
}

}  // namespace runbookd::planner::pg
