// Watching on a terminal: one picture, drawn in place.
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "web/ctl/asking.h"
#include "web/ctl/feed.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/screen.h"
#include "web/ctl/terminal.h"
#include "web/ctl/watcher.h"

namespace runbookd::ctl {

namespace {

constexpr std::chrono::seconds note_time{5};

std::string keys_text(Json const& snapshot, bool with_keys) {
  if (!with_keys) {
    return "Ctrl-C leaves the run alone";
  }
  std::string text;
  if (is_allowed(snapshot, "pause") && text_of(snapshot, "state") != "pausing") {
    text += "[p]ause  ";
  }
  text += is_allowed(snapshot, "resume") ? "[r]esume  " : "";
  return text + "[q]uit (leaves the run alone)";
}

// Whoever looks at a picture stays while others move the run.
std::optional<Exit> when_final(Json const& snapshot) {
  auto const state = text_of(snapshot, "state");
  return is_final(state) ? std::optional(exit_for_state(state)) : std::nullopt;
}

class LiveView {
 public:
  LiveView(Session& session, std::string run, Watch const& command, std::string document)
      : session_(session),
        run_(run),
        with_keys_(session.world.in_is_terminal && !session.global.no_input),
        keys_(with_keys_),
        watcher_(session, run,
                 command.until.empty() ? Goal(when_final) : goal_of_until(command.until),
                 std::move(document)),
        feed_(session.client, std::move(run), watcher_.revision()),
        screen_(session.world.out) {}

  // Or why the daemon tells no more of this run.
  Maybe<Exit> run() {
    for (;;) {
      draw();
      if (auto const exit = watcher_.verdict()) {
        return *exit;
      }
      auto const events =
          feed_.wait(interrupts_, watcher_.patience(), with_keys_ ? STDIN_FILENO : -1);
      if (interrupts_.asked_to_leave()) {
        return Exit::interrupted;
      }
      if (with_keys_ && quits_by(keys_.read().value_or(""))) {
        return Exit::done;
      }
      watcher_.refresh(!events.empty() || !feed_.connected() || is_busy());
      if (auto const& refused = watcher_.refusal() ? watcher_.refusal() : feed_.refusal()) {
        return tl::unexpected(*refused);
      }
    }
  }

 private:
  // Lock waits and batches change without events.
  bool is_busy() const {
    return has_text(child(parse_json(watcher_.document()), "live"), "activity");
  }

  View view_of(Json const& snapshot, TerminalSize size) const {
    auto view = session_.view();
    view.height = size.rows - 1;
    view.footer = keys_text(snapshot, with_keys_);
    if (watcher_.stale() || (!feed_.connected() && !feed_.ended())) {
      view.footer += "   reconnecting...";
    }
    if (std::chrono::steady_clock::now() < note_until_) {
      view.footer += "   " + note_;
    }
    return view;
  }

  void draw() {
    auto const size = terminal_size();
    if (size.columns != size_.columns || size.rows != size_.rows) {
      screen_.start_over();
      size_ = size;
    }
    auto const snapshot = parse_json(watcher_.document());
    screen_.draw(print(render_run(snapshot, view_of(snapshot, size)), session_.look, size.columns));
  }

  bool quits_by(std::string const& keys) {
    for (auto const key : keys) {
      if (key == 'q' || key == 'Q') {
        return true;
      }
      if (key == 'p' || key == 'r') {
        ask_for(key == 'p' ? "pause" : "resume");
      }
    }
    return false;
  }

  void ask_for(std::string const& verb) {
    auto const answer = session_.client.post(
        run_path(run_) + '/' + verb, body_with_reason(session_, Json::object()), verb + ' ' + run_);
    note_until_ = std::chrono::steady_clock::now() + note_time;
    note_ = answer ? verb + " was asked for" : answer.error().why;
    if (answer) {
      watcher_.take(answer->body);
    }
  }

  Session& session_;
  std::string run_;
  bool with_keys_;
  Interrupts interrupts_;
  SingleKeys keys_;
  Watcher watcher_;
  Feed feed_;
  Screen screen_;
  TerminalSize size_;
  std::string note_;
  std::chrono::steady_clock::time_point note_until_{};
};

}  // namespace

Exit watch_live(Session& session, std::string const& run, Watch const& command,
                std::string document) {
  // the picture is left before anything else is said
  auto const end = LiveView(session, run, command, std::move(document)).run();
  return end ? *end : report(session, end.error());
}

}  // namespace runbookd::ctl
