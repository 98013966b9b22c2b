#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/target/fingerprint_sql.h"
#include "daemon/target/procedures.h"
#include "planner/digest.h"

namespace runbookd::daemon {
namespace {

// Both settings end with the message they stand in, which the server runs as one transaction.
// Compiling the plan (jit) would cost many times what running it does.
constexpr auto settings =
    "SET LOCAL search_path = pg_catalog; SET LOCAL jit = off; SET LOCAL lock_timeout = '5s'; "
    "SET LOCAL statement_timeout = '60s'; SET LOCAL extra_float_digits = 1; ";
constexpr auto is_prepared =
    "SELECT 1 FROM pg_catalog.pg_prepared_statements WHERE name = 'runbookd_fingerprint'";
constexpr auto take = "EXECUTE runbookd_fingerprint";

// The catalogs are read while others change them: an object may go between being listed and being
// described.
constexpr int tries = 3;

bool changed_meanwhile(SqlFailure const& failure) {
  return failure.sqlstate == "XX000" || failure.sqlstate.starts_with("42");
}

SqlResult<Rows> read_catalogs(Session& session) {
  auto const known = session.run(is_prepared);
  if (!known) {
    return known;
  }
  std::string const prepare =
      known->rows.empty()
          ? "PREPARE runbookd_fingerprint AS " + fingerprint_sql(session.server_version()) + "; "
          : "";
  return session.run(settings + prepare + take);
}

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view body) {
  Lines lines;
  while (!body.empty()) {
    auto const end = std::min(body.find('\n'), body.size());
    lines.push_back(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return lines;
}

// What names the object in a line: all before ": ".
std::string_view object_of(std::string_view line) { return line.substr(0, line.find(": ")); }

}  // namespace

SqlResult<Fingerprint> take_fingerprint(Session& session) {
  auto rows = read_catalogs(session);
  for (int i = 1; i < tries && !rows && changed_meanwhile(rows.error()); ++i) {
    rows = read_catalogs(session);
  }
  if (!rows) {
    rows.error().statement = "(the schema fingerprint)";
    return tl::unexpected(std::move(rows.error()));
  }
  Fingerprint fingerprint;
  for (auto const& row : rows->rows) {
    fingerprint.body += row.front().value_or("") + "\n";
  }
  fingerprint.digest = planner::digest_text(fingerprint.body);
  return fingerprint;
}

std::string fingerprint_diff(std::string const& before, std::string const& after) {
  auto const was = lines_of(before);
  auto const is = lines_of(after);
  std::vector<std::pair<std::string_view, char>> changes;
  Lines gone;
  Lines come;
  std::ranges::set_difference(was, is, std::back_inserter(gone));
  std::ranges::set_difference(is, was, std::back_inserter(come));
  for (auto const line : gone) {
    changes.emplace_back(line, '-');
  }
  for (auto const line : come) {
    changes.emplace_back(line, '+');
  }
  // the old and the new line of one object stand together, the old one first
  std::ranges::stable_sort(changes, {}, [](auto const& change) { return object_of(change.first); });
  std::string diff;
  for (auto const& [line, sign] : changes) {
    diff += std::string(1, sign) + " " + std::string(line) + "\n";
  }
  return diff;
}

}  // namespace runbookd::daemon
