// Request bodies -> typed requests. Strict: unknown and duplicate keys, wrong types, empty names
// and deep nesting are refused, all problems at once, each with a JSON pointer (in its place's
// `file`, as "#/key").
#pragma once

#include <string>
#include <string_view>

#include "planner/command.h"
#include "planner/error.h"
#include "web/gatekeeper.h"
#include "web/hold_keeper.h"
#include "web/service.h"

namespace runbookd::web {

// An empty body reads as {}. Throws std::logic_error for a verb that does not exist.
planner::Result<planner::Command> read_command(std::string_view verb, std::string_view body);

// {plan, target, note}; the actor stays empty.
planner::Result<RunRequest> read_run_request(std::string_view body);

// {principal, roles, name, lasts}
planner::Result<TokenRequest> read_token_request(std::string_view body);
// {token}
planner::Result<std::string> read_session_request(std::string_view body);
constexpr std::size_t longest_principal = 120;

// {text}
planner::Result<std::string> read_note(std::string_view body);
// {reason, for}
planner::Result<HoldRequest> read_hold_request(std::string_view body);
// {}
planner::Result<void> read_nothing(std::string_view body);

// {file_name, text, files}
planner::Result<PlanUpload> read_bundle(std::string_view body);

// "all", "last", a phase's name, or "phase/step".
planner::Result<planner::RollBack> read_extent(std::string_view to);

// The text at the top level of one of our own documents, such as its "state"; empty if there is
// none.
std::string top_level_text(std::string_view document, std::string_view key);

}  // namespace runbookd::web
