#include "web/problem.h"

namespace runbookd::web {

using planner::ErrorCode;

ProblemKind problem_kind(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed:
      return {400, "The request cannot be read",
              "Its target, a header or its body is not of the form that this path takes.",
              "Read detail and errors: each names the place (as a JSON pointer or a line) and what "
              "belongs there. Nothing was changed."};
    case ErrorCode::not_found:
      return {404, "There is no such thing here",
              "The path, or the plan, run or step that it names, does not exist.",
              "List what there is: runbookctl run list, runbookctl plan list, or GET /api/v1."};
    case ErrorCode::method_not_allowed:
      return {405, "This path does not take that method",
              "The path exists, but not for this method.",
              "Use one of the methods in the answer's Allow header."};
    case ErrorCode::not_acceptable:
      return {406, "No such form of this answer",
              "The Accept header asks for a form that this path cannot give.",
              "Ask for application/json, or on a run's events for text/event-stream."};
    case ErrorCode::illegal_transition:
      return {409, "The run's state does not allow this",
              "Each verb fits certain states; this run is in another one.",
              "state says where the run is, allowed_actions which verbs fit. Look at it with "
              "runbookctl status."};
    case ErrorCode::target_busy:
      return {409, "Another run or daemon is active on this target",
              "Two that change one database at the same time could undo each other's work.",
              "Finish, roll back or cancel the other run first: runbookctl run list."};
    case ErrorCode::gate_closed:
      return {409, "A gate is not open yet",
              "A check has not passed, an approval is missing, or a soak time is not over.",
              "waiting_on in the run's snapshot says what it waits for: runbookctl status."};
    case ErrorCode::held:
      return {409, "A hold stands",
              "Somebody has put the brake on: no run of this daemon goes forward. Pausing, "
              "cancelling and going back are taken all the same.",
              "detail says who, since when and why. Once that is over an operator lifts it: "
              "runbookctl hold lift. Nothing goes on by itself then."};
    case ErrorCode::outside_window:
      return {409, "The target is outside its window",
              "The daemon's settings say when runs may begin on this target and enter phases; now "
              "is not such a time. What runs already is not stopped by it.",
              "detail says when it opens. runbookctl windows shows all of them; an admin and a "
              "second person can go past it: runbookctl override."};
    case ErrorCode::approval_stale:
      return {409, "The gate is not the one that was seen",
              "The gate was reached anew since it was looked at, so what was seen then is no "
              "evidence for what stands now.",
              "Look at the run again (runbookctl status) and decide anew."};
    case ErrorCode::irreversible:
      return {409, "A step on the way back cannot be undone",
              "The way back leads over a step that has no reverse.",
              "Choose a nearer place to go back to; the rollback preview shows how far it goes."};
    case ErrorCode::stale_revision:
      return {412, "The run has moved on",
              "If-Match named a revision that is no longer the current one: somebody or something "
              "acted in between.",
              "Read the run again, look at what changed, and decide anew."};
    case ErrorCode::unacknowledged_findings:
      return {
          422, "Findings of the plan are not acknowledged",
          "The plan has warnings that a person must accept, each with a reason, before it runs.",
          "Change the plan, or start with acknowledge: [{rule, reason}] for each finding."};
    case ErrorCode::plan_invalid:
      return {422, "The plan has errors",
              "The plan can be read as text but not carried out as it stands.",
              "errors names each place with file, line, column and a fix: runbookctl plan lint."};
    case ErrorCode::reason_required:
      return {422, "This needs a reason",
              "Some verbs change what the record means later; they are taken only with a why.",
              "Send the same request with a reason."};
    case ErrorCode::confirm_mismatch:
      return {422, "The confirmation does not match",
              "The verb cannot be taken back, so it asks for a name to be typed again.",
              "Send confirm with exactly the name that detail asks for."};
    case ErrorCode::self_approval:
      return {403, "Nobody approves their own run",
              "An approval is a second pair of eyes; whoever created the run cannot give it.",
              "Ask one of the people that the phase's approval names."};
    case ErrorCode::too_large:
      return {413, "The request is too large",
              "Its head or its body is larger than this daemon takes.",
              "detail says the limit. Long SQL belongs in files of their own; many plans are many "
              "requests."};
    case ErrorCode::unsupported_type:
      return {415, "The body's type is not taken here",
              "The Content-Type header is missing or names something else than this path reads.",
              "Send application/json, or for plans application/yaml. With curl: "
              "-H 'Content-Type: application/json'."};
    case ErrorCode::store_unavailable:
      return {503, "The daemon cannot record this",
              "Nothing is done that is not recorded first, and the store did not take the record.",
              "Look at the daemon's log and at the disk of its store; GET /readyz names the check "
              "that fails. Pausing works all the same."};
    case ErrorCode::store_broken:
      return {
          503, "The store of the daemon is broken",
          "A file of the store was deleted, replaced or damaged, or the disk failed while it was "
          "written. The daemon ends, because it cannot know any more what is recorded.",
          "detail says which file and why. Mend it (runbookd store check, runbookd store "
          "restore) and start the daemon again: it reads everything anew."};
    case ErrorCode::target_unreachable:
      return {
          503, "The target database cannot be reached",
          "No session to the target could be opened or kept.",
          "Check that it is up and that its DSN in the daemon's settings is right; then retry."};
    case ErrorCode::target_refused:
      return {502, "The target database refused",
              "The target answered with an error of its own; sqlstate has its code.",
              "Often a missing privilege or setting: detail has the server's words."};
    case ErrorCode::draining:
      return {503, "The daemon is not taking this now",
              "It is stopping, or it has as much open as it allows.",
              "Wait the time that Retry-After says and try again."};
    case ErrorCode::host_not_allowed:
      return {403, "This host name or page may not call the daemon",
              "A web page of another site can make your browser send requests here; such requests "
              "show by their Host or Origin header and are refused.",
              "Call http://127.0.0.1:<port> or the Unix socket, or add the name to the allowed "
              "hosts in the daemon's settings."};
    case ErrorCode::unauthenticated:
      return {
          401, "The daemon does not know who is asking",
          "Tokens are in use here, and the request has none, or one that is not valid: mistyped, "
          "expired or revoked.",
          "Log in: runbookctl login. An admin makes tokens with runbookctl token create; on the "
          "daemon's own machine runbookd token create makes the first one."};
    case ErrorCode::capability_missing:
      return {
          403, "The caller's roles do not allow this",
          "Who is asking is known, and may not do this, or not on this target.",
          "detail names the roles that would do; runbookctl whoami shows those that there are. An "
          "admin makes a token with more: runbookctl token create."};
    case ErrorCode::forged_request:
      return {
          403, "This does not come from the daemon's own page",
          "A browser sent its cookie along, but not the signs that a page of this daemon sends.",
          "Load the console again and log in. Programs send a token instead: Authorization: "
          "Bearer."};
    case ErrorCode::rate_limited:
      return {
          429, "Too much of this came from here",
          "After some wrong tokens, further wrong ones from the same place have to wait, for "
          "longer each time; a right one is taken at any time. Of event streams, a token may "
          "have a few open at once.",
          "Wait as long as Retry-After says. Look which program sends an old token, or does not "
          "close its streams."};
    case ErrorCode::audit_unavailable:
      return {
          503, "The audit took no entry",
          "Whatever goes on is recorded in the audit together with what it changes. The audit "
          "could not be written, so nothing was done.",
          "Look at the daemon's log and at the disk of its store. Pausing and slowing down work "
          "all the same; their entries follow, marked late."};
    case ErrorCode::idempotency_key_reused:
      return {422, "This Idempotency-Key was sent with another request",
              "A key stands for one request; this one came before with another body, query or "
              "If-Match.",
              "Make a new key for each new request, and send the old one only to repeat the old "
              "request."};
    case ErrorCode::request_in_progress:
      return {409, "The request with this Idempotency-Key is still under way",
              "The same request came before and has not been answered yet.",
              "Wait as long as Retry-After says and send it again: the answer is then that of the "
              "first."};
    case ErrorCode::internal:
      return {500, "The daemon met something it did not expect", "This is a defect of the daemon.",
              "Look at the daemon's log at this time and report it with the run's events."};
  }
  __builtin_unreachable();
}

std::vector<ErrorCode> all_problems() {
  std::vector<ErrorCode> all;
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {  // it is the last one
    all.push_back(static_cast<ErrorCode>(i));
  }
  return all;
}

}  // namespace runbookd::web
