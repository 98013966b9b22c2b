#include "tests/model/world.h"

#include <algorithm>
#include <sstream>

#include "planner/run_rules.h"

namespace runbookd::tests {

using namespace planner;

namespace {

constexpr auto creator = "ana";
constexpr auto other_person = "ben";

SqlFailure failure(std::string const& sqlstate) {
  return {.sqlstate = sqlstate, .message = "said so"};
}

ClaimHolder other_daemon() { return {.id = "other", .host = "elsewhere", .pid = 7}; }

struct Answers {
  Plan const& plan;
  Node const& node;
  std::vector<Move> moves;

  void add(std::string name, Node from, Outcome const& outcome) {
    Move move{.name = std::move(name)};
    move.events = judge(plan, from.state, outcome, from.world.now);
    move.next = {.state = evolve(plan, from.state, move.events), .world = from.world};
    moves.push_back(std::move(move));
  }

  // The last step that went each way: what a standby that lagged behind is most likely to lack.
  std::set<StepRef> last_finished() const {
    std::optional<StepRef> done, undone;
    for (int p = 0; p < std::ssize(plan.phases); ++p) {
      for (int i = 0; i < std::ssize(plan.phases[p].steps); ++i) {
        StepRef const ref{.phase = p, .step = i};
        auto const way = ended_on_target(plan, node.state, ref);
        done = way == Direction::forward ? ref : done;
        undone = way == Direction::backward && !undone ? ref : undone;
      }
    }
    std::set<StepRef> refs;
    for (auto const& ref : {done, undone}) {
      if (ref) {
        refs.insert(*ref);
      }
    }
    return refs;
  }
  // The session that the answer needed finds a promoted standby.
  void failover() {
    add("failover, nothing lost", node, FailoverSeen{.now = {.timeline = "2"}, .lost = {}});
    if (node.world.failed_over) {
      return;
    }
    for (auto const& ref : last_finished()) {
      auto over = node;
      over.world.failed_over = true;
      add("failover, not proven", over, FailoverSeen{.now = {.timeline = "2"}, .lost = {ref}});
      if (!over.world.applied.erase(ref)) {
        over.world.applied.insert(ref);
      }
      add("failover, lost", over, FailoverSeen{.now = {.timeline = "2"}, .lost = {ref}});
    }
  }

  void operator()(DoNothing const&) {}
  void operator()(WaitUntil const& wait) {
    auto later = node;
    later.world.now = std::max(later.world.now, wait.at);
    add("time", later, TimeReached{});
  }
  void operator()(RecordBaselines const&) {
    add("baselines", node, BaselinesRead{.values = {{"total", "7"}}, .target = {.timeline = "1"}});
    add("baselines fail", node, BaselinesRead{.failure = failure("08006"), .failed_name = "total"});
    add("the target makes an error", node,
        BaselinesRead{.target = {.timeline = "1"},
                      .findings = {{.rule = "sql/no-such-table", .step = "a/b"}}});
  }
  void operator()(RunChecks const& checks) {
    failover();
    for (auto const verdict : {Verdict::passed, Verdict::failed, Verdict::error}) {
      ChecksRun run{.stage = checks.stage, .phase = checks.phase, .which = checks.which};
      for (std::size_t i = 0; i < checks.which.size(); ++i) {
        run.results.push_back({.name = "c", .verdict = verdict});
      }
      add("checks " + std::string{to_text(verdict)}, node, run);
    }
  }
  void operator()(TakeFingerprint const& wanted) {
    failover();
    FingerprintRead read{.digest = node.world.fingerprint()};
    if (wanted.way_back_of) {
      read.way_back = WayBackRead{.ref = *wanted.way_back_of, .sql = "SELECT 1"};
    }
    add("fingerprint", node, read);
    if (node.state.mismatch) {
      add("fingerprint still differs", node,
          FingerprintRead{.digest = node.world.fingerprint() + "+", .difference = "+"});
    }
    add("fingerprint fails", node,
        FingerprintRead{.failure = failure("08006"), .way_back_of = wanted.way_back_of});
  }
  void operator()(RunStep const& step) {
    failover();
    attempt(step.ref, step.direction, step.attempt, node);
  }
  void operator()(ResolveDoubt const& doubt) {
    bool const there = node.world.applied.contains(doubt.ref);
    bool const applied = there == (doubt.direction == Direction::forward);
    DoubtAnswered answer{.ref = doubt.ref,
                         .direction = doubt.direction,
                         .attempt = doubt.attempt,
                         .answer = applied ? Doubt::applied : Doubt::not_applied,
                         .fingerprint = applied ? node.world.fingerprint() : ""};
    failover();
    add("doubt settled", node, answer);
    answer.answer = Doubt::unknowable;
    answer.fingerprint.clear();
    add("doubt cannot be settled", node, answer);
    add("doubt not asked, the target is held", node, ClaimSeen{other_daemon()});
    add("doubt unanswered", node, DoubtUnanswered{.ref = doubt.ref, .failure = failure("08006")});
  }
  void operator()(Quiesce const& quiesce) {
    if (node.state.trying) {
      auto const ref = *node.state.current;
      failover();
      attempt(ref, node.state.direction, node.state.at(ref).attempts, node);
    } else {
      add("quiesced", node, Quiesced{});
    }
    if (quiesce.escalate_at) {
      auto later = node;
      later.world.now = std::max(later.world.now, *quiesce.escalate_at);
      add("escalation", later, TimeReached{});
    }
  }

