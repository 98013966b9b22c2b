#include "tests/chaos/sequence.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include "store/crash_point.h"
#include "tests/chaos/killer.h"
#include "tests/chaos/verdict.h"

namespace runbookd::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 40s;
constexpr auto look_every = 5ms;
constexpr int most_rounds = 12;
constexpr std::size_t log_kept = 6000;
constexpr int killed_exit = 128 + SIGKILL;
constexpr auto end_our_sessions =
    "SELECT pg_sleep(0.02), pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name LIKE 'runbookd/%'";
constexpr auto hold_a_lock =
    "BEGIN; LOCK TABLE t IN ACCESS SHARE MODE; SELECT pg_sleep(0.08); COMMIT";

// Entries into a phase that were stopped by a check of the phase before it.
int gates_kept_shut(Record const& record) {
  return static_cast<int>(std::ranges::count_if(record.events, [](planner::Event const& event) {
    auto const* judged = std::get_if<planner::ChecksJudged>(&event.body);
    return judged != nullptr && judged->stage == planner::CheckStage::requirements &&
           std::ranges::any_of(judged->results, [](planner::CheckResult const& result) {
             return result.verdict != planner::Verdict::passed &&
                    result.name.find('/') != std::string::npos;
           });
  }));
}

std::string prepared(Site& site, RandomPlan const& plan) {
  site.renew();
  site.sql(plan.setup);
  return site.dsn();
}

std::string any_crash(std::mt19937& chance) {
  auto const point = static_cast<std::size_t>(below(chance, std::ssize(store::crash_points)));
  return "RUNBOOKD_CRASH=" + std::string(store::crash_points[point].name) + ":" +
         std::to_string(1 + below(chance, 3));
}

}  // namespace

Sequence::Sequence(Site& site, Environment environment, unsigned seed, Figures& figures)
    : site_(site),
      environment_(std::move(environment)),
      chance_(seed),
      figures_(figures),
      plan_(random_plan(chance_)),
      rounds_(3 + below(chance_, most_rounds - 2)),
      daemon_({.targets = {{"main", prepared(site, plan_)}}, .start = false}) {}

void Sequence::run(int rounds) {
  start();
  id_ = daemon_.create(plan_.document.dump(2));
  operators_.emplace(daemon_, plan_, id_);
  for (int i = 0; i < rounds; ++i) {
    round();
    expect_rest_where_paused();
  }
  come_to_rest();
  judge_all();
}

// --- lives

// A life that ends before it answers is followed by one without a crash point.
void Sequence::start(Environment const& more) {
  auto environment = environment_;
  environment.insert(environment.end(), more.begin(), more.end());
  while (!daemon_.try_start(environment)) {
    expect_killed();
    environment = environment_;
  }
}

void Sequence::expect_killed() {
  ++figures_.deaths;
  if (auto const code = daemon_.wait_for_end(); code != killed_exit) {
    auto const log = daemon_.log();
    throw Violation("the daemon ended by itself with " + std::to_string(code) + "\n" +
                    log.substr(log.size() - std::min(log.size(), log_kept)));
  }
}

void Sequence::kill(Environment const& next) {
  ::kill(daemon_.pid(), SIGKILL);
  expect_killed();
  start(next);
}

void Sequence::revive() {
  if (!daemon_.alive()) {
    expect_killed();
    start();
  }
}

// --- what happens

void Sequence::round() {
  switch (below(chance_, 10)) {
    case 0:
      kill();
      return;
    case 1:
    case 2:
      kill({any_crash(chance_)});
      race({});
      return;
    case 3:
      site_.sql(mend_everything);
      return;
    case 4:
    case 5:
      race(std::chrono::milliseconds(below(chance_, 60)));
      return;
    case 6: {
      std::jthread const other(
          [this, what = one_in(chance_, 2) ? hold_a_lock : end_our_sessions] { site_.sql(what); });
      race({});
      return;
    }
    case 7:
      std::this_thread::sleep_for(std::chrono::milliseconds(10 + below(chance_, 90)));
      revive();
      return;
    default:
      race({});
  }
}

