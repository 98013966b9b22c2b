#include "daemon/jobs.h"

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>

#include "daemon/target/catalog.h"
#include "daemon/target/definitions.h"
#include "daemon/target/line.h"
#include "daemon/target/rest.h"
#include "planner/lint.h"
#include "store/crash_point.h"

namespace runbookd::daemon {
namespace {

using namespace planner;
using store::crash_point;
using store::CrashPoint;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr auto old_backend_looked_at_every = std::chrono::milliseconds{200};
constexpr int old_backend_looks = 50;
constexpr auto questions_take_at_most = "SET statement_timeout = '10s'";
constexpr Duration any_time{};
constexpr Duration target_is_waited_for{60'000};
constexpr Duration connect_again_after{500};
constexpr int question_tries = 3;

Duration since(SteadyTime begin) {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
}

Answer answer(Outcome outcome) { return {.outcome = std::move(outcome), .fingerprints = {}}; }

Session* watched(JobContext const& context, Session* session) {
  session->line()->answer_within(any_time);  // the eyes see whether there is a backend
  context.working(*session);
  return session;
}

// Of a failure to connect: a server that restarts, or a network that blinks. Whoever is refused by
// name, password or rights is refused the next time too.
bool passes_by(SqlFailure const& failure) {
  auto const& code = failure.sqlstate;
  return failure.fate == SqlFailure::Fate::unknown || code.empty() || code.starts_with("08") ||
         code.starts_with("57P") || code == "53300";
}

// Of a failure that says that this daemon was fenced.
std::optional<ClaimHolder> holder_of(JobContext const& context, SqlFailure const& failure) {
  if (failure.sqlstate != fenced_code) {
    return std::nullopt;
  }
  context.hands.overtaken();
  auto const session = context.hands.session();
  return session ? context.hands.held_by(**session).value_or(std::nullopt) : std::nullopt;
}

// A session before anything was asked of it: nothing is lost by waiting for one.
SqlResult<Session*> open(JobContext const& context) {
  auto const begin = std::chrono::steady_clock::now();
  auto session = context.hands.session();
  while (!session && passes_by(session.error()) && since(begin) < target_is_waited_for &&
         !context.waits_end.stop_requested()) {
    context.unreachable(session.error().message);
    rest(connect_again_after, context.stop);
    session = context.hands.session();
  }
  context.unreachable("");
  return session ? watched(context, *session) : session;
}

// A question changes nothing: where its connection was lost it is asked again.
template <typename Question>
auto ask(JobContext const& context, Question const& question)
    -> std::invoke_result_t<Question, Session&> {
  for (int left = question_tries;;) {
    auto session = open(context);
    if (!session) {
      return tl::unexpected(session.error());
    }
    auto answered = question(**session);
    bool const lost = !answered && answered.error().fate == SqlFailure::Fate::unknown;
    if (!lost || --left == 0 || context.waits_end.stop_requested()) {
      return answered;
    }
    context.hands.discard();
  }
}

// A digest, or nothing where the schema could not be read: it is then looked at again before the
// next step.
std::string fingerprint_into(Session& session, Answer& result) {
  crash_point(CrashPoint::fingerprint_asked);
  auto taken = take_fingerprint(session);
  if (!taken) {
    return "";
  }
  result.fingerprints.emplace_back(taken->digest, std::move(taken->body));
  return taken->digest;
}

bool is_concurrent(Action const& action) {
  auto const* sql = std::get_if<SqlAction>(&action);
  return sql != nullptr && !sql->transactional();
}

// Whether a statement that was stopped short left anything is seen in the schema.
std::string fingerprint_on_new_session(JobContext const& context, Answer& result) {
  auto session = context.hands.session();
  return session ? fingerprint_into(**session, result) : "";
}

bool drops_index_concurrently(Action const& action) {
  auto const* sql = std::get_if<SqlAction>(&action);
  if (sql == nullptr || sql->statements.size() != 1) {
    return false;
  }
  auto const outside = outside_of(sql->statements.front());
  return outside && outside->kind == Outside::Kind::drop_index;
}

// Taking back an index build that left nothing behind finds nothing to drop; the fingerprint proves
// it.
bool nothing_left_to_drop(AttemptJob const& job, AttemptResult const& result) {
  constexpr auto undefined_object = "42704";
  return job.tag.direction == Direction::backward && result.end == AttemptEnd::failed &&
         result.failure && result.failure->sqlstate == undefined_object &&
         drops_index_concurrently(*job.action);
}

// For one more worker of the attempt: by its name a session that outlives us is found.
SqlResult<std::unique_ptr<Session>> one_more(JobContext const& context, AttemptTag const& tag) {
  auto session = context.hands.another();
  if (!session) {
    return session;
  }
  if (auto named = (*session)->run("SET " + name_sql(**session, tag)); !named) {
    return tl::unexpected(std::move(named.error()));
  }
  (*session)->line()->answer_within(any_time);
  context.also_working(**session);
  return session;
}

AttemptResult run_action(JobContext const& context, Session& session, AttemptJob const& job) {
  if (auto const* fill = std::get_if<BackfillAction>(job.action)) {
    BackfillHelp const help{
        .stop = context.stop, .progress = context.progress, .pace = context.pace, .one_more = [&] {
          return one_more(context, job.tag);
        }};
    return run_backfill(session, job.tag, *fill, job.since_attempt, help);
  }
  if (std::holds_alternative<AutoAction>(
          *job.action)) {  // nobody may guess what it would have been
    return {
        .end = AttemptEnd::failed,
        .failure = SqlFailure{.sqlstate = "",
                              .message = "the record has no way back of this step; take it back "
                                         "by hand, then skip its reversal",
                              .statement = ""}};
  }
  auto const& sql = std::get<SqlAction>(*job.action);
  Waiting const waiting{.ends = context.waits_end,
                        .waited = job.waited,
                        .tries = job.tag.attempt - job.since_attempt + 1,
                        .jitter = context.jitter,
                        .memory = context.hands.lock_memory(job.tag, job.since_attempt, sql.lock),
                        .tell = context.standing};
  return sql.transactional()
             ? run_transactional(session, job.tag, sql, context.stop, waiting)
             : run_concurrent(session, job.tag, sql, job.since_attempt, context.stop, waiting);
}

// A statement of the plan names its session itself, with the message that begins its work.
SqlResult<void> name_session(Session& session, AttemptJob const& job) {
  if (!std::holds_alternative<BackfillAction>(*job.action)) {
    return {};
  }
  auto named = session.run("SET " + name_sql(session, job.tag));
  return named ? SqlResult<void>{} : tl::unexpected(std::move(named.error()));
}

// Nothing was asked of the target yet.
AttemptResult not_begun(SqlFailure failure) {
  auto const end = keeps_out(failure)            ? AttemptEnd::fenced
                   : failure.sqlstate == "55P03" ? AttemptEnd::busy
                                                 : AttemptEnd::failed;
  return {.end = end, .failure = std::move(failure)};
}

AttemptResult attempt(JobContext const& context, AttemptJob const& job, Session*& session) {
  crash_point(CrashPoint::attempt_announced);
  auto fenced = job;
  auto const ready = ask(context, [&](Session& opened) -> SqlResult<void> {
    session = &opened;
    crash_point(CrashPoint::attempt_connected);
    auto claim = context.hands.check_in(opened, job.tag);
    if (!claim) {
      return tl::unexpected(std::move(claim.error()));
    }
    fenced.tag.fence = std::move(*claim);
    return name_session(opened, job);
  });
  if (!ready && context.waits_end.stop_requested() && passes_by(ready.error())) {
    return {.end = AttemptEnd::interrupted,
            .failure = ready.error(),
            .note = "stopped while the target could not be reached; nothing was asked of it"};
  }
  if (!ready) {
    return not_begun(ready.error());
  }
  crash_point(CrashPoint::attempt_named);
  return run_action(context, *session, fenced);
}

SqlResult<DoubtAnswer> settle(JobContext const& context, Session& session, DoubtJob const& job) {
  // whoever stops us is not to wait for these questions: nothing cancels them
  if (auto set = session.run(std::string(questions_take_at_most)); !set) {
    return tl::unexpected(set.error());
  }
  auto settled = settle_doubt(session, job.tag, *job.action);
  bool ending = false;
  for (int i = 0; i < old_backend_looks && settled && settled->still_running; ++i) {
    context.orphan(settled->pid, settled->evidence);
    if (context.ending() && !std::exchange(ending, true)) {
      i = 0;  // it is given its time to end
    }
    if (context.stop.stop_requested() && !ending) {
      break;
    }
    rest(old_backend_looked_at_every, ending ? std::stop_token{} : context.stop);
    settled = settle_doubt(session, job.tag, *job.action);
  }
  context.orphan(0, "");
  if (auto reset = session.run("RESET statement_timeout"); settled && !reset) {
    return tl::unexpected(reset.error());
  }
  return settled;
}

QueryAnswer result_of(JobContext const& context, Check const& check) {
  bool const expects_error = std::holds_alternative<FailsWith>(check.expect);
  auto result = ask(context, [&](Session& session) -> SqlResult<QueryAnswer> {
    auto answered = run_check(session, check.sql, check.timeout, expects_error);
    bool const lost = answered.failure && answered.failure->fate == SqlFailure::Fate::unknown;
    return lost ? tl::unexpected(std::move(*answered.failure))
                : SqlResult<QueryAnswer>(std::move(answered));
  });
  return result ? std::move(*result) : QueryAnswer{.failure = std::move(result.error())};
}

Cell first_cell(QueryAnswer const& result) {
  return result.rows.empty() || result.rows.front().empty() ? std::nullopt
                                                            : result.rows.front().front();
}

}  // namespace

Answer do_job(JobContext const& context, BaselineJob const& job) {
  auto session = context.hands.session();  // whoever starts a run hears at once what is wrong
  if (!session) {
    return answer(BaselinesRead{.failure = session.error(), .failed_name = "connection"});
  }
  BaselinesRead read{.values = {}, .target = context.hands.found()};
  auto const failed = [&read](SqlFailure const& failure, std::string name) {
    read.failure = failure;
    read.failed_name = std::move(name);
    return answer(std::move(read));
  };
  watched(context, *session);
  if (auto checked = check_target(**session, *job.plan); !checked) {
    return failed(checked.error(), "target check");
  }
  auto known = read_server(**session);
  if (!known) {
    return failed(known.error(), "target check");
  }
  read.findings = planner::made_by_target(
      planner::lint(*job.plan, planner::options_for(std::move(*known))), planner::lint(*job.plan));
  crash_point(CrashPoint::target_surveyed);
  if (auto prepared = prepare_target(**session); !prepared) {
    return failed(prepared.error(), "schema runbookd");
  }
  crash_point(CrashPoint::target_prepared);
  if (auto claim = context.hands.check_in(**session, job.tag); !claim) {
    read.held_by = holder_of(context, claim.error());
    return failed(claim.error(), "target fence");
  }
  for (auto const& baseline : job.plan->baselines) {
    auto const result = run_check(**session, baseline.sql, Check{}.timeout, false);
    if (result.failure) {
      return failed(*result.failure, "baseline " + baseline.name);
    }
    auto const value = first_cell(result);
    if (!value) {
      return failed({.sqlstate = "",
                     .message = "the query gave no row or NULL; a baseline needs a value that "
                                "later checks can be compared with",
                     .statement = baseline.sql.text},
                    "baseline " + baseline.name);
    }
    read.values[baseline.name] = value;
    crash_point(CrashPoint::baseline_read);
  }
  return answer(std::move(read));
}

Answer do_job(JobContext const& context, CheckJob const& job) {
  crash_point(CrashPoint::checks_begun);
  ChecksRun run{.stage = job.stage, .phase = job.phase, .which = job.which};
  for (auto const& check : job.checks) {
    auto const begin = std::chrono::steady_clock::now();
    auto const result = result_of(context, check);
    crash_point(CrashPoint::check_answered);
    run.results.push_back(judge_check(check, result, job.baselines));
    run.results.back().took = since(begin);
  }
  if (context.stop.stop_requested()) {
    return {};  // cancelled questions have no answer
  }
  crash_point(CrashPoint::checks_judged);
  return answer(std::move(run));
}

Answer do_job(JobContext const& context, FingerprintJob const& job) {
  FingerprintRead read;
  if (job.way_back_of) {
    auto derived =
        ask(context, [&](Session& session) { return way_back_now(session, job.statements); });
    if (!derived) {
      context.hands.discard();
      read.failure = std::move(derived.error());
      read.way_back_of = job.way_back_of;
      return answer(std::move(read));
    }
    read.way_back = WayBackRead{.ref = *job.way_back_of, .sql = recorded_text(*derived)};
  }
  auto taken = ask(context, [](Session& session) {
    crash_point(CrashPoint::fingerprint_asked);
    return take_fingerprint(session);
  });
  if (!taken) {
    context.hands.discard();
    read.failure = std::move(taken.error());
    read.way_back.reset();
    return answer(std::move(read));
  }
  crash_point(CrashPoint::fingerprint_read);
  read.digest = taken->digest;
  auto result = answer(std::move(read));
  result.fingerprints.emplace_back(taken->digest, std::move(taken->body));
  return result;
}

Answer do_job(JobContext const& context, AttemptJob const& job) {
  auto const begin = std::chrono::steady_clock::now();
  Session* session = nullptr;
  auto result = attempt(context, job, session);
  crash_point(CrashPoint::attempt_ended);
  auto const held_by =
      result.end == AttemptEnd::fenced ? holder_of(context, *result.failure) : std::nullopt;
  if (nothing_left_to_drop(job, result)) {
    result = {.end = AttemptEnd::done, .note = "nothing was left to drop"};
  }
  AttemptEnded ended{.ref = job.tag.ref,
                     .direction = job.tag.direction,
                     .attempt = job.tag.attempt,
                     .end = result.end,
                     .rows = result.rows,
                     .took = since(begin),
                     .lock_wait = result.lock_wait,
                     .failure = result.failure,
                     .blockers = result.blockers,
                     .filled = result.filled,
                     .held_by = held_by,
                     .note = result.note,
                     .jitter = context.jitter};
  Answer told;
  if (ended.end == AttemptEnd::done && job.fingerprint_after) {
    ended.fingerprint = fingerprint_into(*session, told);
  }
  // a cancel that comes late must not hit the next statement
  bool const trusted = ended.end == AttemptEnd::done || ended.end == AttemptEnd::busy;
  if (trusted && !context.stop.stop_requested()) {
    context.hands.used_by_plan();
  } else {
    context.hands.discard();
  }
  bool const stopped_short =
      ended.end == AttemptEnd::failed || ended.end == AttemptEnd::interrupted;
  if (stopped_short && is_concurrent(*job.action)) {
    ended.fingerprint = fingerprint_on_new_session(context, told);
  }
  crash_point(CrashPoint::attempt_read);
  told.outcome = std::move(ended);
  return told;
}

Answer do_job(JobContext const& context, DoubtJob const& job) {
  crash_point(CrashPoint::doubt_begun);
  context.hands.discard();  // whatever that session was, it is part of the doubt
  // its pid is not told: what is cancelled while this job runs is the old session, never this one
  auto session = context.hands.session();
  if (!session) {
    return answer(DoubtUnanswered{.ref = job.tag.ref, .failure = session.error()});
  }
  // after the claim no session of an older daemon can commit what is looked for in vain now
  if (auto claim = context.hands.check_in(**session, job.tag); !claim) {
    if (auto held_by = holder_of(context, claim.error())) {
      return answer(ClaimSeen{std::move(held_by)});
    }
    if (!keeps_out(claim.error()) || claim.error().sqlstate == fenced_code) {
      return answer(DoubtUnanswered{.ref = job.tag.ref, .failure = claim.error()});
    }
  }
  auto const settled = settle(context, **session, job);
  if (!settled) {
    return answer(DoubtUnanswered{.ref = job.tag.ref, .failure = settled.error()});
  }
  if (settled->still_running) {
    return answer(DoubtUnanswered{
        .ref = job.tag.ref,
        .failure = {.sqlstate = "", .message = settled->evidence, .statement = ""}});
  }
  DoubtAnswered told{.ref = job.tag.ref,
                     .direction = job.tag.direction,
                     .attempt = job.tag.attempt,
                     .answer = settled->answer,
                     .evidence = settled->evidence,
                     .fingerprint = ""};
  if (std::holds_alternative<BackfillAction>(*job.action)) {
    told.filled = read_filled(**session, job.tag, job.since_attempt).value_or(std::nullopt);
  }
  Answer result;
  bool const wanted =
      told.answer == Doubt::applied ? job.fingerprint_after : is_concurrent(*job.action);
  if (wanted) {
    told.fingerprint = fingerprint_into(**session, result);
  }
  crash_point(CrashPoint::doubt_answered);
  result.outcome = std::move(told);
  return result;
}

Answer do_job(JobContext const& context, ClaimJob const&) {
  auto session = context.hands.session();  // whoever is not there now is asked when it is needed
  if (!session) {
    return {};
  }
  watched(context, *session);
  auto held_by = context.hands.held_by(**session);
  return held_by ? answer(ClaimSeen{std::move(*held_by)}) : Answer{};
}

Answer do_job(JobContext const& context, FarewellJob const&) {
  if (auto session = open(context)) {
    context.hands.check_out(**session);
  }
  return {};
}

}  // namespace runbookd::daemon