  void attempt(StepRef ref, Direction direction, int number, Node const& from) {
    auto applied = from;
    if (direction == Direction::forward) {
      applied.world.applied.insert(ref);
    } else {
      applied.world.applied.erase(ref);
    }
    AttemptEnded ended{.ref = ref, .direction = direction, .attempt = number};
    ended.fingerprint = applied.world.fingerprint();
    add("attempt done", applied, ended);
    if (direction == Direction::backward) {
      ended.fingerprint += "+";
      ended.difference = "+";
      add("attempt done, schema differs", applied, ended);
      ended.difference.clear();
    }
    ended.fingerprint.clear();
    ended.failure = failure("55P03");
    ended.end = AttemptEnd::busy;
    add("attempt busy", from, ended);
    ended.end = AttemptEnd::failed;
    add("attempt failed", from, ended);
    ended.end = AttemptEnd::interrupted;
    add("attempt interrupted", from, ended);
    ended.end = AttemptEnd::fenced;
    add("attempt fenced", from, ended);
    ended.held_by = other_daemon();
    add("attempt fenced by another daemon", from, ended);
    ended.held_by.reset();
    ended.end = AttemptEnd::lost;
    add("attempt lost, not applied", from, ended);
    add("attempt lost, applied", applied, ended);
  }
};

// What the conductor does before it acts: make the beginning durable.
Node announced(Plan const& plan, Node node, Events& events) {
  auto const wanted = intent(plan, node.state, node.world.now);
  events = announce(node.state, wanted, node.world.now);
  node.state = evolve(plan, node.state, events);
  return node;
}

void put_moment(std::ostream& out, std::optional<Moment> moment, Moment now) {
  if (!moment || *moment == Moment{}) {
    out << "-;";
    return;
  }
  out << std::max<Duration::rep>(-1, (*moment - now).count()) << ';';
}

// Only how long ago counts, and only up to the longest give_up_after of the small plans.
void put_first_try(std::ostream& out, StepState const& step, Moment now) {
  bool const counting = step.first_try != Moment{} && (step.status == StepStatus::running ||
                                                       step.status == StepStatus::reverting);
  out << (counting ? std::min<Duration::rep>(300, (now - step.first_try).count()) : -1) << ';';
}

}  // namespace

std::string World::fingerprint() const {
  std::string text = "f";
  for (auto const& ref : applied) {
    text += std::to_string(ref.phase) + "." + std::to_string(ref.step) + " ";
  }
  return text;
}

std::vector<Command> every_command(Plan const& plan, RunState const& state) {
  auto const gate = plan.phases[state.phase].name;
  std::vector<Ask> const asks{
      Start{},
      Advance{.to_phase = gate},
      Advance{.to_phase = "elsewhere"},
      Approve{gate, {}},
      Reject{gate},
      Evaluate{},
      Confirm{},
      Pause{},
      Pause{.mode = StopMode::now},
      Pause{.escalate_after = std::chrono::seconds{1}},
      Throttle{.to = Throttle::To::ratio, .percent = 30},
      Throttle{.to = Throttle::To::off},
      Resume{},
      Retry{},
      Skip{},
      Resolve{.succeeded = true, .evidence = "seen"},
      Resolve{.succeeded = false, .evidence = "seen"},
      RollBack{},
      RollBack{.extent = RollBack::Extent::all},
      RollBack{.extent = RollBack::Extent::to_phase, .to = plan.phases.back().name},
      Cancel{plan.name},
      Cancel{},
  };
  std::vector<Command> commands;
  for (auto const& ask : asks) {
    commands.push_back({.ask = ask, .actor = creator, .reason = "because"});
  }
  commands.push_back({.ask = Approve{gate, {}}, .actor = other_person, .reason = ""});
  commands.push_back({.ask = Withdraw{gate}, .actor = other_person, .reason = ""});
  commands.push_back({.ask = Override{gate, gate}, .actor = creator, .reason = "it has to go on"});
  commands.push_back({.ask = Countersign{gate}, .actor = creator, .reason = ""});
  commands.push_back({.ask = Countersign{gate}, .actor = other_person, .reason = ""});
  if (state.held_by) {
    for (auto const& ask : {Ask{Start{}}, Ask{Resume{}}, Ask{Retry{}}, Ask{RollBack{}}}) {
      commands.push_back(
          {.ask = ask, .actor = creator, .reason = "that one is stopped", .take_over = true});
    }
  }
  return commands;
}

Node begin(Plan const& plan) {
  Node node{.state = initial_state(plan), .world = {}};
  node.world.now = Moment{std::chrono::hours{1}};
  node.state =
      evolve(plan, node.state, Event{.at = node.world.now, .actor = creator, .body = RunCreated{}});
  return node;
}

std::vector<Move> every_move(Plan const& plan, Node const& node) {
  std::vector<Move> moves;
  for (auto const& command : every_command(plan, node.state)) {
    Move move{.name = std::string{verb_of(command.ask)}, .is_command = true, .next = node};
    auto decided = decide(plan, node.state, command, node.world.now);
    if (decided) {
      move.events = std::move(*decided);
      move.next.state = evolve(plan, node.state, move.events);
    } else {
      move.refused = true;
      move.error = decided.error();
    }
    // a person's word that a step stands or does not stand is taken as true
    if (auto const* resolve = std::get_if<Resolve>(&command.ask); resolve != nullptr && decided) {
      auto const& said = std::get<StepResolved>(move.events.front().body);
      if (resolve->succeeded == (said.direction == Direction::forward)) {
        move.next.world.applied.insert(said.ref);
      } else {
        move.next.world.applied.erase(said.ref);
      }
    }
    moves.push_back(std::move(move));
  }
  Events before;
  auto const ready = announced(plan, node, before);
  Answers answers{.plan = plan, .node = ready, .moves = {}};
  std::visit(answers, intent(plan, node.state, node.world.now));
  // the daemon may die before and after every answer
  answers.add("restart", ready, Restarted{});
  for (auto& move : answers.moves) {
    move.events.insert(move.events.begin(), before.begin(), before.end());
    moves.push_back(std::move(move));
  }
  return moves;
}

std::string key_of(Plan const& plan, Node const& node) {
  auto const& s = node.state;
  auto const now = node.world.now;
  std::ostringstream out;
  out << static_cast<int>(s.mode) << static_cast<int>(s.direction) << static_cast<int>(s.stage)
      << s.phase << s.trying << s.in_doubt << s.mismatch << s.checks_failed << s.interrupt
      << s.restarted << ';';
  if (s.current) {
    out << s.current->phase << '.' << s.current->step;
  }
  if (s.direction == Direction::backward) {
    out << '<' << s.rollback_to.phase << '.' << s.rollback_to.step;
  }
  out << ';' << s.fingerprint << ';' << s.approvers.size() << ';' << s.accepted.size() << ';'
      << s.override_asked.has_value() << s.gate_overridden.has_value() << ';'
      << s.failed_checks.size() << '/' << s.overridden.size() << ';';
  for (auto const& moment : {s.escalate_at, s.not_until, s.ask_doubt_at}) {
    put_moment(out, moment, now);
  }
  out << (s.time_left ? s.time_left->count() : -1) << ';';
  for (auto const& due : s.watch_due) {
    put_moment(out, due, now);
  }
  // a person's next decision starts the count of losses anew
  bool const moving = s.mode == RunMode::running || s.mode == RunMode::pausing;
  for (int p = 0; p < std::ssize(plan.phases); ++p) {
    bool const timed = p + 1 < std::ssize(plan.phases) && plan.phases[p + 1].not_before;
    out << (s.completed_at[p] != Moment{}
                ? (timed ? std::min<Duration::rep>(1'000, (now - s.completed_at[p]).count()) : 1)
                : 0)
        << ';';
    for (auto const& step : s.steps[p]) {
      out << static_cast<int>(step.status) << step.started << step.kept
          << (moving ? step.losses : 0) << step.before << step.way_back << '/' << (step.series != 0)
          << static_cast<int>(step.series_direction)
          << (step.status == StepStatus::running ? std::min(2, step.attempts - step.series) : 0);
      put_first_try(out, step, now);
    }
  }
  for (auto const& ref : s.lost) {
    out << '!' << ref.phase << '.' << ref.step;
  }
  for (auto const& hand : {s.throttle.standing, s.throttle.timed}) {
    out << (hand ? hand->percent : -1) << '/';
  }
  out << s.held_by.has_value() << node.world.failed_over << node.world.fingerprint();
  return out.str();
}

}  // namespace runbookd::tests
