#include "store/plans.h"

#include <algorithm>

#include "store/crash_point.h"

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

constexpr auto insert_plan = R"sql(
  INSERT INTO plan (digest, name, title, canonical, stored_at, actor) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT DO NOTHING
)sql";

constexpr auto select_plan = R"sql(
  SELECT digest, name, title, stored_at, actor, canonical FROM plan WHERE digest = ?1
)sql";

// all digests that begin with ?1: 'g' is the first character after the hexadecimal digits
constexpr auto select_by_prefix = R"sql(
  SELECT digest, name, title, stored_at, actor, canonical FROM plan
  WHERE digest >= ?1 AND digest < ?1 || 'g' ORDER BY digest LIMIT 2
)sql";

constexpr auto list_plans = R"sql(
  SELECT digest, name, title, stored_at, actor, '' FROM plan ORDER BY stored_at DESC, digest DESC LIMIT ?1
)sql";

constexpr auto list_older_plans = R"sql(
  SELECT digest, name, title, stored_at, actor, '' FROM plan
  WHERE (stored_at, digest) < (SELECT stored_at, digest FROM plan WHERE digest = ?2)
  ORDER BY stored_at DESC, digest DESC LIMIT ?1
)sql";

constexpr std::string_view digest_head = "sha256:";
constexpr std::size_t shortest_prefix = 12;
constexpr std::size_t digest_digits = 64;

StoredPlan read_plan(Statement const& row) {
  return {.digest = {row.text(0)},
          .name = row.text(1),
          .title = row.text(2),
          .canonical = row.text(5),
          .stored = planner::Moment(planner::Duration(row.integer(3))),
          .actor = row.text(4)};
}

bool is_digest_prefix(std::string_view digits) {
  return digits.size() >= shortest_prefix && digits.size() <= digest_digits &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

tl::unexpected<Error> refused(ErrorCode code, std::string detail) {
  return tl::unexpected(
      Error{.code = code, .detail = std::move(detail), .next = "runbookctl plan list"});
}

}  // namespace

Plans::Plans(Connection& connection)
    : connection_(connection),
      file_(connection.path()),
      insert_(connection, insert_plan),
      select_(connection, select_plan),
      select_prefix_(connection, select_by_prefix),
      list_(connection, list_plans),
      list_older_(connection, list_older_plans) {}

Result<bool> Plans::put(StoredPlan const& plan) {
  if (auto same = file_.expect_same(); !same)
    return tl::unexpected(same.error());
  return guarded([&] {
    Transaction transaction(connection_);
    insert_.run(plan.digest.text, plan.name, plan.title, plan.canonical,
                plan.stored.time_since_epoch().count(), plan.actor);
    bool const is_new = connection_.changed_rows() > 0;
    crash_point(CrashPoint::plan_inserted);
    transaction.commit();
    crash_point(CrashPoint::plan_committed);
    return is_new;
  });
}

std::optional<StoredPlan> Plans::find(planner::PlanDigest const& digest) const {
  return select_.first(read_plan, digest.text);
}

Result<StoredPlan> Plans::resolve(std::string const& prefix) const {
  auto const digits = prefix.starts_with(digest_head) ? prefix.substr(digest_head.size()) : prefix;
  if (!is_digest_prefix(digits)) {
    return refused(ErrorCode::malformed,
                   "\"" + prefix +
                       "\" is not a plan's digest: give 64 hexadecimal digits, or the first " +
                       std::to_string(shortest_prefix) + " or more");
  }
  return guarded([&]() -> Result<StoredPlan> {
    auto found = select_prefix_.all(read_plan, std::string(digest_head) + digits);
    if (found.empty())
      return refused(ErrorCode::not_found, "no plan has the digest " + prefix);
    if (found.size() > 1) {
      return refused(ErrorCode::malformed,
                     "more than one plan begins with " + prefix + "; give more digits");
    }
    return std::move(found.front());
  });
}

std::vector<StoredPlan> Plans::list(int limit, std::string const& after_digest) const {
  if (after_digest.empty())
    return list_.all(read_plan, limit);
  return list_older_.all(read_plan, limit, after_digest);
}

}  // namespace runbookd::store
