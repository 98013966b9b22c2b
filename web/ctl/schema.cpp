#include "web/ctl/schema.h"

#include <utility>

#include "web/ctl/plan_files.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

Maybe<KnownSchema> known_from(planner::Result<planner::ServerCatalog> read, std::string const& what,
                              std::string const& next) {
  if (!read) {
    return fail(Exit::unreachable, what, read.error().detail,
                read.error().next.empty() ? next : read.error().next);
  }
  return KnownSchema{.catalog = std::move(read->catalog), .server_version = read->server_version};
}

}  // namespace

Maybe<planner::Explanation> load_schema(Session& session, std::string const& file) {
  if (file.empty()) {
    return planner::Explanation{};
  }
  auto const dump = load_text(session, file);
  if (!dump) {
    return tl::unexpected(dump.error());
  }
  planner::Catalog catalog;
  catalog.complete = true;
  constexpr int any_version = 18;  // a dump's own effects are of no interest
  auto made = planner::explain({.text = *dump, .place = {.file = file, .line = 1, .column = 1}},
                               std::move(catalog), any_version);
  tell_findings(session, made.findings);
  if (planner::has_error(made.findings)) {
    return fail(Exit::invalid, "read the schema of " + file,
                "it is not SQL as pg_dump --schema-only writes it",
                "pg_dump --schema-only --file SCHEMA.sql DATABASE");
  }
  // pg_dump empties it for itself; whoever uses the schema finds tables as a new session does
  made.catalog.search_path = planner::Catalog{}.search_path;
  return made;
}

Maybe<KnownSchema> load_known(Session& session, SchemaChoice const& choice) {
  int const named =
      int(!choice.schema.empty()) + int(!choice.dsn.empty()) + int(!choice.target.empty());
  if (named > 1) {
    return fail(Exit::usage, "read the schema", "--schema, --dsn and --target say the same thing",
                "give one of them");
  }
  if (!choice.dsn.empty()) {
    auto const what = std::string("read the schema from --dsn");
    return known_from(session.world.read_catalog(choice.dsn), what, "psql DSN -c 'SELECT 1'");
  }
  if (!choice.target.empty()) {
    auto const what = "read the schema of target " + choice.target;
    auto const answer =
        session.client.get("/api/v1/targets/" + percent_encode(choice.target) + "/catalog", what);
    if (!answer) {
      return tl::unexpected(answer.error());
    }
    return known_from(planner::catalog_from_json(answer->body), what,
                      "runbookctl status, to see whether daemon and runbookctl are of one version");
  }
  auto dump = load_schema(session, choice.schema);
  if (!dump) {
    return tl::unexpected(dump.error());
  }
  return KnownSchema{.catalog = std::move(dump->catalog)};
}

}  // namespace runbookd::ctl
