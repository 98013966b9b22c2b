// The events of a run, as a page or as they come.
#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>
#include <poll.h>

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
  return Exit::done;
}

}  // namespace

Exit perform(Session& session, Events const& command) {
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
