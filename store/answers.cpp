#include "store/answers.h"

namespace runbookd::store {
namespace {

using planner::Duration;
using planner::Moment;
using planner::Result;

constexpr auto insert_answer = R"sql(
  INSERT INTO answer (scope, fingerprint, at, status, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT (scope) DO UPDATE SET
    fingerprint = excluded.fingerprint, at = excluded.at, status = excluded.status,
    headers = excluded.headers, body = excluded.body
)sql";
constexpr auto select_answer = R"sql(
  SELECT scope, fingerprint, at, status, headers, body FROM answer WHERE scope = ?1
)sql";
constexpr auto forget_before = "DELETE FROM answer WHERE at < ?1";
constexpr auto forget_beyond = R"sql(
  DELETE FROM answer WHERE scope IN (SELECT scope FROM answer ORDER BY at DESC LIMIT -1 OFFSET ?1)
)sql";

KeptAnswer read_answer(Statement const& row) {
  return {.scope = row.text(0),
          .fingerprint = row.text(1),
          .at = Moment(Duration(row.integer(2))),
          .status = static_cast<int>(row.integer(3)),
          .headers = row.text(4),
          .body = row.text(5)};
}

}  // namespace

Answers::Answers(Connection& connection)
    : connection_(connection),
      insert_(connection, insert_answer),
      forget_(connection, forget_before),
      forget_beyond_(connection, forget_beyond),
      select_(connection, select_answer) {}

void Answers::write(KeptAnswer const& answer) {
  insert_.run(answer.scope, answer.fingerprint, answer.at.time_since_epoch().count(), answer.status,
              answer.headers, answer.body);
}

Result<void> Answers::keep(KeptAnswer const& answer) {
  return guarded([&] {
    Companion::Absence const alone(connection_);
    Transaction transaction(connection_);
    write(answer);
    transaction.commit();
  });
}

Result<std::optional<KeptAnswer>> Answers::find(std::string const& scope) const {
  return guarded([&] { return select_.first(read_answer, scope); });
}

Result<void> Answers::forget_old(Moment now) {
  return guarded([&] {
    Companion::Absence const alone(connection_);
    Transaction transaction(connection_);
    forget_.run((now - kept_for).time_since_epoch().count());
    forget_beyond_.run(most);
    transaction.commit();
  });
}

}  // namespace runbookd::store
