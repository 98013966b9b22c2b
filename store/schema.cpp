#include "store/schema.h"

#include "planner/digest.h"
#include "store/crash_point.h"

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;

constexpr auto create_record = R"sql(
  CREATE TABLE IF NOT EXISTS schema_file (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL,
    applied_at INTEGER NOT NULL
  ) STRICT
)sql";
constexpr auto record_file = R"sql(
  INSERT INTO schema_file (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, unixepoch() * 1000)
)sql";
constexpr auto recorded_files = "SELECT version, name, checksum FROM schema_file ORDER BY version";

struct Applied {
  std::int64_t version;
  std::string name, checksum;
};
Applied read_applied(Statement const& row) { return {row.integer(0), row.text(1), row.text(2)}; }

std::int64_t version_of(Connection& connection) {
  return connection.integer("PRAGMA user_version");
}

void apply(Connection& connection, SchemaFile const& file, std::int64_t version) {
  Transaction transaction(connection);
  connection.run_script(create_record);
  connection.run_script(std::string(file.sql));
  Statement(connection, record_file).run(version, file.name, planner::sha256_hex(file.sql));
  connection.run_script("PRAGMA user_version = " + std::to_string(version));
  crash_point(CrashPoint::schema_file_written);
  transaction.commit();
  crash_point(CrashPoint::schema_file_committed);
}

Error foreign_history(Connection const& connection, Applied const& applied) {
  return {
      .code = ErrorCode::store_unavailable,
      .detail = "the store " + connection.path() +
                " was made by a different build: its schema file " +
                std::to_string(applied.version) + " (" + applied.name +
                ") is not the one that this runbookd carries",
      .next = "start the build of runbookd that made the store, or set another path for the store"};
}

void expect_our_history(Connection& connection, std::span<SchemaFile const> files) {
  for (auto const& applied : Statement(connection, recorded_files).all(read_applied)) {
    auto const& ours = files[static_cast<std::size_t>(applied.version - 1)];
    if (applied.name == ours.name && applied.checksum == planner::sha256_hex(ours.sql))
      continue;
    throw StoreFailure(foreign_history(connection, applied));
  }
}

}  // namespace

Error newer_schema(std::string_view path, std::int64_t found, std::int64_t known) {
  return {.code = ErrorCode::store_unavailable,
          .detail =
              "the store " + std::string(path) + " has schema version " + std::to_string(found) +
              ", made by a newer runbookd; this one knows versions up to " + std::to_string(known),
          .next = "install the newer runbookd again; `runbookd --version` tells which one this is"};
}

planner::Result<void> bring_up_to_date(Connection& connection, std::span<SchemaFile const> files) {
  return guarded([&] {
    auto const known = static_cast<std::int64_t>(files.size());
    auto const found = version_of(connection);
    if (found > known)
      throw StoreFailure(newer_schema(connection.path(), found, known));
    if (found > 0)
      expect_our_history(connection, files);
    for (auto version = found + 1; version <= known; ++version) {
      apply(connection, files[static_cast<std::size_t>(version - 1)], version);
    }
  });
}

}  // namespace runbookd::store
