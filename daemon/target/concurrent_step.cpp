#include <utility>

#include "daemon/target/fence.h"
#include "daemon/target/lock_wait.h"
#include "daemon/target/marker.h"
#include "daemon/target/outside.h"
#include "daemon/target/sent_crash.h"
#include "daemon/target/transaction.h"
#include "planner/mutant.h"
#include "planner/words.h"

namespace runbookd::daemon {
namespace {

using planner::joined;
using planner::Mutant;
using planner::mutant;
using planner::Outside;
using store::crash_point;
using store::CrashPoint;

constexpr auto last_unfinished = R"sql(
  SELECT attempt FROM runbookd.intent
  WHERE store = $1 AND run = $2 AND phase = $3::int AND step = $4::int AND direction = $5::"char"
    AND attempt < $6::int AND done_at IS NULL
  ORDER BY attempt DESC LIMIT 1
)sql";

// The last attempt of this step that set out and did not come home; 0 = none.
SqlResult<int> unfinished_attempt(Session& session, AttemptTag const& tag) {
  auto const found =
      session.run(last_unfinished,
                  {tag.store, tag.run, std::to_string(tag.ref.phase), std::to_string(tag.ref.step),
                   std::string(1, direction_letter(tag.direction)), std::to_string(tag.attempt)});
  if (!found) {
    return tl::unexpected(found.error());
  }
  return found->rows.empty() ? 0 : std::stoi(found->rows.front().front().value_or("0"));
}

// What has to be settled before the statement is sent: a note to keep, another statement that ends
// what was begun, or an end.
struct Ground {
  std::optional<AttemptResult> end;
  std::string note;
  std::string finish;
};

Ground over(AttemptResult result) { return {.end = std::move(result), .note = "", .finish = ""}; }

Ground drop_leftovers(Session& session, Sight const& sight, std::stop_token const& stop) {
  auto const names = joined(sight.leftovers);
  if (!sight.builder.empty()) {
    return over(failed("55006", "index " + names + " is being built by another session, pid " +
                                    sight.builder +
                                    "; wait for it or cancel it, then retry the step"));
  }
  for (auto const& name : sight.leftovers) {
    auto const drop = "DROP INDEX CONCURRENTLY " + name;
    crash_point(CrashPoint::leftover_found);
    crash_once_sent(CrashPoint::leftover_drop_sent, session, drop);
    auto const dropped = session.run(drop);
    if (!dropped) {
      return over(ended_by(dropped.error(), stop, {}));
    }
    crash_point(CrashPoint::leftover_dropped);
  }
  return {.end = std::nullopt,
          .note = "dropped the invalid index " + names + " left by an earlier try",
          .finish = ""};
}

std::string with(std::string note, std::string const& more) {
  return note.empty() || more.empty() ? note + more : note + "; " + more;
}

// By the facts of an attempt before this one. One of an earlier series proves nothing any more, but
// what it left is still in the way.
Ground clear_up_after(Session& session, AttemptTag const& earlier, Outside const& outside,
                      bool same_series, std::stop_token const& stop) {
  auto sight = look_at_catalog(session, earlier, outside);
  if (!sight) {
    return over(ended_by(sight.error(), stop, {}));
  }
  Ground ground;
  if (!sight->leftovers.empty()) {
    ground = drop_leftovers(session, *sight, stop);
    if (ground.end) {
      return ground;
    }
    sight = look_at_catalog(session, earlier, outside);
    if (!sight) {
      return over(ended_by(sight.error(), stop, {}));
    }
  }
  if (!same_series) {
    return ground;
  }
  ground.finish = sight->finish;
  if (sight->state == Sight::State::done) {
    ground.end = AttemptResult{
        .note = with(std::move(ground.note), sight->seen + ": an earlier try of this step did it")};
  }
  return ground;
}

Ground survey(Session& session, AttemptTag const& tag, Outside const& outside, int since_attempt,
              std::stop_token const& stop) {
  auto const earlier = unfinished_attempt(session, tag);
  if (!earlier) {
    return over(ended_by(earlier.error(), stop, {}));
  }
  Ground ground;
  if (*earlier > 0) {
    auto its_tag = tag;
    its_tag.attempt = *earlier;
    ground = clear_up_after(session, its_tag, outside, *earlier >= since_attempt, stop);
  }
  if (ground.end || !ground.finish.empty()) {
    return ground;
  }
  auto const refused = refusal(session, outside);
  if (!refused) {
    return over(ended_by(refused.error(), stop, {}));
  }
  if (*refused && mutant(Mutant::index_exists_is_done)) {
    ground.end = AttemptResult{.note = "a mutant"};
    return ground;
  }
  if (*refused && mutant(Mutant::foreign_index_dropped)) {
    (void)session.run("DROP INDEX CONCURRENTLY " + session.quote_name(outside.name));
    return ground;
  }
  if (*refused) {
    ground.end = failed((*refused)->sqlstate, (*refused)->message);
  }
  return ground;
}

// Looked up, where the session still answers: what is left half done slows writes or hides rows
// until somebody ends it.
std::string what_remains(Session& session, AttemptTag const& tag, Outside const& outside) {
  auto const sight = look_at_catalog(session, tag, outside);
  if (!sight) {
    return "whether it left something behind could not be seen; a retry looks first";
  }
  if (!sight->leftovers.empty()) {
    return "the invalid index " + joined(sight->leftovers) +
           " remains; a retry drops it first, or drop it by hand: DROP INDEX CONCURRENTLY " +
           sight->leftovers.front();
  }
  if (!sight->finish.empty()) {
    return sight->seen + "; a retry ends it, or end it by hand: " + sight->finish;
  }
  return sight->state == Sight::State::half ? sight->seen + "; a retry ends it" : "";
}

// One message, one transaction: the marker is there exactly if the intent is finished.
std::string report_sql(Session const& session, AttemptTag const& tag) {
  return finish_intent_sql(session, tag) + "; " + insert_marker_sql(session, tag);
}

// None of the statements that stand outside a transaction changes rows.
AttemptResult report_done(Session& session, AttemptTag const& tag, std::string note) {
  auto const marked = session.run(report_sql(session, tag));
  if (!marked) {
    auto failure = marked.error();
    failure.message =
        "the statement was carried out, but its marker could not be written: " + failure.message;
    failure.fate = SqlFailure::Fate::unknown;
    return {
        .end = planner::AttemptEnd::lost, .failure = std::move(failure), .note = std::move(note)};
  }
  crash_point(CrashPoint::outside_marked);
  return {.note = std::move(note)};
}

// What ends an earlier try stands in a transaction, with the marker, and waits for its lock as a
// transaction of ours does: not for long, and again.
AttemptResult finish_earlier(Session& session, AttemptTag const& tag, Ground const& ground,
                             planner::LockPolicy const& lock, std::stop_token const& stop,
                             Waiting const& waiting) {
  planner::SqlAction const action{.statements =
                                      planner::read_sql({.text = ground.finish}).statements};
  LockWait wait(session, lock, action, waiting);
  return wait.run(stop, [&]() -> AttemptResult {
    auto done = session.run(begin_sql({.lock = lock.stall_budget, .statement = {}}))
                    .map([](auto const&) {})
                    .and_then([&] { return wait.take({}, stop); });
    if (done) {
      done = session.run(ground.finish + "; " + report_sql(session, tag) + "; COMMIT")
                 .map([](auto const&) {});
    }
    if (done) {
      return {.note = with(ground.note, "ended what an earlier try had begun: " + ground.finish)};
    }
    roll_back(session);
    return ended_by(done.error(), stop, {});
  });
}

// The server has answered that the statement failed: whatever is complete later is not its work,
// and nobody needs to wait for this session any more.
AttemptResult stopped_short(Session& session, AttemptTag const& tag, Outside const& outside,
                            SqlFailure failure, std::string note, std::stop_token const& stop) {
  auto result = ended_by(std::move(failure), stop, {});
  if (!session.alive()) {
    result.note = std::move(note);
    return result;
  }
  (void)session.run(fail_intent_sql(session, tag) + "; RESET application_name");
  auto const remains = what_remains(session, tag, outside);
  result.note = with(std::move(note), remains);
  if (result.failure && !remains.empty()) {
    result.failure->message += "\n" + remains;
  }
  return result;
}

}  // namespace

