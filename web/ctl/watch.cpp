#include <algorithm>

#include <nlohmann/json.hpp>

#include "web/ctl/asking.h"
#include "web/ctl/perform.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"
#include "web/ctl/watcher.h"

namespace runbookd::ctl {

namespace {

// Words that are no condition would be waited for in vain.
Maybe<bool> known_conditions(Json const& snapshot, std::vector<std::string> const& conditions) {
  auto known = run_states();
  known.insert(known.begin(), "settled");
  for (auto const& phase : child(snapshot, "phases")) {
    known.push_back(text_of(phase, "name"));
  }
  for (auto const& word : conditions) {
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      return fail(Exit::usage, "watch --until " + word,
                  "this is neither a state to wait for nor a phase of the plan",
                  "--until with some of " + joined(known, ","));
    }
  }
  return true;
}

Maybe<std::string> watched_run(Session& session, Watch const& command) {
  return command.run.empty() ? session.client.run_at_hand() : session.client.run_id(command.run);
}

}  // namespace

Exit perform(Session& session, Watch const& command) {
  auto const run = watched_run(session, command);
  if (!run) {
    return report(session, run.error());
  }
  auto answer = session.client.get(run_path(*run), "watch " + *run);
  if (!answer) {
    return report(session, answer.error());
  }
  if (auto const known = known_conditions(parse_json(answer->body), command.until); !known) {
    return report(session, known.error());
  }
  auto const live = session.world.out_is_terminal && session.global.output == Output::table;
  auto const exit = live ? watch_live(session, *run, command, std::move(answer->body))
                         : watch_as_lines(session, *run, command, std::move(answer->body));
  say_why_left(session, *run, exit, session.global.timeout.value_or(planner::Duration{}));
  return exit;
}

}  // namespace runbookd::ctl
