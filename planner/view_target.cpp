#include "planner/view_target.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/view_parts.h"
#include "planner/view_standing.h"
#include "planner/view_words.h"

namespace runbookd::planner {
namespace {

using view::Json;

Json waited_json(std::optional<Duration> waited) { return waited ? Json(waited->count()) : Json(); }

Json session_json(OurSession const& session) {
  Json object{{"pid", session.pid},
              {"application", session.application},
              {"state", session.state},
              {"query", view::clipped(session.query, view::longest_query)},
              {"transaction_age_ms", session.transaction_age.count()},
              {"waits_for", nullptr}};
  if (!session.wanted.empty()) {
    object["waits_for"] = {{"lock_mode", session.wanted},
                           {"relation", session.relation},
                           {"waited_ms", waited_json(session.waited)}};
  }
  return object;
}

Json waiter_json(Waiter const& waiter) {
  return {{"pid", waiter.pid},
          {"user", waiter.user},
          {"application", waiter.application},
          {"query", view::clipped(waiter.query, view::longest_query)},
          {"lock_mode", waiter.wanted},
          {"relation", waiter.relation},
          {"waited_ms", waited_json(waiter.waited)}};
}

Json list(auto const& values, auto spell) {
  auto all = Json::array();
  for (auto const& value : values) {
    all.push_back(spell(value));
  }
  return all;
}

// The newest try that did not get its lock, with who stood in its way.
Json last_wait_json(RunFacts const& facts) {
  Attempt const* newest = nullptr;
  StepRef where;
  auto const& all = facts.history->attempts;
  for (int p = 0; p < std::ssize(all); ++p) {
    for (int s = 0; s < std::ssize(all[p]); ++s) {
      for (auto const& attempt : all[p][s]) {
        bool const told = !attempt.blockers.empty() || attempt.behind;
        if (told && (newest == nullptr || attempt.ended > newest->ended)) {
          newest = &attempt;
          where = {.phase = p, .step = s};
        }
      }
    }
  }
  if (newest == nullptr) {
    return nullptr;
  }
  auto object = view::attempt_json(*newest);
  object["step"] = facts.plan->label(where);
  return object;
}

std::string locks_message(LocksSeen const& seen, bool looks_only) {
  auto const waits = std::ranges::any_of(
      seen.sessions, [](OurSession const& session) { return !session.wanted.empty(); });
  std::string text = seen.sessions.empty() ? "no session of this run is on the target now"
                     : waits               ? "waits for a lock"
                     : looks_only          ? "a step looks for its lock without queueing for it"
                                  : view::count_words(std::ssize(seen.sessions), "session") +
                                        " of this run on the target, none waits for a lock";
  auto const root = std::ranges::find_if(seen.blockers, &Blocker::root);
  if (root != seen.blockers.end()) {
    text += "; at the root " + view::blocker_words(*root);
  }
  if (auto const crowd = behind(seen.waiters)) {
    text += "; " + view::count_words(crowd->sessions, "session") + " wait" +
            (crowd->sessions == 1 ? "s" : "") + " for it";
    text += crowd->longest > Duration{} ? ", the longest for " + to_text(crowd->longest) : "";
  }
  return text;
}

}  // namespace

// A step that asks for its locks without queueing for them waits for nobody as far as the server
// knows: whom it found holding them, its session has told.
std::string locks_json(RunFacts const& facts, LocksSeen const& just_seen, Moment taken) {
  auto seen = just_seen;
  bool const looks_only = seen.blockers.empty() && !facts.live.blockers.empty();
  if (looks_only) {
    seen.blockers = facts.live.blockers;
  }
  return view::dumped({{"run", facts.id.text},
                       {"target", facts.history->target},
                       {"taken_at", view::time_json(taken)},
                       {"message", locks_message(seen, looks_only)},
                       {"sessions", list(seen.sessions, session_json)},
                       {"blockers", list(seen.blockers, view::blocker_json)},
                       {"waiters", list(seen.waiters, waiter_json)},
                       {"behind", view::behind_json(behind(seen.waiters))},
                       {"activity", facts.live.activity},
                       {"last_wait", last_wait_json(facts)}});
}

std::string preflight_json(RunFacts const& facts, Preflight const& preflight, Moment taken) {
  auto document = view::preflight_part({.preflight = preflight, .taken = taken});
  document["run"] = facts.id.text;
  document["target"] = facts.history->target;
  return view::dumped(document);
}

}  // namespace runbookd::planner
