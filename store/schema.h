// The store's tables over time. Every file in store/schema is one version; none is changed after a
// release.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "planner/error.h"
#include "store/sqlite.h"

namespace runbookd::store {

constexpr std::uint32_t application_id = 0x52424b44;  // "RBKD" at a fixed place in the file

// One file of store/schema, embedded at build time. Version n is the n-th of them.
struct SchemaFile {
  std::string_view name;  // "0001_journal"
  std::string_view sql;
};
std::span<SchemaFile const> schema_files();

// Runs what the file does not have yet, each file in one transaction, recorded with name and
// checksum. Refuses a file with a newer version, and one whose recorded history is not ours.
planner::Result<void> bring_up_to_date(Connection& connection, std::span<SchemaFile const> files);

// The refusal of a newer file; said before SQLite touches it, and again from inside.
planner::Error newer_schema(std::string_view path, std::int64_t found, std::int64_t known);

}  // namespace runbookd::store
