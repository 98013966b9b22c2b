#include "web/ctl/arguments.h"

#include <functional>

#include <CLI/CLI.hpp>

#include "web/ctl/usage.h"
#include "web/ctl/version.h"

namespace runbookd::ctl {

namespace {

// CLI11 binds options to variables: these live as long as the parse. The last subcommand that was
// parsed leaves its command here.
struct Parse {
  CLI::App app{"Steers runbookd: carries database changes through production, phase by phase."};
  Global global;
  Command command = Status{};
  std::string timeout;
  bool json = false, wait = false, no_wait = false;
  std::int64_t if_revision = -1;
  std::vector<std::shared_ptr<void>> kept;  // the option variables of the subcommands
};

// A subcommand whose options fill a T, which becomes the command.
template <typename T>
struct Sub {
  CLI::App* app = nullptr;
  T* into = nullptr;
};

template <typename T>
Sub<T> sub(Parse& parse, CLI::App& parent, char const* name, char const* help) {
  auto into = std::make_shared<T>();
  parse.kept.push_back(into);
  auto* app = parent.add_subcommand(name, help);
  app->final_callback([&parse, into] { parse.command = *into; });
  return {app, into.get()};
}

template <typename T>
Sub<T> run_verb(Parse& parse, char const* name, char const* help) {
  auto made = sub<T>(parse, parse.app, name, help);
  made.app
      ->add_option("RUN", made.into->run, "The run: its id, a unique beginning of it, or @latest")
      ->required();
  return made;
}

void add_output(Parse& parse) {
  auto& [app, global, command, timeout, json, wait, no_wait, if_revision, kept] = parse;
  std::map<std::string, Output> const outputs{{"table", Output::table},
                                              {"json", Output::json},
                                              {"ndjson", Output::ndjson},
                                              {"name", Output::name}};
  app.add_option("-o,--output", global.output, "table, json, ndjson or name")
      ->transform(CLI::CheckedTransformer(outputs).description(""))
      ->option_text("FORMAT");
  app.add_flag("--json", json, "The same as -o json");
  app.add_flag("-q,--quiet", global.quiet, "Data only, no messages");
  app.add_flag("--no-color", global.no_color, "No colours (also: NO_COLOR)");
  app.add_flag("--show-curl", global.show_curl, "Also print the requests as curl commands");
}

void add_request(Parse& parse) {
  auto& global = parse.global;
  auto& app = parse.app;
  app.add_option("--addr", global.address,
                 "http://HOST:PORT or unix:/path (else RUNBOOKCTL_ADDR, else this host's daemon)")
      ->option_text("ADDRESS");
  app.add_option("--actor", global.actor, "Who acts (else RUNBOOKCTL_ACTOR, else the login name)")
      ->option_text("NAME");
  app.add_option("--reason", global.reason, "Why; stored with the event")->option_text("TEXT");
  app.add_option("--if-revision", parse.if_revision, "Only if the run is still at this revision")
      ->option_text("N");
  app.add_flag("-y,--yes", global.yes, "Answer yes to ordinary questions");
  app.add_flag("--no-input", global.no_input, "Never ask; refuse instead");
  app.add_flag("--wait", parse.wait, "Follow the run until it settles");
  app.add_flag("--no-wait", parse.no_wait, "Do not follow the run");
  app.add_option("--timeout", parse.timeout, "How long to wait, such as 30s or 2h")
      ->option_text("DURATION");
}

void add_plan_commands(Parse& parse) {
  auto* plan = parse.app.add_subcommand("plan", "Plans: check, show, upload");
  plan->require_subcommand(1);
  auto lint = sub<PlanLint>(parse, *plan, "lint", "Check a plan file, without a daemon");
  lint.app->add_option("FILE", lint.into->file, "The plan, or - for standard input")->required();
  auto show = sub<PlanShow>(parse, *plan, "show", "Show a plan: phases, steps, checks, way back");
  show.app->add_option("PLAN", show.into->plan, "A plan file, or a digest of an uploaded plan")
      ->required();
  sub<PlanSchema>(parse, *plan, "schema", "Print the JSON Schema of plan files");
  auto upload = sub<PlanUpload>(parse, *plan, "upload", "Store a plan in the daemon");
  upload.app->add_option("FILE", upload.into->file, "The plan")->required();
  sub<PlanList>(parse, *plan, "list", "List the stored plans");
}

void add_run_commands(Parse& parse) {
  auto* run = parse.app.add_subcommand("run", "Runs: create, list, show");
  run->require_subcommand(1);
  auto create = sub<RunCreate>(parse, *run, "create", "Create a run; nothing is executed yet");
  auto* plan = create.app->add_option("--plan", create.into->plan, "Digest of a stored plan");
  auto* file =
      create.app->add_option("--plan-file", create.into->plan_file, "A plan file to upload");
  plan->excludes(file);
  create.app->add_option("--target", create.into->target, "The daemon's name for the database")
      ->required();
  create.app->add_option("--note", create.into->note, "A remark for the readers of the run");
  auto list = sub<RunList>(parse, *run, "list", "List runs");
  list.app->add_option("--state", list.into->state, "Only runs in this state");
  list.app->add_option("--target", list.into->target, "Only runs on this target");
  list.app->add_option("--plan", list.into->plan, "Only runs of this plan");
  list.app->add_option("--limit", list.into->limit, "At most so many")
      ->check(CLI::Range(1, 100'000));
  auto show = sub<RunShow>(parse, *run, "show", "Everything about a run, a phase or a step");
  show.app->add_option("RUN", show.into->run, "The run")->required();
  show.app->add_option("--phase", show.into->phase, "Only this phase");
  show.app->add_option("--step", show.into->step, "This step with its SQL and attempts");
}

void add_forward_verbs(Parse& parse) {
  auto start = run_verb<Start>(parse, "start", "Begin a run");
  start.app->add_option("--acknowledge", start.into->acknowledge, "RULE=REASON; may be repeated")
      ->expected(1)
      ->take_all();
  auto advance = run_verb<Advance>(parse, "advance", "Enter the next phase");
  advance.app->add_option("--to", advance.into->to, "The phase to enter")->required();
  advance.app->add_option("--confirm", advance.into->confirm,
                          "The phase's name again, for contract phases in scripts");
  auto approve = run_verb<Approve>(parse, "approve", "Sign the gate of a phase");
  approve.app->add_option("--phase", approve.into->phase, "The phase; else the one that waits");
  auto reject = run_verb<Reject>(parse, "reject", "Refuse the gate of a phase; needs --reason");
  reject.app->add_option("--phase", reject.into->phase, "The phase; else the one that waits");
  run_verb<Evaluate>(parse, "evaluate", "Run the current checks again");
  auto confirm = run_verb<ConfirmStep>(parse, "confirm", "Say that a manual step was done");
  confirm.app->add_option("STEP", confirm.into->step, "PHASE/STEP or a unique step")->required();
}

void add_stop_verbs(Parse& parse) {
  auto pause =
      run_verb<Pause>(parse, "pause", "Stop at the next safe point, and wait until it has");
  pause.app->add_flag("--now", pause.into->now, "Interrupt what is executing");
  pause.app->add_option("--escalate-after", pause.into->escalate_after,
                        "Interrupt if no safe point came by then, such as 30s");
  run_verb<Resume>(parse, "resume", "Go on after a pause");
  auto cancel = run_verb<Cancel>(parse, "cancel", "Give up; the database stays as it is");
  cancel.app->add_option("--confirm", cancel.into->confirm, "The plan's name, for scripts");
}

void add_step_verbs(Parse& parse) {
  auto retry = run_verb<Retry>(parse, "retry", "Try a failed or interrupted step again");
  retry.app->add_option("STEP", retry.into->step, "PHASE/STEP; else the current one");
  auto skip = run_verb<Skip>(parse, "skip", "Leave a step out; needs --reason");
  skip.app->add_option("STEP", skip.into->step, "PHASE/STEP or a unique step")->required();
  auto resolve = run_verb<Resolve>(parse, "resolve", "Settle a step whose outcome is unknown");
  resolve.app->add_option("STEP", resolve.into->step, "PHASE/STEP or a unique step")->required();
  resolve.app->add_option("--as", resolve.into->as, "succeeded or failed")
      ->required()
      ->check(CLI::IsMember({"succeeded", "failed"}));
  resolve.app->add_option("--evidence", resolve.into->evidence, "What you looked at and saw")
      ->required();
  auto rollback = run_verb<Rollback>(parse, "rollback", "Go back, newest step first");
  auto* extent = rollback.app->add_option_group("extent");
  extent->add_option("--to", rollback.into->to, "PHASE or PHASE/STEP; it is undone too");
  extent->add_flag("--last", rollback.into->last, "Undo the last step");
  extent->add_flag("--all", rollback.into->all, "Undo everything");
  extent->require_option(1);
  rollback.app->add_flag("--preview", rollback.into->preview, "Only show what would be undone");
}

void add_seeing(Parse& parse) {
  auto status = sub<Status>(parse, parse.app, "status", "What goes on and what it waits for");
  status.app->add_option("RUN", status.into->run, "One run; else all that are under way");
  auto watch = sub<Watch>(parse, parse.app, "watch", "Follow a run live");
  watch.app->add_option("RUN", watch.into->run, "The run; else the one that is under way");
  watch.app
      ->add_option("--until", watch.into->until,
                   "Leave when settled, a state, or a phase that is done; several with commas")
      ->delimiter(',');
  auto events = sub<Events>(parse, parse.app, "events", "What has happened, line by line");
  events.app->add_option("RUN", events.into->run, "The run")->required();
  events.app->add_flag("-f,--follow", events.into->follow, "Go on with new ones");
  events.app->add_option("--types", events.into->types, "Only kinds such as step or run.paused")
      ->delimiter(',');
  sub<Version>(parse, parse.app, "version", "Versions of this program and of the daemon");
}

void build(Parse& parse) {
  parse.app.name("runbookctl");
  parse.app.fallthrough();  // global options may stand after the command; inherited by subcommands
  parse.app.require_subcommand(0, 1);
  parse.app.footer(
      "Without a command: status. Exit codes: 0 done, 2 usage, 3 not found, 4 not allowed,\n"
      "5 conflict, 6 the run needs a person, 7 failed, 8 cancelled or rolled back,\n"
      "9 invalid plan, 10 unreachable, 124 timeout, 130 interrupted.");
  parse.app.set_version_flag("--version", "runbookctl " + std::string(version),
                             "Print the version");
  add_output(parse);
  add_request(parse);
  add_plan_commands(parse);
  add_run_commands(parse);
  add_forward_verbs(parse);
  add_stop_verbs(parse);
  add_step_verbs(parse);
  add_seeing(parse);
}

Leave usage_error(Parse const& parse, std::vector<std::string> const& arguments,
                  CLI::ParseError const& error) {
  auto const& where = innermost(parse.app);
  auto const code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  auto const strange = code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError;
  auto const message = strange ? unknown_command(where, arguments) : "";
  return {.exit = Exit::usage,
          .text = "",
          .message = message.empty() ? std::string(error.what()) : message,
          .next = path_of(parse.app) + " --help"};
}

Leave help_for(Parse const& parse) {
  auto const& where = innermost(parse.app);
  return {.exit = Exit::done, .text = where.help(), .message = "", .next = ""};
}

tl::unexpected<Leave> wrong(std::string message) {
  return tl::unexpected(Leave{Exit::usage, "", std::move(message), "runbookctl --help"});
}

// What CLI11 cannot check.
tl::expected<Invocation, Leave> finished(Parse& parse) {
  auto& global = parse.global;
  if (parse.wait && parse.no_wait) {
    return wrong("--wait and --no-wait exclude each other");
  }
  if (parse.wait || parse.no_wait) {
    global.wait = parse.wait;
  }
  if (parse.json) {
    global.output = Output::json;
  }
  if (parse.if_revision >= 0) {
    global.if_revision = parse.if_revision;
  }
  if (!parse.timeout.empty()) {
    global.timeout = planner::parse_duration(parse.timeout);
    if (!global.timeout) {
      return wrong("--timeout: '" + parse.timeout +
                   "' is not a duration; write it as 30s, 10m or 2h");
    }
  }
  if (auto const* create = std::get_if<RunCreate>(&parse.command);
      create != nullptr && create->plan.empty() == create->plan_file.empty()) {
    return wrong("run create needs a plan: add --plan DIGEST or --plan-file FILE");
  }
  return Invocation{std::move(global), std::move(parse.command)};
}

}  // namespace

tl::expected<Invocation, Leave> parse_arguments(std::vector<std::string> const& arguments) {
  Parse parse;
  build(parse);
  try {
    parse.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (CLI::CallForHelp const&) {
    return tl::unexpected(help_for(parse));
  } catch (CLI::CallForVersion const& asked) {
    return tl::unexpected(Leave{Exit::done, asked.what() + std::string("\n"), "", ""});
  } catch (CLI::ParseError const& error) {
    return tl::unexpected(usage_error(parse, arguments, error));
  }
  return finished(parse);
}

}  // namespace runbookd::ctl
