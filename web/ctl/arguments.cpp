#include "web/ctl/arguments.h"

#include "web/ctl/grammar.h"
#include "web/ctl/usage.h"

namespace runbookd::ctl {

namespace {

Output output_of(Parse const& parse) {
  if (parse.json || parse.output == "json") {
    return Output::json;
  }
  if (parse.output == "ndjson" || parse.output == "jsonl") {
    return Output::ndjson;
  }
  return parse.output == "name" ? Output::name : Output::table;
}

tl::unexpected<Leave> refused(Parse const& parse, Failure failure) {
  auto const output = output_of(parse);
  return tl::unexpected(Leave{.text = "",
                              .failure = std::move(failure),
                              .as_json = output == Output::json || output == Output::ndjson});
}

template <typename... T>
bool holds_one_of(Command const& command) {
  return (std::holds_alternative<T>(command) || ...);
}

bool changes_a_run(Command const& command) {
  return holds_one_of<Start, Advance, Approve, Reject, Evaluate, ConfirmStep, Pause, Resume, Retry,
                      Skip, Resolve, Rollback, Cancel, Throttle, Withdraw, Override, Countersign>(
      command);
}

// Empty when one wish is said, and said rightly.
std::string misfit(Throttle const& throttle) {
  auto const said = static_cast<int>(!throttle.ratio.empty()) + static_cast<int>(throttle.stop) +
                    static_cast<int>(throttle.exempt) + static_cast<int>(throttle.off);
  if (said != 1) {
    return "say how: one of --ratio 0.3, --stop, --exempt and --off";
  }
  return throttle.off && !throttle.lasts.empty()
             ? "--for says how long a word holds; --off takes it back"
             : "";
}

int extents_of(Rollback const& command) {
  return static_cast<int>(!command.to.empty()) + static_cast<int>(command.last) +
         static_cast<int>(command.all);
}

// What the parser cannot check; empty when nothing is wrong.
std::string misfit(Parse const& parse) {
  if (parse.wait && parse.no_wait) {
    return "--wait and --no-wait exclude each other";
  }
  for (auto const* option : {"--if-revision", "--reason", "--dry-run", "--wait", "--no-wait"}) {
    bool const fits =
        changes_a_run(parse.command) ||
        (option == std::string_view("--reason") && std::holds_alternative<HoldSet>(parse.command));
    if (parse.app.count(option) > 0 && !fits) {
      return std::string(option) +
             " means nothing here: it is for the commands that change a run, such as pause";
    }
  }
  if (auto const* create = std::get_if<RunCreate>(&parse.command);
      create != nullptr && create->plan.empty() == create->plan_file.empty()) {
    return "it needs one plan: --plan DIGEST or --plan-file FILE";
  }
  if (auto const* back = std::get_if<Rollback>(&parse.command);
      back != nullptr && extents_of(*back) != 1) {
    return "say how far back: one of --to PHASE[/STEP], --last and --all";
  }
  auto const* throttle = std::get_if<Throttle>(&parse.command);
  return throttle == nullptr ? "" : misfit(*throttle);
}

Invocation finished(Parse& parse) {
  auto& global = parse.global;
  global.output = output_of(parse);
  if (parse.wait || parse.no_wait) {
    global.wait = parse.wait;
  }
  if (parse.if_revision >= 0) {
    global.if_revision = parse.if_revision;
  }
  if (!parse.timeout.empty()) {
    global.timeout = planner::parse_duration(parse.timeout);
  }
  return {std::move(global), std::move(parse.command)};
}

// As people type it: "help status" is "status --help". The parser wants the last word first.
std::vector<std::string> for_parser(std::vector<std::string> words) {
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return {words.rbegin(), words.rend()};
}

}  // namespace

tl::expected<Invocation, Leave> parse_arguments(std::vector<std::string> const& arguments) {
  Parse parse;
  build(parse);
  try {
    parse.app.parse(for_parser(arguments));
  } catch (CLI::CallForHelp const&) {
    return tl::unexpected(Leave{.text = help_text(parse.app), .failure = {}});
  } catch (CLI::CallForVersion const& asked) {
    return tl::unexpected(Leave{.text = asked.what() + std::string("\n"), .failure = {}});
  } catch (CLI::ParseError const& error) {
    return refused(parse, usage_failure(parse.app, error));
  }
  if (auto const why = misfit(parse); !why.empty()) {
    return refused(parse, usage_failure(parse.app, why));
  }
  return finished(parse);
}

}  // namespace runbookd::ctl