// No time limits here: one that fires inside the server's own waits leaves wreckage behind. The
// session carries its name before it looks at the fence: whoever claims it after that sees it.
AttemptResult run_concurrent(Session& session, AttemptTag const& tag,
                             planner::SqlAction const& action, int since_attempt,
                             std::stop_token stop, Waiting const& waiting) {
  if (stop.stop_requested()) {
    return interrupted("stopped before anything was sent");
  }
  auto const& statement = action.statements.front();
  auto const outside = planner::outside_of(statement).value_or(Outside{});
  auto const set = session.run(
      "SET " + name_sql(session, tag) + "; " + fence_guard_sql(session, tag) + "; " +
      alone_guard_sql(session, tag) + "; " + session_limits_sql({}) + std::string(limits_shown));
  if (auto held = limits_hold(set, {}, {}); !held) {
    return ended_by(held.error(), stop, {});
  }
  crash_point(CrashPoint::outside_ready);
  auto const ground = survey(session, tag, outside, since_attempt, stop);
  if (ground.end) {
    bool const already = ground.end->end == planner::AttemptEnd::done;
    return already ? report_done(session, tag, ground.end->note) : *ground.end;
  }
  if (stop.stop_requested()) {
    return interrupted(ground.note);
  }
  if (!ground.finish.empty()) {
    return finish_earlier(session, tag, ground, action.lock, stop, waiting);
  }
  crash_point(CrashPoint::outside_before_intent);
  if (auto written = session.run(insert_intent_sql(session, tag, statement, outside)); !written) {
    return ended_by(written.error(), stop, {});
  }
  crash_point(CrashPoint::outside_intent_written);
  crash_once_sent(CrashPoint::outside_sent, session, statement.sql.text);
  auto const done = session.run(statement.sql.text);
  if (!done) {
    crash_point(CrashPoint::outside_failed);
    return stopped_short(session, tag, outside, done.error(), ground.note, stop);
  }
  crash_point(CrashPoint::outside_done);
  return report_done(session, tag, ground.note);
}

}  // namespace runbookd::daemon
