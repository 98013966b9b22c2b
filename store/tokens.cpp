#include "store/tokens.h"

#include <iterator>
#include <sstream>

namespace runbookd::store {
namespace {

using planner::Duration;
using planner::Moment;
using planner::Result;

constexpr auto any_token = "SELECT EXISTS (SELECT 1 FROM token)";

constexpr auto insert_token = R"sql(
  INSERT INTO token (id, hash, name, principal, grants, created_at, created_by, expires_at, last_used_at,
                     revoked_at, revoked_by)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, '')
)sql";

constexpr auto select_token = R"sql(
  SELECT id, hash, name, principal, grants, created_at, created_by, expires_at, last_used_at, revoked_at, revoked_by
  FROM token WHERE id = ?1
)sql";

constexpr auto list_tokens = R"sql(
  SELECT id, hash, name, principal, grants, created_at, created_by, expires_at, last_used_at, revoked_at, revoked_by
  FROM token ORDER BY created_at DESC, id
)sql";

constexpr auto revoke_token = R"sql(
  UPDATE token SET revoked_at = ?2, revoked_by = ?3 WHERE id = ?1 AND revoked_at = 0
)sql";

constexpr auto token_used = "UPDATE token SET last_used_at = ?2 WHERE id = ?1";

std::int64_t millis(Moment moment) { return moment.time_since_epoch().count(); }

std::optional<Moment> moment_or_none(std::int64_t value) {
  return value == 0 ? std::nullopt : std::optional(Moment(Duration(value)));
}

planner::Grants grants_of(std::string const& text) {
  std::istringstream words(text);
  std::vector<std::string> each{std::istream_iterator<std::string>(words), {}};
  // what is not understood grants nothing
  return planner::read_grants(each).value_or(planner::Grants{});
}

StoredToken read_token(Statement const& row) {
  return {.id = row.text(0),
          .hash = row.text(1),
          .name = row.text(2),
          .principal = row.text(3),
          .grants = grants_of(row.text(4)),
          .created = Moment(Duration(row.integer(5))),
          .created_by = row.text(6),
          .expires = moment_or_none(row.integer(7)),
          .last_used = moment_or_none(row.integer(8)),
          .revoked = moment_or_none(row.integer(9)),
          .revoked_by = row.text(10)};
}

}  // namespace

Tokens::Tokens(Connection& connection)
    : connection_(connection),
      file_(connection.path()),
      insert_(connection, insert_token),
      revoke_(connection, revoke_token),
      used_(connection, token_used),
      any_(connection, any_token),
      select_(connection, select_token),
      list_(connection, list_tokens) {}

template <typename... Args>
Result<void> Tokens::write(Statement& statement, Args const&... args) {
  return file_.expect_same().and_then([&] {
    return guarded([&] {
      Transaction transaction(connection_);
      statement.run(args...);
      transaction.commit();
    });
  });
}

Result<bool> Tokens::any() const {
  return guarded([&] {
    return any_.first([](Statement const& row) { return row.integer(0) != 0; }).value_or(false);
  });
}

Result<void> Tokens::put(StoredToken const& token) {
  return write(insert_, token.id, token.hash, token.name, token.principal,
               planner::to_text(token.grants), millis(token.created), token.created_by,
               token.expires ? millis(*token.expires) : 0);
}

Result<std::optional<StoredToken>> Tokens::find(std::string const& id) const {
  return guarded([&] { return select_.first(read_token, id); });
}

Result<std::vector<StoredToken>> Tokens::list() const {
  return guarded([&] { return list_.all(read_token); });
}

Result<void> Tokens::revoke(std::string const& id, Moment when, std::string const& by) {
  return write(revoke_, id, millis(when), by);
}

Result<void> Tokens::used(std::string const& id, Moment when) {
  Companion::Absence const nobody_asked(connection_);
  return write(used_, id, millis(when));
}

}  // namespace runbookd::store
