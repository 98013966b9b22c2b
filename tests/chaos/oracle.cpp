#include "tests/chaos/oracle.h"

#include <algorithm>

#include "planner/event_json.h"
#include "planner/machine.h"
#include "planner/run_rules.h"
#include "tests/chaos/oracle_parts.h"
#include "web/body.h"

namespace runbookd::chaos {

using namespace planner;
using nlohmann::json;

namespace {

// An event as text: equal texts, equal events.
std::string text_of(Event const& event) {
  return std::to_string(event.at.time_since_epoch().count()) + ' ' + event.actor + " \"" +
         event.reason + "\" " + std::string(kind_of(event.body)) + ' ' + body_to_json(event.body);
}

// What only the living daemon knows (the last preflight is a look at the server, which no event
// holds), and what depends on the moment at which it is said.
json without_the_moment(json document) {
  for (auto const* key : {"live", "preflight", "state_message", "waiting_on", "store_degraded"}) {
    document.erase(key);
  }
  if (document.contains("current") && document["current"].is_object()) {
    document["current"].erase("activity");
  }
  if (document.contains("mismatch")) {
    document["mismatch"].erase("diff");
  }
  return document;
}

std::string first_difference(json const& found, json const& expected) {
  auto const patch = json::diff(expected, found);
  if (patch.empty()) {
    return "nothing";
  }
  auto const path = patch.front().value("path", "");
  auto const at = json::json_pointer(path);
  auto const of = [&](json const& from) {
    return from.contains(at) ? from.at(at).dump() : "nothing";
  };
  return path + " is " + of(found) + ", the core says " + of(expected);
}

}  // namespace

bool equal(Event const& a, Event const& b) { return text_of(a) == text_of(b); }

bool stand_at(Record const& record, EventSeq at, Events const& events) {
  return !events.empty() && at + std::ssize(events) <= record.revision() &&
         std::equal(events.begin(), events.end(), record.events.begin() + at, equal);
}

std::string event_words(Record const& record, EventSeq at) {
  return "event " + std::to_string(at + 1) + " (" + text_of(record.events[at]) + ")";
}

std::optional<Command> command_of(Exchange const& asked) {
  auto command = web::read_command(asked.verb, asked.body);
  if (!command) {
    return std::nullopt;
  }
  command->actor = asked.actor;
  return *command;
}

Record::Record(RunId id, Plan of, Events all)
    : run(std::move(id)), plan(std::move(of)), events(std::move(all)) {
  states.push_back(initial_state(plan));
  told.emplace_back();
  for (auto const& event : events) {
    auto next = evolve(plan, states.back(), event);
    auto history = told.back();
    remember(plan, history, states.back(), next, event);
    states.push_back(std::move(next));
    told.push_back(std::move(history));
  }
}

std::vector<std::string> wrong_documents(Record const& record, Heard const& heard) {
  std::vector<std::string> wrong;
  for (auto const& shown : heard.shown) {
    auto const what = "the snapshot at revision " + std::to_string(shown.revision);
    if (shown.revision > record.revision()) {
      wrong.push_back(what + ": the journal has " + std::to_string(record.revision()));
      continue;
    }
    RunFacts const facts{.id = record.run,
                         .plan = &record.plan,
                         .state = &record.states[shown.revision],
                         .history = &record.told[shown.revision]};
    auto const found = without_the_moment(shown.document);
    auto const at = [&](Moment now) {
      return without_the_moment(json::parse(run_json(facts, now)));
    };
    if (found != at(shown.asked) && found != at(shown.answered)) {
      wrong.push_back(what + ": " + first_difference(found, at(shown.answered)));
    }
  }
  return wrong;
}

std::set<Done> done_on_target(Record const& record) {
  std::set<Done> done;
  for (EventSeq at = 0; at < record.revision(); ++at) {
    auto const take = [&](StepRef ref, Direction direction, int attempt) {
      if (runs_on_target(action_of(record.plan, ref, direction))) {
        done.insert({.ref = ref, .direction = direction, .attempt = attempt});
      }
    };
    auto const& body = record.events[at].body;
    if (auto const* e = std::get_if<StepSucceeded>(&body)) {
      take(e->ref, e->direction, e->attempt);
    } else if (auto const* settled = std::get_if<DoubtSettled>(&body)) {
      if (settled->answer == Doubt::applied) {
        take(settled->ref, settled->direction, settled->attempt);
      }
    } else if (auto const* mismatch = std::get_if<FingerprintMismatched>(&body)) {
      take(mismatch->ref, Direction::backward, mismatch->attempt);
    }
  }
  return done;
}

}  // namespace runbookd::chaos
