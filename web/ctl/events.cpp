// The events of a run, as a page or as they come.
#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>
#include <poll.h>

#include "planner/event.h"
#include "web/ctl/feed.h"
#include "web/ctl/perform.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/terminal.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

bool is_wanted(std::string const& kind, std::vector<std::string> const& types) {
  return types.empty() || std::any_of(types.begin(), types.end(), [&kind](std::string const& type) {
           return kind == type || kind.starts_with(type + '.');
         });
}

template <std::size_t... i>
std::vector<std::string> kinds_of(std::index_sequence<i...>) {
  return {std::string(planner::kind_of(planner::EventBody(std::in_place_index<i>)))...};
}

// "run", "run.paused": what --types takes.
std::vector<std::string> known_types() {
  auto const kinds = kinds_of(std::make_index_sequence<std::variant_size_v<planner::EventBody>>());
  auto known = kinds;
  for (auto const& kind : kinds) {
    auto group = kind.substr(0, kind.find('.'));
    if (std::find(known.begin(), known.end(), group) == known.end()) {
      known.push_back(std::move(group));
    }
  }
  return known;
}

// One that is written alike, else those of its group, else the groups.
std::string instead_of(std::string const& type, std::vector<std::string> const& known) {
  std::vector<std::string> kinds = known;
  std::vector<std::string> groups = known;
  std::erase_if(kinds, [](auto const& each) { return each.find('.') == std::string::npos; });
  std::erase_if(groups, [](auto const& each) { return each.find('.') != std::string::npos; });
  auto const dot = type.find('.');
  if (auto const similar = nearest(type, dot == std::string::npos ? groups : kinds);
      !similar.empty()) {
    return "did you mean '" + similar + "'?";
  }
  std::erase_if(kinds,
                [&](auto const& kind) { return !kind.starts_with(type.substr(0, dot) + '.'); });
  return kinds.empty() ? "the groups are " + joined(groups, ", ")
                       : "there are " + joined(kinds, ", ");
}

// A type that does not exist would be waited for in vain.
Maybe<bool> check_types(std::vector<std::string> const& types) {
  auto const known = known_types();
  for (auto const& type : types) {
    if (std::find(known.begin(), known.end(), type) == known.end()) {
      return fail(Exit::usage, "events --types " + type,
                  "there is no such type of event; " + instead_of(type, known),
                  "runbookctl events RUN --types step,run.paused");
    }
  }
  return true;
}

void put_event(Session& session, Json const& event) {
  if (session.as_json()) {
    put(session, to_line(event));
  } else if (session.global.output == Output::name) {
    put(session, text_of(event, "seq"));
  } else {
    put(session, render_event(event, session.view()).print(session.look));
  }
  session.world.out.flush();
}

// Hands out all stored events; the answer is the last one's number.
Maybe<std::int64_t> each_stored(Session& session, std::string const& run, Events const& command,
                                std::function<void(Json const&)> const& hand_out) {
  std::int64_t after = 0;
  for (bool more = true; more;) {
    auto const answer = session.client.get(
        run_path(run) + "/events?limit=500&after=" + std::to_string(after), "events " + run);
    if (!answer) {
      return tl::unexpected(answer.error());
    }
    auto const page = parse_json(answer->body);
    for (auto const& event : child(page, "events")) {
      after = std::max(after, number_of(event, "seq"));
      if (is_wanted(text_of(event, "kind"), command.types)) {
        hand_out(event);
      }
    }
    more = flag_of(page, "more") && !child(page, "events").empty();
  }
  return after;
}

Exit put_new(Session& session, std::string const& run, Events const& command, std::int64_t after) {
  Interrupts const interrupts;
  Feed feed(session.client, run, after);
  while (!feed.ended()) {
    for (auto const& line : feed.wait(interrupts, std::chrono::milliseconds(1000))) {
      if (!line.id.empty() && is_wanted(line.kind, command.types)) {
        put_event(session, parse_json(line.data));
      }
    }
    if (interrupts.asked_to_leave()) {
      return Exit::interrupted;
    }
  }
  return feed.refusal() ? report(session, *feed.refusal()) : Exit::done;
}

}  // namespace

Exit perform(Session& session, Events const& command) {
  if (auto const known = check_types(command.types); !known) {
    return report(session, known.error());
  }
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto collected = Json::array();
  auto const as_document = session.global.output == Output::json && !command.follow;
  auto const last = each_stored(session, *run, command, [&](Json const& event) {
    as_document ? collected.push_back(event) : put_event(session, event);
  });
  if (!last) {
    return report(session, last.error());
  }
  if (as_document) {
    put(session, to_pretty({{"events", collected}, {"next_after", *last}, {"more", false}}));
  }
  return command.follow ? put_new(session, *run, command, *last) : Exit::done;
}

}  // namespace runbookd::ctl
