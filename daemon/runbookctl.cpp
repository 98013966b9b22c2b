// The command line, with the one thing of it that speaks to PostgreSQL itself.
#include <exception>
#include <iostream>
#include <string_view>
#include <utility>

#include "daemon/target/catalog.h"
#include "daemon/target/definitions.h"
#include "daemon/target/session.h"
#include "web/ctl/app.h"
#include "web/ctl/version.h"

namespace runbookd {
namespace {

planner::Error error_of(daemon::SqlFailure const& failure) {
  return {.code = planner::ErrorCode::target_unreachable,
          .detail = failure.message,
          .sqlstate = failure.sqlstate};
}

auto connect(std::string const& dsn) {
  return daemon::connect({.name = "of --dsn", .dsn = dsn}, "runbookctl");
}

planner::Result<planner::WaysBack> ways_back(std::string const& dsn, planner::Plan const& plan) {
  auto const session = connect(dsn);
  if (!session) {
    return tl::unexpected(error_of(session.error()));
  }
  auto const all = daemon::ways_back_now(**session, plan);
  if (!all) {
    return tl::unexpected(error_of(all.error()));
  }
  planner::WaysBack told;
  for (auto const& [ref, derived] : *all) {
    told.add(ref, derived);
  }
  return told;
}

planner::Result<planner::ServerCatalog> read_catalog(std::string const& dsn) {
  auto const session = connect(dsn);
  if (!session) {
    return tl::unexpected(error_of(session.error()));
  }
  auto read = daemon::read_server(**session);
  if (!read) {
    return tl::unexpected(error_of(read.error()));
  }
  return std::move(*read);
}

}  // namespace
}  // namespace runbookd

int main(int count, char** words) {
  if (count == 2 && std::string_view(words[1]) == "--version") {
    std::cout << "runbookctl " << runbookd::ctl::version << '\n';
    return 0;
  }
  try {
    auto world = runbookd::ctl::real_surroundings();
    world.read_catalog = runbookd::read_catalog;
    world.ways_back = runbookd::ways_back;
    return runbookd::ctl::run({words + 1, words + count}, world);
  } catch (std::exception const& error) {
    std::cerr << "runbookctl: unexpected: " << error.what() << '\n';
    return 1;
  }
}
