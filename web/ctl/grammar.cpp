#include "web/ctl/grammar.h"

#include <limits>

#include "web/ctl/run_facts.h"
#include "web/ctl/usage.h"
#include "web/ctl/version.h"

namespace runbookd::ctl {

namespace {

constexpr auto run_help = "The run: its id, a unique beginning of it, or @latest";
constexpr auto step_help = "PHASE/STEP, or a name that only one step has";

// A subcommand whose options fill a T, which becomes the command.
template <typename T>
struct Sub {
  CLI::App* app = nullptr;
  T* into = nullptr;

  // `value` is the kind of the option's value, for the help.
  CLI::Option* option(char const* name, auto field, char const* value, char const* help) {
    return app->add_option(name, into->*field, help)->option_text(value);
  }
  CLI::Option* word(char const* name, auto T::* field, char const* help) {
    return app->add_option(name, into->*field, help);
  }
  void flag(char const* name, bool T::* field, char const* help) {
    app->add_flag(name, into->*field, help);
  }
};

template <typename T>
Sub<T> sub(Parse& parse, CLI::App& parent, char const* name, char const* help) {
  auto into = std::make_shared<T>();
  parse.kept.push_back(into);
  auto* app = parent.add_subcommand(name, help)->group(parse.group);
  app->final_callback([&parse, into] { parse.command = *into; });
  return {app, into.get()};
}

template <typename T>
Sub<T> run_verb(Parse& parse, char const* name, char const* help) {
  auto made = sub<T>(parse, parse.app, name, help);
  made.word("RUN", &T::run, run_help)->required();
  return made;
}

template <typename T>
Sub<T> step_verb(Parse& parse, char const* name, char const* help) {
  auto made = run_verb<T>(parse, name, help);
  made.word("STEP", &T::step, step_help)->required();
  return made;
}

void add_output(Parse& parse) {
  auto& app = parse.app;
  app.add_option("-o,--output", parse.output, "table, json, ndjson (or jsonl) or name")
      ->option_text("FORMAT")
      ->check(one_of({"table", "json", "ndjson", "jsonl", "name"}));
  app.add_flag("--json", parse.json, "The same as -o json");
  app.add_flag("-q,--quiet", parse.global.quiet, "Data only, no messages");
  app.add_flag("--no-color", parse.global.no_color, "No colours (also: NO_COLOR)");
  app.add_flag("--show-curl", parse.global.show_curl, "Also print the requests as curl commands");
}

void add_request(Parse& parse) {
  auto& global = parse.global;
  auto& app = parse.app;
  app.add_option("--addr", global.address,
                 "http://HOST:PORT or unix:/path (else RUNBOOKCTL_ADDR, else this host's daemon)")
      ->option_text("ADDRESS");
  app.add_option("--ca-file", global.ca_file,
                 "Whose certificates an https:// address may show (else RUNBOOKCTL_CA_FILE, else "
                 "the system's)")
      ->option_text("FILE");
  app.add_option("--token-file", global.token_file,
                 "A file with the token (else RUNBOOKCTL_TOKEN_FILE, else what login kept)")
      ->option_text("FILE");
  app.add_option(
         "--actor", global.actor,
         "Who acts, where nobody asks for a token (else RUNBOOKCTL_ACTOR, else the login name)")
      ->option_text("NAME");
  app.add_option("--reason", global.reason, "Why; stored with the event")->option_text("TEXT");
  app.add_option("--if-revision", parse.if_revision, "Only if the run is still at this revision")
      ->option_text("N")
      ->check(whole_number(0, std::numeric_limits<std::int64_t>::max()));
  app.add_flag("-y,--yes", global.yes, "Answer yes to ordinary questions");
  app.add_flag("--no-input", global.no_input, "Never ask; refuse instead");
  app.add_flag("--wait", parse.wait, "Follow the run until it settles");
  app.add_flag("--no-wait", parse.no_wait, "Do not follow the run");
  app.add_option("--timeout", parse.timeout, "How long to wait, such as 30s or 2h")
      ->option_text("DURATION")
      ->check(duration());
}

// What a plan or a script is held against where there is no server.
template <typename T>
void add_schema(auto& command) {
  command.option("--schema", &T::schema, "FILE",
                 "The schema it meets, as pg_dump --schema-only writes it");
  command.option("--server-version", &T::server_version, "N", "13 to 18 (18)")
      ->check(whole_number(13, 18));
}

template <typename T>
void add_schema_choice(Sub<T>& command) {
  command.option("--schema", &T::schema, "FILE",
                 "The schema it meets, as pg_dump --schema-only writes it");
  command.option("--dsn", &T::dsn, "DSN", "Or the database it meets, sizes and version included");
  command.option("--target", &T::target, "NAME", "Or a target of the daemon, which is asked");
}

template <typename T>
void add_lint_options(Sub<T>& lint) {
  add_schema_choice(lint);
  lint.option("--server-version", &T::server_version, "N", "13 to 18, or with the minor: 14.2");
  lint.option("--small-table", &T::small_table, "SIZE",
              "Up to here rules by size only note (16MB)");
  lint.option("--large-table", &T::large_table, "SIZE",
              "From here on their warnings are errors (8GB)");
  lint.option("--enable", &T::enable, "RULE", "An optional rule, a group such as policy, or all");
  lint.option("--report", &T::report, "FORM", "sarif, or github for annotations")
      ->check(one_of({"sarif", "github"}));
  lint.flag("--fix", &T::fix, "Make the edits that are safe, in the file");
}

void add_plan_commands(Parse& parse) {
  parse.group = "Plans and runs";
  auto* plan = parse.app.add_subcommand("plan", "Plans: check, show, upload")->group(parse.group);
  plan->require_subcommand(1);
  parse.group = "Commands";
  auto lint = sub<PlanLint>(parse, *plan, "lint", "Check a plan file, without a daemon");
  lint.word("FILE", &PlanLint::file, "The plan, or - for standard input")->required();
  add_lint_options(lint);
  sub<PlanShow>(parse, *plan, "show", "Show a plan: phases, steps, checks, way back")
      .word("PLAN", &PlanShow::plan, "A plan file, or a digest of an uploaded plan")
      ->required();
  sub<PlanSchema>(parse, *plan, "schema", "Print the JSON Schema of plan files");
  sub<PlanUpload>(parse, *plan, "upload", "Store a plan in the daemon")
      .word("FILE", &PlanUpload::file, "The plan")
      ->required();
  sub<PlanList>(parse, *plan, "list", "List the stored plans");
  auto import =
      sub<PlanImport>(parse, *plan, "import", "Make a plan file of a migration plan in Markdown");
  import.word("FILE", &PlanImport::file, "The document, or - for standard input")->required();
  add_schema<PlanImport>(import);
  auto render =
      sub<PlanRender>(parse, *plan, "render", "Write a plan, or a run, as a document in Markdown");
  render.word("PLAN", &PlanRender::plan, "A plan file, or a digest of an uploaded plan");
  render.option("--run", &PlanRender::run, "RUN",
                "This run's plan, with the times, results and names that it recorded");
  add_schema<PlanRender>(render);
  auto diff = sub<PlanDiff>(parse, *plan, "diff", "Compare two plans, step by step");
  diff.word("BEFORE", &PlanDiff::before, "A plan file, or a digest of an uploaded plan")
      ->required();
  diff.word("AFTER", &PlanDiff::after, "Another one")->required();
  auto derive = sub<PlanDerive>(
      parse, *plan, "derive", "Show what `rollback: auto` stands for in each step of a plan file");
  derive.word("FILE", &PlanDerive::file, "The plan")->required();
  derive.option("--dsn", &PlanDerive::dsn, "DSN",
                "The database that tells what no text tells, as its catalog is now");
  derive.option("--target", &PlanDerive::target, "NAME",
                "Or a target of the daemon, which is asked");
  derive.flag("--fix", &PlanDerive::fix, "Write the SQL into the file, in the place of `auto`");
}

void add_sql_commands(Parse& parse) {
  parse.group = "Plans and runs";
  auto* sql = parse.app.add_subcommand("sql", "SQL: what it does to tables")->group(parse.group);
  sql->require_subcommand(1);
  parse.group = "Commands";
  auto explain = sub<SqlExplain>(parse, *sql, "explain",
                                 "Foretell locks, rewrites and full reads; nothing is run");
  explain.word("FILE", &SqlExplain::file, "The SQL, or - for standard input")->required();
  add_schema_choice(explain);
  explain
      .option("--server-version", &SqlExplain::server_version, "N",
              "13 to 18 (the server's, else 18)")
      ->check(whole_number(13, 18));
  auto lint = sub<SqlLint>(parse, *sql, "lint", "Check SQL for live traffic, without a server");
  lint.word("FILE", &SqlLint::file, "The SQL, or - for standard input")->required();
  add_lint_options(lint);
  lint.flag("--in-transaction", &SqlLint::in_transaction,
            "The tool runs the whole file in one transaction");
  lint.flag("--timeouts-given", &SqlLint::timeouts_given, "The role or the tool sets lock_timeout");
  sub<SqlRules>(parse, *sql, "rules", "List the rules of lint");
}

void add_run_commands(Parse& parse) {
  parse.group = "Plans and runs";
  auto* run = parse.app.add_subcommand("run", "Runs: create, list, show")->group(parse.group);
  run->require_subcommand(1);
  parse.group = "Commands";
  auto create = sub<RunCreate>(parse, *run, "create", "Create a run; nothing is executed yet");
  create.option("--plan", &RunCreate::plan, "DIGEST", "A stored plan; or else");
  create.option("--plan-file", &RunCreate::plan_file, "FILE", "a plan file to upload");
  create.option("--target", &RunCreate::target, "NAME", "The daemon's name for the database")
      ->required();
  create.option("--note", &RunCreate::note, "TEXT", "A remark for the readers of the run");
  auto list = sub<RunList>(parse, *run, "list", "List runs");
  list.option("--state", &RunList::state, "STATE", "Only runs in this state")
      ->check(one_of(run_states()));
  list.option("--target", &RunList::target, "NAME", "Only runs on this target");
  list.option("--plan", &RunList::plan, "DIGEST", "Only runs of this plan");
  list.option("--limit", &RunList::limit, "N", "At most so many (50)")
      ->check(whole_number(1, 100'000));
  auto show = sub<RunShow>(parse, *run, "show", "Everything about a run, a phase or a step");
  show.word("RUN", &RunShow::run, run_help)->required();
  show.option("--phase", &RunShow::phase, "PHASE", "Only this phase");
  show.option("--step", &RunShow::step, "STEP", "This step with its SQL and attempts");
}

// Where another daemon has claimed the target.
template <typename Verb>
void may_take_over(auto& verb) {
  verb.flag("--take-over", &Verb::take_over,
            "Although another daemon holds the target: that one then stops; needs --reason");
}

void add_forward_verbs(Parse& parse) {
  parse.group = "Going on";
  auto start = run_verb<Start>(parse, "start", "Begin a run");
  start
      .option("--acknowledge", &Start::acknowledge, "RULE=REASON",
              "A finding to start in spite of; may be repeated")
      ->expected(1)
      ->take_all();
  may_take_over<Start>(start);
  auto advance = run_verb<Advance>(parse, "advance", "Enter the next phase");
  advance.option("--to", &Advance::to, "PHASE", "The phase to enter")->required();
  advance.option("--confirm", &Advance::confirm, "PHASE",
                 "Its name again, for contract phases in scripts");
  auto approve = run_verb<Approve>(parse, "approve", "Sign the gate of a phase");
  approve.option("--phase", &Approve::phase, "PHASE", "The phase; else the one that waits");
  auto reject = run_verb<Reject>(parse, "reject", "Refuse the gate of a phase; needs --reason");
  reject.option("--phase", &Reject::phase, "PHASE", "The phase; else the one that waits");
  run_verb<Evaluate>(parse, "evaluate", "Run the checks again, and wait for what they say");
  step_verb<ConfirmStep>(parse, "confirm", "Say that a manual step was done");
}

void add_stop_verbs(Parse& parse) {
  parse.group = "Stopping and going back";
  auto pause =
      run_verb<Pause>(parse, "pause", "Stop at the next safe point, and wait until it has");
  pause.flag("--now", &Pause::now, "Interrupt what is executing");
  pause
      .option("--escalate-after", &Pause::escalate_after, "DURATION",
              "Interrupt if no safe point came by then, such as 30s")
      ->check(duration());
  auto throttle = run_verb<Throttle>(parse, "throttle", "Slow the backfill down, while it runs");
  throttle
      .option("--ratio", &Throttle::ratio, "SHARE", "At most this share of full speed: 0.3, or 30%")
      ->check(share());
  throttle.flag("--stop", &Throttle::stop, "Stand still; the run goes on running");
  throttle.flag("--exempt", &Throttle::exempt,
                "Let no signal of the target slow it; needs --reason");
  throttle.flag("--off", &Throttle::off, "Take back what was said before");
  throttle
      .option("--for", &Throttle::lasts, "DURATION", "For so long, such as 10m; else until --off")
      ->check(duration());
  auto resume = run_verb<Resume>(parse, "resume", "Go on after a pause");
  may_take_over<Resume>(resume);
  auto rollback = run_verb<Rollback>(parse, "rollback", "Go back, newest step first");
  rollback.option("--to", &Rollback::to, "PHASE[/STEP]", "Back to before this; or else");
  rollback.flag("--last", &Rollback::last, "undo the last step; or else");
  rollback.flag("--all", &Rollback::all, "undo everything");
  rollback.flag("--preview", &Rollback::preview, "Only show what would be undone");
  may_take_over<Rollback>(rollback);
  auto cancel = run_verb<Cancel>(parse, "cancel", "Give up; the database stays as it is");
  cancel.option("--confirm", &Cancel::confirm, "PLAN", "The plan's name, for scripts");
}

void add_step_verbs(Parse& parse) {
  parse.group = "Steps in trouble";
  auto retry = run_verb<Retry>(parse, "retry", "Try a failed or interrupted step again");
  retry.word("STEP", &Retry::step, "PHASE/STEP; else the current one");
  may_take_over<Retry>(retry);
  step_verb<Skip>(
      parse, "skip",
      "Leave a step or its way back out, or take a schema that differs; needs --reason");
  auto resolve = step_verb<Resolve>(parse, "resolve", "Settle a step whose outcome is unknown");
  resolve.option("--as", &Resolve::as, "OUTCOME", "succeeded or failed")
      ->required()
      ->check(one_of({"succeeded", "failed"}));
  resolve.option("--evidence", &Resolve::evidence, "TEXT", "What you looked at and saw")
      ->required();
}

void add_seeing(Parse& parse) {
  parse.group = "Seeing";
  sub<Status>(parse, parse.app, "status", "What goes on and what it waits for")
      .word("RUN", &Status::run, "One run; else all that are under way");
  auto watch = sub<Watch>(parse, parse.app, "watch",
                          "Follow a run live; on a pipe: until a person is needed");
  watch.word("RUN", &Watch::run, "The run; else the one that is under way");
  watch
      .option("--until", &Watch::until, "WHAT,...",
              "Leave when settled, a state, or a phase that is done; several with commas")
      ->delimiter(',');
  auto events = sub<Events>(parse, parse.app, "events", "What has happened, line by line");
  events.word("RUN", &Events::run, run_help)->required();
  events.flag("-f,--follow", &Events::follow, "Go on with new ones");
  events.option("--types", &Events::types, "TYPE,...", "Only kinds such as step or run.paused")
      ->delimiter(',');
  auto locks = sub<Locks>(parse, parse.app, "locks", "Who waits for whom around a run, now");
  locks.word("RUN", &Locks::run, "The run; else the one that is under way");
  locks.flag("--watch", &Locks::watch, "Look again every second");
  auto preflight =
      run_verb<Preflight>(parse, "preflight", "May a phase begin now? 0 go, 6 wait, 7 no-go");
  preflight.option("--phase", &Preflight::phase, "PHASE", "The phase; else the next one");
  parse.group = "Who may do what";
  sub<WhoAmI>(parse, parse.app, "whoami", "As whom the daemon knows you, and your roles");
  sub<Login>(parse, parse.app, "login", "Keep a token for the daemon; it is typed, or piped in");
  sub<Logout>(parse, parse.app, "logout", "Forget the token that was kept");
  auto* token = parse.app.add_subcommand("token", "Tokens: create, list, revoke; for admins")
                    ->group(parse.group);
  token->require_subcommand(1);
  parse.group = "Commands";
  auto create = sub<TokenCreate>(parse, *token, "create", "Make a token; it is shown once");
  create.option("--principal", &TokenCreate::principal, "NAME", "Whom it stands for: one person")
      ->required();
  create
      .option("--role", &TokenCreate::roles, "ROLE[@TARGETS]",
              "viewer, auditor, oncall, approver, operator or admin, such as "
              "operator@billing-*; may be repeated")
      ->required()
      ->expected(1)
      ->take_all();
  create.option("--name", &TokenCreate::name, "TEXT", "What it is for");
  create.option("--expires", &TokenCreate::expires, "DURATION", "Good for so long, such as 90d")
      ->check(duration());
  sub<TokenList>(parse, *token, "list", "List the tokens, without their secrets");
  sub<TokenRevoke>(parse, *token, "revoke", "End a token, at once")
      .word("ID", &TokenRevoke::token, "Its id, as token list shows it")
      ->required();
  parse.group = "Seeing";
  sub<Version>(parse, parse.app, "version", "Versions of this program and of the daemon");
}

}  // namespace

void build(Parse& parse) {
  auto& app = parse.app;
  app.name("runbookctl");
  app.fallthrough();  // global options may stand after the command; inherited by subcommands
  app.require_subcommand(0, 1);
  use_our_pages(app);
  app.footer(
      "Options that every command knows, such as --reason, --yes, --wait, --timeout and -o:\n"
      "runbookctl --help");
  add_output(parse);
  add_request(parse);
  add_seeing(parse);
  add_plan_commands(parse);
  add_sql_commands(parse);
  add_run_commands(parse);
  add_forward_verbs(parse);
  add_stop_verbs(parse);
  add_step_verbs(parse);
  app.set_version_flag("--version", "runbookctl " + std::string(version), "Print the version");
  app.footer(  // the commands have theirs by now
      "Without a command: status. Options may stand before or after the command, whose own are\n"
      "shown by: runbookctl COMMAND --help\n"
      "Exit codes: 0 done, 1 unexpected, 2 usage, 3 not found, 4 not allowed, 5 conflict,\n"
      "6 the run needs a person, 7 failed, 8 cancelled or rolled back, 9 invalid plan,\n"
      "10 unreachable, 124 timeout, 130 interrupted.");
}

}  // namespace runbookd::ctl
