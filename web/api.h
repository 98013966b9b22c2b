// The handlers: one function per route, called by the router on the I/O thread.
#pragma once

#include "web/http.h"
#include "web/service.h"

namespace runbookd::web {

// api_access.cpp
Response who_am_i(Request const& request, RunService& service);
Response create_token(Request const& request, RunService& service);
Response list_tokens(Request const& request, RunService& service);
Response revoke_token(Request const& request, RunService& service);
Response open_session(Request const& request, RunService& service);
Response end_session(Request const& request, RunService& service);
// One sentence.
std::string identity_words(Caller const& caller);

// api_console.cpp
Response overview_page(Request const& request, RunService& service);
Response history_page(Request const& request, RunService& service);
Response plans_page(Request const& request, RunService& service);
Response plan_page(Request const& request, RunService& service);
Response run_page(Request const& request, RunService& service);
Response console_file(Request const& request, RunService& service);

// api_health.cpp
Response live(Request const& request, RunService& service);
Response ready(Request const& request, RunService& service);
Response metrics(Request const& request, RunService& service);
Response about(Request const& request, RunService& service);
Response start_backup(Request const& request, RunService& service);
Response show_backup(Request const& request, RunService& service);
Response show_openapi(Request const& request, RunService& service);
Response show_plan_schema(Request const& request, RunService& service);
Response show_problem(Request const& request, RunService& service);
Response show_alert(Request const& request, RunService& service);

// api_plans.cpp
Response list_plans(Request const& request, RunService& service);
Response upload_plan(Request const& request, RunService& service);
Response validate_plan(Request const& request, RunService& service);
Response diff_plans(Request const& request, RunService& service);
Response show_plan(Request const& request, RunService& service);
Response show_ways_back(Request const& request, RunService& service);

// api_runs.cpp
Response list_runs(Request const& request, RunService& service);
Response create_run(Request const& request, RunService& service);
Response show_run(Request const& request, RunService& service);
Response show_steps(Request const& request, RunService& service);
Response show_phases(Request const& request, RunService& service);
Response show_gates(Request const& request, RunService& service);
Response show_attempts(Request const& request, RunService& service);
Response show_step(Request const& request, RunService& service);
Response preview_rollback(Request const& request, RunService& service);
// The verb is the path's last segment.
Response command_run(Request const& request, RunService& service);

// api_target.cpp: what a target tells when it is asked
Response when_told(std::function<void(Told)> ask);
Response show_locks(Request const& request, RunService& service);
Response show_preflight(Request const& request, RunService& service);
Response show_catalog(Request const& request, RunService& service);

// api_events.cpp
Response show_events(Request const& request, RunService& service);

}  // namespace runbookd::web
