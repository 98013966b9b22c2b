// What people say beside the verbs: remarks, the hold, and wishes that are only tried.
#include "daemon/logging.h"
#include "daemon/registry.h"
#include "planner/view.h"

namespace runbookd::daemon {

using namespace planner;
using web::Document;

Result<Document> Registry::add_note(RunId const& run, std::string const& text,
                                    std::string const& actor, Principal const& caller) {
  recorder_.flush();
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (auto noted = (*found)->note(actor, text); !noted) {
    return tl::unexpected(std::move(noted.error()));
  }
  return document(**found, caller);
}

Result<Document> Registry::try_out(RunId const& run, Command const& command,
                                   std::optional<EventSeq> expected, Principal const& caller) {
  auto const judged = judged_wish(run, command, expected, caller);
  if (!judged) {
    return tl::unexpected(judged.error());
  }
  auto const would = (*judged)->tried(with_house(**judged, command));
  if (!would) {
    return tl::unexpected(with_actions(would.error(), **judged, caller));
  }
  auto shown = document(**judged, caller);
  shown.json = tried_json(shown.json, to_text(*would));
  return shown;
}

Command Registry::with_house(Conductor const& run, Command command) const {
  command.house = house_rules(run.history().target);
  return command;
}

HouseRules Registry::house_rules(std::string const&) const {
  return {.hold = hold_desk_.standing(), .window = std::nullopt};
}

// Whatever works is to stand still; who set the hold, and why, stands in each run's history.
void Registry::pause_all(Hold const& hold) {
  log_warning(to_text(hold));
  for (auto const& [id, run] : runs_) {
    if (run->state().mode == RunMode::running) {
      (void)run->submit({.ask = Pause{}, .actor = hold.by, .reason = pause_reason(hold)});
    }
  }
}

// Each run that the hold has stopped tells that nothing goes on by itself.
void Registry::tell_hold_ended(Hold const& hold, std::string const& by) {
  auto const how = by.empty() ? std::string{"its time is over"} : "lifted by " + by;
  log_info("the hold has ended, " + how, {{"reason", hold.reason}});
  for (auto const& [id, run] : runs_) {
    auto const mode = run->state().mode;
    bool const stopped = mode == RunMode::paused || mode == RunMode::pausing;
    if (stopped && run->history().last_reason == pause_reason(hold)) {
      (void)run->note(
          by, "the hold has ended (" + how + "); this run stays paused until somebody resumes it");
    }
  }
}

}  // namespace runbookd::daemon
