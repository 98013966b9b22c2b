#include "daemon/target/outside.h"

#include <utility>

#include "daemon/target/marker.h"
#include "daemon/target/outside_sql.h"

namespace runbookd::daemon {
namespace {

using planner::Outside;

// The server quotes where it has to: people read these names too.
std::string qualified(Session const& session, std::string const& schema, std::string const& name) {
  auto const part = [&](std::string const& text) {
    return "quote_ident(" + session.quote_literal(text) + ")";
  };
  return (schema.empty() ? "" : part(schema) + " || '.' || ") + part(name);
}

std::string asked_sql(Session const& session, Outside const& outside, std::string_view things) {
  return "WITH asked (object, relation, name, value) AS (SELECT " +
         qualified(session, outside.schema, outside.name) + ", " +
         qualified(session, outside.on_schema, outside.on) + ", " +
         session.quote_literal(outside.name) + "::text, " +
         (outside.value ? session.quote_literal(*outside.value) : "NULL") + "::text)" +
         (things.empty() ? "" : ", things (oid, name, half) AS (" + std::string(things) + ")");
}

Sight::State state_of(std::string const& word) {
  return word == "untouched"    ? Sight::State::untouched
         : word == "half"       ? Sight::State::half
         : word == "done"       ? Sight::State::done
         : word == "repeatable" ? Sight::State::repeatable
                                : Sight::State::unknowable;
}

std::vector<std::string> lines_of(std::string const& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    auto const end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

Sight sight_of(std::vector<Cell> const& row, std::string query) {
  return {.state = state_of(row[0].value_or("")),
          .seen = row[1].value_or(""),
          .leftovers = lines_of(row[2].value_or("")),
          .builder = row[3].value_or(""),
          .finish = row[4].value_or(""),
          .query = std::move(query)};
}

}  // namespace

std::string noted_sql(Session const& session, Outside const& outside) {
  auto const& queries = queries_for(outside.kind);
  return asked_sql(session, outside, queries.things) + " " + std::string(queries.noted);
}

SqlResult<Sight> look_at_catalog(Session& session, AttemptTag const& tag, Outside const& outside) {
  auto const& queries = queries_for(outside.kind);
  auto query =
      asked_sql(session, outside, queries.things) +
      ", was AS (SELECT objects, relations, beside, failed_at FROM runbookd.intent WHERE " +
      step_condition(session, tag) + " AND attempt = " + std::to_string(tag.attempt) + ")" +
      std::string(queries.look);
  auto const seen = session.run(query);
  if (!seen && seen.error().sqlstate == "42501") {
    return Sight{.seen = "this role may not ask the catalog: " + seen.error().message,
                 .query = std::move(query)};
  }
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  return seen->rows.empty() ? Sight{.seen = "the catalog gave no answer", .query = std::move(query)}
                            : sight_of(seen->rows.front(), std::move(query));
}

SqlResult<std::optional<SqlFailure>> refusal(Session& session, Outside const& outside) {
  auto const& queries = queries_for(outside.kind);
  if (queries.refusal.empty()) {
    return std::nullopt;
  }
  auto const found =
      session.run(asked_sql(session, outside, queries.things) + std::string(queries.refusal));
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (found->rows.empty()) {
    return std::nullopt;
  }
  auto const& row = found->rows.front();
  return SqlFailure{
      .sqlstate = row[0].value_or(""), .message = row[1].value_or(""), .statement = ""};
}

}  // namespace runbookd::daemon
