#include "web/alert_page.h"

#include <algorithm>
#include <string>

#include "web/problem.h"

namespace runbookd::web {
namespace {

// Where an alert speaks of a run, RUN is the label `run`, or what `runbookctl run list` shows.
constexpr AlertHelp table[] = {
    {"RunbookdRunFailed",
     "A step or a check of a run has failed. Nothing of it is executing, nothing is taken back by "
     "itself, and nothing goes on until a person says how.",
     "Nothing has to be stopped. If the application suffers from what was done so far, take it "
     "back: runbookctl rollback RUN --last --preview (or --all, or --to PHASE) shows what that "
     "does.",
     "runbookctl status RUN says what failed and which commands fit; runbookctl events RUN has the "
     "server's own words and, for a lock, the sessions that held it.",
     "Once the cause is gone: runbookctl retry RUN for a step, runbookctl evaluate RUN for a "
     "check."},
    {"RunbookdRunNeedsAttention",
     "Nobody can tell whether a step took effect: its connection was lost at the wrong moment, or "
     "the target was failed over or restored. The run does nothing until a person has looked.",
     "Nothing has to be stopped: in doubt nothing but the doubt is worked on.",
     "runbookctl status RUN names the step and what was looked at; then look at the database "
     "itself.",
     "Say what you saw: runbookctl resolve RUN STEP --as succeeded|failed --evidence TEXT."},
    {"RunbookdRunStalled",
     "A step has stood still for a quarter of an hour: it does not get its locks, or the throttle "
     "keeps a backfill from going on. A wait for a lock holds nobody else up for longer than the "
     "plan's stall_budget, so this is a matter of progress and not of harm.",
     "runbookctl pause RUN ends the wait at once.",
     "runbookctl locks RUN shows who holds the lock, up to the root, and the statement that would "
     "end that session; runbookctl status RUN which signal throttles a backfill and its limit.",
     "End or wait for the session that is in the way. A backfill goes on by itself when the signal "
     "is calm; runbookctl throttle RUN --exempt --reason TEXT lets it go on regardless."},
    {"RunbookdPauseNotReached",
     "Somebody asked a run to pause or to be cancelled, and after a minute something of it is "
     "still in flight: one transaction or one index build goes to its end before a safe point.",
     "runbookctl pause RUN --now cancels the statement instead; its transaction is rolled back. An "
     "index build that is cancelled starts over later.",
     "runbookctl status RUN says what it waits for and how far the server is with it; runbookctl "
     "locks RUN what that waits for in turn.",
     "Once it is paused: runbookctl resume RUN, or runbookctl rollback RUN."},
    {"RunbookdBlockingOthers",
     "For a minute sessions of others have been waiting for a session of ours. While a step "
     "waits for its locks that cannot last; so it is the work of a statement that holds a strong "
     "lock, or the rows of a long batch.",
     "runbookctl pause RUN --now cancels the statement, and whoever waits goes on.",
     "runbookctl locks RUN shows who waits behind us and for how long.",
     "runbookctl sql explain on the step's SQL foretells which locks it takes and what it rewrites "
     "or scans under them. Split the step, or choose a quieter hour."},
    {"RunbookdApprovalWaitingLong",
     "A run has stood at a gate since the morning because an approval is missing.",
     "Nothing has to be stopped: nothing is executing.",
     "runbookctl status RUN says who may approve which phase.",
     "runbookctl approve RUN --phase PHASE, or runbookctl reject RUN --phase PHASE --reason TEXT, "
     "by somebody other than the run's creator."},
    {"RunbookdPausedTooLong",
     "A run has been paused for hours. Nothing is executing, but what is half migrated stays half "
     "migrated, and the target takes no other run meanwhile.",
     "Nothing has to be stopped.", "runbookctl status RUN says who paused it and why.",
     "runbookctl resume RUN, runbookctl rollback RUN, or runbookctl cancel RUN to leave the "
     "database as it is."},
    {"RunbookdStoreUnavailable",
     "The store takes no events: the disk is full, or the file is read-only. Steps that were under "
     "way end, no new one begins.",
     "runbookctl pause RUN and runbookctl cancel RUN act at once and are recorded late.",
     "GET /readyz and the log have the reason; df on the folder of store.path, and max_size in the "
     "settings.",
     "Make room, or raise max_size and restart. The daemon tries again each second and goes on by "
     "itself."},
    {"RunbookdTargetUnreachable",
     "A run has work to do in its target and gets no connection. A step that was in flight is in "
     "doubt until the target answers; no step is tried twice.",
     "runbookctl pause RUN, so that it does not go on by itself when the target is back.",
     "runbookctl status RUN has the server's or libpq's own words; psql with the target's "
     "connection string from the daemon's host shows whether it is the network.",
     "When the target answers, the doubt is settled by itself. A run that failed meanwhile: "
     "runbookctl retry RUN."},
    {"RunbookdDown",
     "Prometheus gets no answer from the daemon. Its runs stand still; what was in flight in a "
     "target ends there by itself.",
     "Nothing can be paused while it is down. A statement that harms the application is ended in "
     "the target: SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
     "'runbookd%'.",
     "systemctl status runbookd, journalctl -u runbookd: a daemon whose store broke says why it "
     "ended.",
     "systemctl start runbookd. Each step that was in flight is settled from its marker in the "
     "target; runs are then paused unless their plans say on_restart: resume."},
};

std::string section(std::string_view title, std::string_view words) {
  return "<h2>" + std::string(title) + "</h2><p>" + html_escaped(words) + "</p>";
}

}  // namespace

std::span<AlertHelp const> alert_table() { return table; }

std::optional<Response> alert_page(std::string_view name) {
  auto const help = std::ranges::find(table, name, &AlertHelp::name);
  if (help == std::end(table)) {
    return std::nullopt;
  }
  return html_page(help->name, section("What it means", help->meaning) +
                                   section("Stop it", help->stop) + section("See it", help->see) +
                                   section("Go on", help->go_on));
}

}  // namespace runbookd::web
