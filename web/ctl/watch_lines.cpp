// Watching anywhere but on a terminal: one line per event, for a log or a script. It ends where
// nothing moves without a person, as --wait does; `events -f` goes on.
#include <algorithm>
#include <charconv>
#include <iostream>

#include <nlohmann/json.hpp>

#include "web/ctl/feed.h"
#include "web/ctl/outage.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/terminal.h"
#include "web/ctl/text.h"
#include "web/ctl/watcher.h"

namespace runbookd::ctl {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Live progress comes every second; a log needs it now and then.
constexpr auto between_progress = 10s;

class Journal {
 public:
  explicit Journal(Session& session) : session_(session) {}

  void put_line(ServerEvent const& line) {
    auto const event = parse_json(line.data);
    if (line.id.empty() && !is_due(event)) {
      return;
    }
    last_ = std::max(last_, number_of(event, "seq"));
    put(session_, session_.as_json() ? to_line(event)
                                     : render_event(event, session_.view()).print(session_.look));
    session_.world.out.flush();
  }
  bool has_told(std::int64_t revision) const { return last_ >= revision; }

 private:
  bool is_due(Json const& event) {
    auto const now = steady_clock::now();
    if (!has_text(event, "message") || now - last_progress_ < between_progress) {
      return false;
    }
    last_progress_ = now;
    return true;
  }
  Session& session_;
  std::int64_t last_ = 0;
  steady_clock::time_point last_progress_ = steady_clock::now();
};

// Beside the lines, for the person who reads the log of a script that stopped here.
void say_who_is_needed(Session& session, std::string const& document, Exit exit) {
  if (exit != Exit::needs_person && exit != Exit::failed) {
    return;
  }
  auto const snapshot = parse_json(document);
  tell(session, text_of(snapshot, "run") + " is now " + state_words(snapshot) + ": " +
                    clean(text_of(snapshot, "state_message")));
}

}  // namespace

Exit watch_as_lines(Session& session, std::string const& run, Watch const& command,
                    std::string document) {
  Interrupts const interrupts;
  Watcher watcher(session, run,
                  command.until.empty() ? goal_of_settling() : goal_of_until(command.until),
                  std::move(document));
  Journal journal(session);
  Feed feed(session.client, run, 0);
  Outage outage(session, {});
  for (;;) {
    auto const exit = watcher.verdict();
    // what led there is told before we leave, unless the stream has nothing more to say
    if (exit &&
        (*exit == Exit::timed_out || journal.has_told(watcher.revision()) || feed.ended())) {
      say_who_is_needed(session, watcher.document(), *exit);
      return *exit;
    }
    auto const events = feed.wait(interrupts, watcher.patience());
    std::for_each(events.begin(), events.end(), [&](auto const& line) { journal.put_line(line); });
    if (interrupts.asked_to_leave()) {
      return Exit::interrupted;
    }
    watcher.refresh(!events.empty() || !feed.connected());
    if (auto const& refused = watcher.refusal() ? watcher.refusal() : feed.refusal()) {
      return report(session, *refused);
    }
    outage.note(!watcher.stale());
  }
}

}  // namespace runbookd::ctl
