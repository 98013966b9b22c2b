// Commands whose answers come from the target: who waits for whom, and may a phase begin.
#include <nlohmann/json.hpp>

#include "web/ctl/asking.h"
#include "web/ctl/perform.h"
#include "web/ctl/render_target.h"
#include "web/ctl/screen.h"
#include "web/ctl/terminal.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

constexpr std::chrono::milliseconds looks_every{1'000};

// As a picture that changes in place on a terminal, else one document after the other.
class LockView {
 public:
  explicit LockView(Session& session)
      : session_(session),
        draws_(session.world.out_is_terminal && session.global.output == Output::table),
        screen_(session.world.out) {}
  void show(std::string const& document) {
    if (session_.as_json()) {
      put_document(session_, document);
      return;
    }
    auto const lines = render_locks(parse_json(document), session_.view());
    if (!draws_) {
      put(session_, lines);
      return;
    }
    screen_.draw(print(lines, session_.look, terminal_size().columns));
  }

 private:
  Session& session_;
  bool draws_;
  Screen screen_;
};

Exit watch_locks(Session& session, std::string const& target, std::string const& what) {
  Interrupts const interrupts;
  LockView view(session);
  for (;;) {
    auto const answer = session.client.get(target, what);
    if (!answer) {
      return report(session, answer.error());
    }
    session.client.tell_no_more();
    view.show(answer->body);
    session.world.out.flush();
    if (interrupts.wait(looks_every)) {
      return Exit::interrupted;
    }
  }
}

Exit exit_of(std::string const& verdict) {
  return verdict == "no_go" ? Exit::failed : verdict == "wait" ? Exit::needs_person : Exit::done;
}

}  // namespace

void tell_weather(Session& session, std::string const& run, std::string const& phase) {
  if (session.global.quiet || session.as_json()) {
    return;
  }
  auto const query = phase.empty() ? "" : "?phase=" + percent_encode(phase);
  auto const answer = session.client.get(run_path(run) + "/preflight" + query, "preflight " + run);
  auto const lines = answer ? render_warnings(parse_json(answer->body), 2) : Lines();
  if (lines.empty()) {
    return;
  }
  tell(session, "stands in the way now (nothing is refused for it):");
  for (auto const& line : lines) {
    tell(session, line.print(session.look));
  }
}

Exit perform(Session& session, Locks const& command) {
  auto const run =
      command.run.empty() ? session.client.run_at_hand() : session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const target = run_path(*run) + "/locks";
  auto const what = "locks " + *run;
  if (command.watch) {
    return watch_locks(session, target, what);
  }
  auto const answer = session.client.get(target, what);
  if (!answer) {
    return report(session, answer.error());
  }
  session.as_json() ? put_document(session, answer->body)
                    : put(session, render_locks(parse_json(answer->body), session.view()));
  return Exit::done;
}

Exit perform(Session& session, Preflight const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const phase = command.phase.empty() ? "" : "?phase=" + percent_encode(command.phase);
  auto const answer =
      session.client.get(run_path(*run) + "/preflight" + phase, "preflight " + *run);
  if (!answer) {
    return report(session, answer.error());
  }
  auto const document = parse_json(answer->body);
  session.as_json() ? put_document(session, answer->body)
                    : put(session, render_preflight(document, session.view()));
  return exit_of(text_of(document, "verdict"));
}

}  // namespace runbookd::ctl