void Sequence::race(std::optional<std::chrono::milliseconds> kill_after) {
  {
    std::optional<Killer> killer;
    if (kill_after) {
      killer.emplace(daemon_.pid(), *kill_after);
    }
    std::vector<std::jthread> people;
    for (int i = 0, count = 1 + below(chance_, 3); i < count; ++i) {
      people.emplace_back(
          [this, seed = chance_(), asks = 1 + below(chance_, 3)] { ask_some(seed, asks); });
    }
  }
  if (!trouble_.empty()) {
    throw Violation(trouble_);
  }
  revive();
}

void Sequence::ask_some(std::mt19937::result_type seed, int asks) {
  try {
    std::mt19937 chance(seed);
    for (int ask = 0; ask < asks; ++ask) {
      operators_->ask_anything(chance);
    }
  } catch (std::exception const& problem) {
    std::lock_guard const lock(mutex_);
    trouble_ = problem.what();
  }
}

bool Sequence::is_over(json const& run, bool back) const {
  auto const state = run.at("state").get<std::string>();
  if (state == "attention") {
    throw Violation("the run asks for a person: " + run.dump(2));
  }
  bool const may_go_back = run.at("actions").at("rollback").at("allowed");
  return state == "rolled_back" || state == "cancelled" ||
         (state == "succeeded" && !(back && may_go_back));
}

// Between rounds nobody asks for anything: what is said to be paused stays so.
void Sequence::expect_rest_where_paused() {
  auto const run = operators_->look();
  if (!run || run->at("state") != "paused") {
    return;
  }
  site_.expect_nothing_held();
  ++figures_.pauses;
}

// At a gate, what the phase before has shown holds no more: whoever enters the next one is told.
void Sequence::break_at_gate(json const& run) {
  auto const wish = next_wish(run);
  if (wish.verb != "advance") {
    return;
  }
  auto const next = wish.body.at("to_phase").get<std::string>();
  auto const before = "p" + std::to_string(std::stoi(next.substr(1)) - 1);
  site_.sql("INSERT INTO broken VALUES ('validates-" + before + "'), ('watches-" + before + "')");
}

// On to the end, back to the beginning, or given up.
void Sequence::come_to_rest() {
  site_.sql(mend_everything);
  enum class Goal { cancelled, rolled_back, end };
  auto const goal = std::min(Goal{below(chance_, 4)}, Goal::end);
  bool back = goal == Goal::rolled_back;
  for (auto const end = Clock::now() + patience; Clock::now() < end;) {
    revive();
    auto const run = operators_->look();
    if (!run) {
      continue;
    }
    if (is_over(*run, back)) {
      return;
    }
    if (run->at("state") == "failed") {
      site_.sql(mend_everything);
    } else if (one_in(chance_, 3)) {
      break_at_gate(*run);
    }
    auto const& rollback = run->at("actions").at("rollback");
    if (goal == Goal::cancelled && run->at("state") != "cancelling") {
      operators_->ask({.verb = "cancel", .body = {{"confirm", "random"}}}, chance_);
    } else if (back && rollback.at("allowed") == true && run->at("direction") == "forward") {
      // a point of no return may lie behind it
      back = operators_->ask({.verb = "rollback", .body = {{"to", "all"}}}, chance_) != 409;
    } else {
      operators_->ask(next_wish(*run), chance_);
    }
    std::this_thread::sleep_for(look_every);
  }
  throw Violation("no end is reached:\n" + daemon_.run(id_).dump(2));
}

// A crash point may lie behind the end of the run: where it ends the daemon, the next life tells.
std::vector<json> Sequence::read_events() {
  try {
    return daemon_.events(id_);
  } catch (std::exception const&) {
    for (auto const end = Clock::now() + patience; daemon_.alive();) {
      if (Clock::now() >= end) {
        throw;
      }
      std::this_thread::sleep_for(look_every);
    }
    revive();
    return daemon_.events(id_);
  }
}

void Sequence::judge_all() {
  auto const lines = read_events();
  daemon_.kill();
  site_.expect_no_backend();
  auto const record = read_record(daemon_.store_path(), id_);
  auto const& heard = operators_->heard();
  ++figures_.sequences;
  figures_.events += static_cast<int>(record.revision());
  figures_.gates_shut += gates_kept_shut(record);
  for (auto const& one : heard.exchanges) {
    ++figures_.commands;
    figures_.refused += one.status != 0 && !one.accepted() ? 1 : 0;
    figures_.unheard += one.status == 0 ? 1 : 0;
  }
  judge(record, heard, lines, plan_, site_);
}

}  // namespace runbookd::chaos
