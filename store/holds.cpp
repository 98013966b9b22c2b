#include "store/holds.h"

namespace runbookd::store {
namespace {

using planner::Duration;
using planner::Hold;
using planner::Moment;
using planner::Result;

constexpr auto standing_hold =
    "SELECT reason, set_by, set_at, until_at FROM hold WHERE ended_at = 0";

constexpr auto insert_hold = R"sql(
  INSERT INTO hold (reason, set_by, set_at, until_at, ended_at, ended_by) VALUES (?1, ?2, ?3, ?4, 0, '')
)sql";

constexpr auto end_hold = "UPDATE hold SET ended_at = ?1, ended_by = ?2 WHERE ended_at = 0";

std::int64_t millis(Moment moment) { return moment.time_since_epoch().count(); }

Hold read_hold(Statement const& row) {
  auto const until = row.integer(3);
  return {.reason = row.text(0),
          .by = row.text(1),
          .since = Moment(Duration(row.integer(2))),
          .until = until == 0 ? std::nullopt : std::optional(Moment(Duration(until)))};
}

}  // namespace

Holds::Holds(Connection& connection)
    : connection_(connection),
      file_(connection.path()),
      insert_(connection, insert_hold),
      end_(connection, end_hold),
      standing_(connection, standing_hold) {}

Result<std::optional<Hold>> Holds::standing() const {
  return guarded([&] { return standing_.first(read_hold); });
}

Result<void> Holds::put(Hold const& hold) {
  return file_.expect_same().and_then([&] {
    return guarded([&] {
      Transaction transaction(connection_);
      end_.run(millis(hold.since), hold.by);
      insert_.run(hold.reason, hold.by, millis(hold.since), hold.until ? millis(*hold.until) : 0);
      transaction.commit();
    });
  });
}

Result<void> Holds::end(Moment when, std::string const& by) {
  return file_.expect_same().and_then([&] {
    return guarded([&] {
      Transaction transaction(connection_);
      end_.run(millis(when), by);
      transaction.commit();
    });
  });
}

}  // namespace runbookd::store
