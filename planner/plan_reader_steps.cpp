#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "planner/plan_reading.h"
#include "planner/sql.h"
#include "planner/way_back.h"

namespace runbookd::planner {
namespace {

// What a step's keys say, before it is clear which of them fit together.
struct StepDraft {
  Step step;
  Timing timing;
  Node const* lock = nullptr;
  Node const* statement_timeout = nullptr;
  Node const* sql = nullptr;
  Node const* sql_file = nullptr;
  Node const* manual = nullptr;
  Node const* wait = nullptr;
  Node const* backfill = nullptr;
  Node const* rollback = nullptr;
  Node const* rollback_file = nullptr;
  Node const* rollback_manual = nullptr;
  Node const* irreversible = nullptr;
};

// What `rollback:` holds when it is a mapping.
struct WayBackDraft {
  Node const* sql = nullptr;
  Node const* sql_file = nullptr;
  Node const* backfill = nullptr;
  Node const* manual = nullptr;
  Node const* nothing = nullptr;
};

constexpr std::string_view how_to_go_back =
    "add `rollback: <the SQL that undoes it>`, `rollback: auto`, `rollback_manual: <what a person "
    "does>`, "
    "`rollback: {nothing: <why nothing is left to undo>}` or `irreversible: <why nothing can undo "
    "it>`";

void read_step_name(Reading& reading, Node const& node, StepDraft& draft) {
  draft.step.name = reading.free_name(node);
}
void read_description(Reading& reading, Node const& node, StepDraft& draft) {
  draft.step.description = reading.text(node).value_or("");
}
void read_skippable(Reading& reading, Node const& node, StepDraft& draft) {
  draft.step.skippable = reading.flag(node).value_or(false);
}
void read_step_lock(Reading& reading, Node const& node, StepDraft& draft) {
  draft.lock = &node;
  draft.timing.lock = read_lock(reading, node, draft.timing.lock);
}
void read_step_timeout(Reading& reading, Node const& node, StepDraft& draft) {
  draft.statement_timeout = &node;
  auto& timeout = draft.timing.statement_timeout;
  timeout = reading.duration(node, Duration{0}).value_or(timeout);
}
void refuse_preserve(Reading& reading, Node const& node, StepDraft&) {
  reading.error(node.key_spot, "plan/not-yet", "`preserve` is not there yet in this version",
                "copy the data with a step of its own before (CREATE TABLE … AS SELECT …), and "
                "bring it back in the "
                "rollback of a later step");
}

constexpr std::array step_table_keys{
    Key<StepDraft>{"name", read_step_name, Presence::required},
    Key<StepDraft>{"description", read_description},
    Key<StepDraft>{"sql", keep_node<&StepDraft::sql>},
    Key<StepDraft>{"sql_file", keep_node<&StepDraft::sql_file>},
    Key<StepDraft>{"manual", keep_node<&StepDraft::manual>},
    Key<StepDraft>{"wait", keep_node<&StepDraft::wait>},
    Key<StepDraft>{"backfill", keep_node<&StepDraft::backfill>},
    Key<StepDraft>{"rollback", keep_node<&StepDraft::rollback>},
    Key<StepDraft>{"rollback_file", keep_node<&StepDraft::rollback_file>},
    Key<StepDraft>{"rollback_manual", keep_node<&StepDraft::rollback_manual>},
    Key<StepDraft>{"irreversible", keep_node<&StepDraft::irreversible>},
    Key<StepDraft>{"lock", read_step_lock},
    Key<StepDraft>{"statement_timeout", read_step_timeout},
    Key<StepDraft>{"skippable", read_skippable},
    Key<StepDraft>{"preserve", refuse_preserve, Presence::not_yet},
};
constexpr Table<StepDraft> step_table{"step", "a step", step_table_keys};

constexpr std::array way_back_keys{
    Key<WayBackDraft>{"sql", keep_node<&WayBackDraft::sql>},
    Key<WayBackDraft>{"sql_file", keep_node<&WayBackDraft::sql_file>},
    Key<WayBackDraft>{"backfill", keep_node<&WayBackDraft::backfill>},
    Key<WayBackDraft>{"manual", keep_node<&WayBackDraft::manual>},
    Key<WayBackDraft>{"nothing", keep_node<&WayBackDraft::nothing>},
};
constexpr Table<WayBackDraft> way_back_table{"rollback", "`rollback`", way_back_keys};

// The only one of several keys that exclude each other; reports a second one.
Node const* only_one(Reading& reading, std::initializer_list<Node const*> nodes) {
  Node const* first = nullptr;
  for (Node const* node : nodes) {
    if (node != nullptr && first != nullptr) {
      reading.error(
          node->key_spot, "plan/conflict",
          "`" + node->key + "` cannot stand beside `" + first->key + "`: only one of them",
          "make two steps of it, or remove one of the keys");
    }
    first = first == nullptr ? node : first;
  }
  return first;
}

std::string reason_of(Reading& reading, Node const& node) {
  auto const reason = reading.text(node);
  if (reason && reason->empty()) {
    reading.error(node.spot, "plan/bad-value", "`" + node.key + "` must say why",
                  "write the reason");
  }
  return reason.value_or("");
}

// Of SQL that could not even be found there is no more to say.
SqlAction sql_action(Reading& reading, std::optional<SqlText> source, Timing const& timing) {
  SqlAction action{.lock = timing.lock, .statement_timeout = timing.statement_timeout};
  if (source) {
    ReadSql read = read_sql(*source, reading.oldest_server);
    for (auto& finding : read.findings) {
      if (finding.rule == "sql/syntax" && finding.fix.empty() && reading.oldest_server == 0) {
        finding.fix =
            "correct it; if only newer servers know it, say for which the plan is: "
            "database: {version: \">=18\"}";
      }
    }
    reading.merge(std::move(read.findings));
    action.source = std::move(*source);
    action.statements = std::move(read.statements);
  }
  if (!action.transactional()) {
    action.statement_timeout = Duration{0};  // a concurrent build takes as long as it takes
  }
  return action;
}

ManualAction manual_action(Reading& reading, Node const& node) {
  ManualAction action{.text = reading.text(node).value_or("")};
  if (node.kind == Node::Kind::scalar && action.text.empty()) {
    reading.error(node.spot, "plan/bad-value",
                  "`" + node.key + "` must say what a person has to do", "");
  }
  return action;
}

Action forward_of(Reading& reading, Node const& step, StepDraft const& draft) {
  Node const* work =
      only_one(reading, {draft.sql, draft.sql_file, draft.backfill, draft.manual, draft.wait});
  if (work == nullptr) {
    reading.error(step.spot, "plan/missing-key", "the step does nothing",
                  "add one of `sql`, `sql_file`, `backfill`, `manual` or `wait`");
    return NoAction{};
  }
  if (work == draft.sql) {
    return sql_action(reading, reading.sql(*work), draft.timing);
  }
  if (work == draft.sql_file) {
    return sql_action(reading, reading.sql_file(*work), draft.timing);
  }
  if (work == draft.backfill) {
    return read_backfill(reading, *work, draft.timing);
  }
  if (work == draft.manual) {
    return manual_action(reading, *work);
  }
  return WaitAction{.duration = reading.duration(*work, Duration{1}).value_or(Duration{})};
}

Action way_back_in(Reading& reading, Node const& node, Timing const& timing) {
  auto const draft = read_mapping(reading, node, way_back_table);
  Node const* work =
      only_one(reading, {draft.sql, draft.sql_file, draft.backfill, draft.manual, draft.nothing});
  if (work == nullptr) {
    if (node.kind == Node::Kind::mapping) {
      reading.error(node.spot, "plan/no-way-back", "`rollback` does not say how to go back",
                    "give it one of sql, sql_file, backfill, manual or nothing");
    }
    return NoAction{};
  }
  if (work == draft.sql) {
    return sql_action(reading, reading.sql(*work), timing);
  }
  if (work == draft.sql_file) {
    return sql_action(reading, reading.sql_file(*work), timing);
  }
  if (work == draft.backfill) {
    return read_backfill(reading, *work, timing);
  }
  if (work == draft.manual) {
    return manual_action(reading, *work);
  }
  return NoAction{.reason = reason_of(reading, *work)};
}

// What nobody has to write because it is always so.
std::optional<NoAction> natural_way_back(Action const& forward) {
  if (std::holds_alternative<BackfillAction>(forward)) {
    return NoAction{.reason = "the filled values stay; nothing to undo"};
  }
  if (std::holds_alternative<WaitAction>(forward)) {
    return NoAction{.reason = "waiting changes nothing"};
  }
  return std::nullopt;
}

std::string first_line(std::string const& sql) {
  auto const line = sql.substr(0, sql.find('\n'));
  constexpr std::size_t most = 60;
  return line.size() <= most && line.size() == sql.size() ? line : line.substr(0, most) + " …";
}

// Not a message more than there are statements without an inverse.
void say_not_derived(Reading& reading, Node const& node, DerivedWayBack const& derived) {
  for (auto const& one : derived.refused) {
    reading.error(node.spot, "plan/not-invertible",
                  "the rollback cannot be derived from `" + first_line(one.statement.sql.text) +
                      "`: " + one.why,
                  one.instead.empty() ? "write `rollback: <the SQL that undoes the step>`, or say "
                                        "`irreversible: <reason>`"
                                      : one.instead);
  }
}

Action derived_way_back(Reading& reading, Node const& node, StepDraft const& draft) {
  if (auto natural = natural_way_back(draft.step.forward)) {
    return *natural;
  }
  auto const* sql = std::get_if<SqlAction>(&draft.step.forward);
  if (sql == nullptr) {
    reading.error(node.spot, "plan/not-invertible",
                  "`rollback: auto` is derived from SQL, and the step has none",
                  "write `rollback_manual: <what a person does>`");
    return NoAction{};
  }
  std::ranges::move(read_statements(std::exchange(reading.and_these, {})),
                    std::back_inserter(reading.earlier));
  auto derived = derive_way_back(sql->statements, reading.earlier);
  say_not_derived(reading, node, derived);
  if (!derived.refused.empty() || sql->statements.empty()) {
    return NoAction{};
  }
  if (derived.needs_catalog) {
    return AutoAction{.place = reading.place(node.spot),
                      .lock = draft.timing.lock,
                      .statement_timeout = draft.timing.statement_timeout};
  }
  if (derived.sql.empty()) {
    return NoAction{.reason = "derived (rollback: auto): " + derived.nothing};
  }
  return sql_action(
      reading,
      SqlText{.text = std::move(derived.sql), .place = reading.place(node.spot), .indent = -1},
      draft.timing);
}

Action rollback_of(Reading& reading, Node const& node, StepDraft const& draft) {
  if (node.kind != Node::Kind::scalar) {
    return way_back_in(reading, node, draft.timing);
  }
  if (node.text == "auto") {
    return derived_way_back(reading, node, draft);
  }
  return sql_action(reading, reading.sql(node), draft.timing);
}

Action backward_of(Reading& reading, Node const& step, StepDraft const& draft) {
  Node const* way = only_one(
      reading, {draft.rollback, draft.rollback_file, draft.rollback_manual, draft.irreversible});
  if (way == nullptr) {
    auto const natural = natural_way_back(draft.step.forward);
    if (!natural && !std::holds_alternative<NoAction>(draft.step.forward)) {
      reading.error(step.spot, "plan/no-way-back",
                    "the step `" + draft.step.name + "` has no way back",
                    std::string(how_to_go_back));
    }
    return natural.value_or(NoAction{});
  }
  if (way == draft.rollback) {
    return rollback_of(reading, *way, draft);
  }
  if (way == draft.rollback_file) {
    return sql_action(reading, reading.sql_file(*way), draft.timing);
  }
  if (way == draft.rollback_manual) {
    return manual_action(reading, *way);
  }
  return NoAction{};
}

bool runs_sql(Action const& action) {
  return std::holds_alternative<SqlAction>(action) ||
         std::holds_alternative<BackfillAction>(action) ||
         std::holds_alternative<AutoAction>(action);
}

void warn_without_effect(Reading& reading, StepDraft const& draft) {
  if (runs_sql(draft.step.forward) || runs_sql(draft.step.backward)) {
    return;
  }
  for (Node const* node : {draft.lock, draft.statement_timeout}) {
    if (node != nullptr) {
      reading.warning(node->key_spot, "plan/no-effect",
                      "`" + node->key + "` has no effect: the step runs no SQL", "remove it");
    }
  }
}

}  // namespace

Step read_step(Reading& reading, Node const& node) {
  StepDraft draft;
  draft.timing = reading.defaults.timing;
  draft = read_mapping(reading, node, step_table, std::move(draft));
  draft.step.place = reading.place(node.spot);
  if (node.kind != Node::Kind::mapping) {
    return draft.step;
  }
  draft.step.forward = forward_of(reading, node, draft);
  draft.step.backward = backward_of(reading, node, draft);
  if (draft.irreversible != nullptr) {
    draft.step.irreversible = reason_of(reading, *draft.irreversible);
  }
  warn_without_effect(reading, draft);
  if (auto const* sql = std::get_if<SqlAction>(&draft.step.forward)) {
    reading.and_these.insert(reading.and_these.end(), sql->statements.begin(),
                             sql->statements.end());
  }
  return draft.step;
}

std::vector<KeySet> step_keys() { return {key_set(step_table), key_set(way_back_table)}; }

}  // namespace runbookd::planner
