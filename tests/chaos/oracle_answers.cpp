// Which answers the core would give.
#include <algorithm>
#include <functional>

#include "planner/machine.h"
#include "tests/chaos/oracle_parts.h"

namespace runbookd::chaos {

using namespace planner;
using nlohmann::json;

namespace {

std::string number(EventSeq value) { return std::to_string(value); }

struct Answers {
  Record const& record;
  Exchange const& asked;
  std::vector<std::string>& wrong;

  // Of the events after the run's creation.
  auto is_own() const {
    return [this](Event const& event) { return event.actor == asked.actor; };
  }
  void judge() {
    if (asked.seen_before > record.revision()) {
      say("the client had seen revision " + number(asked.seen_before) + ", the journal has " +
          number(record.revision()));
      return;
    }
    auto const command = command_of(asked);
    auto const own = std::find_if(record.events.begin() + 1, record.events.end(), is_own());
    bool const carried_out = own != record.events.end();
    if (carried_out && command) {
      carried_out_at(*command, own - record.events.begin());
    }
    if (asked.status == 0) {
      return;
    }
    if (asked.accepted() && !carried_out) {
      holds_somewhere("accepted, and nothing recorded", [&](RunState const& state, Moment now) {
        auto const decided = command ? decide(record.plan, state, *command, now) : Result<Events>();
        return command && decided && decided->empty();
      });
    } else if (!asked.accepted()) {
      refused(command, carried_out);
    }
  }

 private:
  void say(std::string const& what) { wrong.push_back(to_text(asked) + ": " + what); }

  void carried_out_at(Command const& command, EventSeq before) {
    if (asked.if_match && *asked.if_match != before) {
      say("carried out at revision " + number(before));
    }
    if (before < asked.seen_before) {
      say("carried out at revision " + number(before) + ", which was past");
    }
    auto const decided =
        decide(record.plan, record.states[before], command, record.events[before].at);
    if (!decided || !stand_at(record, before, *decided)) {
      say("at revision " + number(before) + " the core would have " +
          (decided ? "made other events" : "refused it: " + decided.error().detail) +
          "; recorded is " + event_words(record, before));
    }
    auto const count = std::count_if(record.events.begin() + 1, record.events.end(), is_own());
    auto const meant = decided ? std::ranges::count_if(*decided, is_own()) : 0;
    if (count != meant) {
      say("recorded " + number(count) + " times");
    }
  }

  void refused(std::optional<Command> const& command, bool carried_out) {
    auto const code = asked.answer.value("code", "");
    if (carried_out) {
      say("refused and yet recorded");
    }
    if (!command) {
      if (code != to_slug(ErrorCode::malformed)) {
        say("its body is malformed");
      }
      return;
    }
    if (code == to_slug(ErrorCode::stale_revision)) {
      if (!asked.if_match || asked.revision == *asked.if_match) {
        say("not stale: the answer's own revision is " + number(asked.revision));
      }
      return;
    }
    holds_somewhere("refused as it was", [&](RunState const& state, Moment now) {
      auto const decided = decide(record.plan, state, *command, now);
      return !decided && to_slug(decided.error().code) == code &&
             decided.error().detail == asked.answer.value("detail", "") &&
             asked.answer.value("state", "") == to_text(state.mode) &&
             asked.answer.value("allowed_actions", json::array()) == allowed(state, now);
    });
  }

  json allowed(RunState const& state, Moment now) const {
    auto names = json::array();
    for (auto const& verb : actions(record.plan, state, now)) {
      if (verb.allowed) {
        names.push_back(verb.verb);
      }
    }
    return names;
  }

  // At a revision that it could have met, at the beginning or at the end of its time.
  void holds_somewhere(std::string const& what,
                       std::function<bool(RunState const&, Moment)> const& holds) {
    auto first = asked.seen_before;
    auto last = std::min(asked.seen_after.value_or(record.revision()), record.revision());
    if (asked.if_match) {
      first = last = *asked.if_match;
    }
    for (auto revision = first; revision <= last && revision <= record.revision(); ++revision) {
      auto const& state = record.states[revision];
      if (holds(state, asked.sent) || holds(state, asked.answered)) {
        return;
      }
    }
    say(what + ": not what the core says at any revision from " + number(first) + " to " +
        number(last));
  }
};

}  // namespace

std::string to_text(Exchange const& one) {
  return one.actor + ": " + one.verb + ' ' + one.body +
         (one.if_match ? " if " + number(*one.if_match) : "") + " [saw " + number(one.seen_before) +
         "…" + (one.seen_after ? number(*one.seen_after) : "?") + "] -> " +
         (one.status == 0
              ? "no answer"
              : std::to_string(one.status) + ' ' +
                    (one.accepted()
                         ? one.answer.value("state", "") + " at " + number(one.revision)
                         : one.answer.value("code", "") + ": " + one.answer.value("detail", "")));
}

std::vector<std::string> wrong_answers(Record const& record, Heard const& heard) {
  std::vector<std::string> wrong;
  for (auto const& asked : heard.exchanges) {
    Answers{.record = record, .asked = asked, .wrong = wrong}.judge();
  }
  return wrong;
}

}  // namespace runbookd::chaos
