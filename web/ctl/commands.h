// What a person asked for on the command line, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "planner/time.h"

namespace runbookd::ctl {

enum class Output { table, json, ndjson, name };

// Options that every command knows.
struct Global {
  Output output = Output::table;
  bool quiet = false;
  bool no_color = false;
  bool no_input = false;
  bool yes = false;
  bool show_curl = false;
  std::string address, actor, reason, token_file, ca_file;
  std::optional<bool> wait;  // --wait, --no-wait
  std::optional<planner::Duration> timeout;
  std::optional<std::int64_t> if_revision;
};

// What SQL is held against: a dump, a server, or a target of the daemon; one of them, or none.
struct SchemaChoice {
  std::string schema, dsn, target;
};
// How lint judges, and how it tells.
struct LintChoices : SchemaChoice {
  std::string server_version, report;    // report: "", "sarif" or "github"
  std::string small_table, large_table;  // sizes: "16MB"
  std::vector<std::string> enable;
  bool in_transaction = false, timeouts_given = false, fix = false;
};
struct PlanLint : LintChoices {
  std::string file;
};
struct PlanShow {
  std::string plan;  // a file or a digest
};
struct PlanSchema {};
struct PlanUpload {
  std::string file;
};
struct PlanList {};
struct PlanImport {
  std::string file, schema;
  int server_version = 18;
};
struct PlanRender {
  std::string plan, run, schema;
  int server_version = 18;
};
struct PlanDiff {
  std::string before, after;
};
struct PlanDerive {
  std::string file;
  std::string dsn, target;  // the database that tells what the text does not; one of them, or none
  bool fix = false;
};
struct SqlExplain : SchemaChoice {
  std::string file;
  int server_version = 0;  // 0: the server's, or the newest
};
struct SqlLint : LintChoices {
  std::string file;
};
struct SqlRules {};
struct RunCreate {
  std::string plan, plan_file, target, note;
};
struct RunList {
  std::string state, target, plan;
  int limit = 50;
};
struct RunShow {
  std::string run, phase, step;
};
struct Start {
  std::string run;
  std::vector<std::string> acknowledge;  // "rule=reason"
  bool take_over = false;                // from another daemon that has claimed the target
};
struct Advance {
  std::string run, to, confirm;
};
struct Approve {
  std::string run, phase;
};
struct Reject {
  std::string run, phase;
};
struct Evaluate {
  std::string run;
};
struct ConfirmStep {
  std::string run, step;
};
struct Pause {
  std::string run;
  bool now = false;
  std::string escalate_after;
};
struct Throttle {
  std::string run, ratio, lasts;
  bool stop = false, exempt = false, off = false;
};
struct Resume {
  std::string run;
  bool take_over = false;
};
struct Retry {
  std::string run, step;
  bool take_over = false;
};
struct Skip {
  std::string run, step;
};
struct Resolve {
  std::string run, step, as, evidence;
};
struct Rollback {
  std::string run, to;
  bool last = false, all = false, preview = false, take_over = false;
};
struct Cancel {
  std::string run, confirm;
};
struct Status {
  std::string run;
};
struct Watch {
  std::string run;
  std::vector<std::string> until;
};
struct Events {
  std::string run;
  bool follow = false;
  std::vector<std::string> types;
};
struct Locks {
  std::string run;
  bool watch = false;
};
struct Preflight {
  std::string run, phase;
};
struct TokenCreate {
  std::string principal, name, expires;
  std::vector<std::string> roles;
};
struct TokenList {};
struct TokenRevoke {
  std::string token;
};
struct Login {};
struct Logout {};
struct WhoAmI {};
struct Version {};

using Command =
    std::variant<PlanLint, PlanShow, PlanSchema, PlanUpload, PlanList, PlanImport, PlanRender,
                 PlanDiff, PlanDerive, SqlExplain, SqlLint, SqlRules, RunCreate, RunList, RunShow,
                 Start, Advance, Approve, Reject, Evaluate, ConfirmStep, Pause, Resume, Retry, Skip,
                 Resolve, Rollback, Cancel, Throttle, Status, Watch, Events, Locks, Preflight,
                 TokenCreate, TokenList, TokenRevoke, Login, Logout, WhoAmI, Version>;

}  // namespace runbookd::ctl
