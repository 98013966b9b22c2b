#include "web/ctl/arguments.h"

#include <doctest/doctest.h>

using namespace runbookd::ctl;
using namespace std::chrono_literals;

namespace {

template <typename T>
T parsed(std::vector<std::string> const& words) {
  auto const invocation = parse_arguments(words);
  REQUIRE(invocation);
  REQUIRE(std::holds_alternative<T>(invocation->command));
  return std::get<T>(invocation->command);
}

Failure refused(std::vector<std::string> const& words) {
  auto const invocation = parse_arguments(words);
  REQUIRE(!invocation);
  REQUIRE(invocation.error().failure);
  CHECK(invocation.error().failure->exit == Exit::usage);
  return *invocation.error().failure;
}

std::string help(std::vector<std::string> words) {
  words.emplace_back("--help");
  auto const invocation = parse_arguments(words);
  REQUIRE(!invocation);
  CHECK(!invocation.error().failure);
  return invocation.error().text;
}

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("without a command the status is asked for") { CHECK(parsed<Status>({}).run.empty()); }

TEST_CASE("global options may stand before and after the command") {
  auto const before = parse_arguments({"-o", "json", "run", "list"});
  auto const after = parse_arguments({"run", "list", "-o", "json"});
  REQUIRE(before);
  REQUIRE(after);
  CHECK(before->global.output == Output::json);
  CHECK(after->global.output == Output::json);
}

TEST_CASE("every verb reads its words") {
  CHECK(parsed<Advance>({"advance", "r", "--to", "expand", "--confirm", "expand"}).confirm ==
        "expand");
  CHECK(parsed<Pause>({"pause", "r", "--now"}).now);
  CHECK(parsed<Pause>({"pause", "r", "--escalate-after", "30s"}).escalate_after == "30s");
  CHECK(parsed<Retry>({"retry", "r"}).step.empty());
  CHECK(parsed<Retry>({"retry", "r", "expand/a"}).step == "expand/a");
  CHECK(parsed<Skip>({"skip", "r", "a", "--reason", "why"}).step == "a");
  CHECK(parsed<Resolve>({"resolve", "r", "a", "--as", "failed", "--evidence", "e"}).as == "failed");
  CHECK(parsed<Rollback>({"rollback", "r", "--all", "--preview"}).preview);
  auto const slow = parsed<Throttle>({"throttle", "r", "--ratio", "30%", "--for", "10m"});
  CHECK(slow.ratio == "30%");
  CHECK(slow.lasts == "10m");
  CHECK(parsed<Throttle>({"throttle", "r", "--stop"}).stop);
  CHECK(parsed<Cancel>({"cancel", "r", "--confirm", "p"}).confirm == "p");
  CHECK(parsed<Approve>({"approve", "r", "--phase", "contract"}).phase == "contract");
  CHECK(parsed<ConfirmStep>({"confirm", "r", "s", "--reason", "x"}).step == "s");
  CHECK(parsed<RunShow>({"run", "show", "r", "--phase", "p", "--step", "s"}).step == "s");
  CHECK(parsed<Events>({"events", "r", "-f", "--types", "step,run.paused"}).types.size() == 2);
}

TEST_CASE("findings are acknowledged one by one") {
  auto const start =
      parsed<Start>({"start", "r", "--acknowledge", "a=b", "--acknowledge", "c=d e"});
  CHECK(start.acknowledge == std::vector<std::string>{"a=b", "c=d e"});
}

TEST_CASE("conditions to wait for come with commas or one by one") {
  CHECK(parsed<Watch>({"watch", "r", "--until", "waiting,failed"}).until ==
        std::vector<std::string>{"waiting", "failed"});
  CHECK(parsed<Watch>({"watch", "--until", "settled"}).until ==
        std::vector<std::string>{"settled"});
}

TEST_CASE("waiting is said, denied, or left open") {
  CHECK(parse_arguments({"start", "r"})->global.wait == std::nullopt);
  CHECK(parse_arguments({"start", "r", "--wait"})->global.wait == true);
  CHECK(parse_arguments({"pause", "r", "--no-wait"})->global.wait == false);
  CHECK(contains(refused({"start", "r", "--wait", "--no-wait"}).why, "exclude"));
}

TEST_CASE("a time to wait needs its unit") {
  CHECK(parse_arguments({"watch", "--timeout", "2h"})->global.timeout == 2h);
  CHECK(contains(refused({"throttle", "r"}).why, "--ratio 0.3, --stop"));
  CHECK(contains(refused({"throttle", "r", "--stop", "--off"}).why, "say how"));
  CHECK(contains(refused({"throttle", "r", "--off", "--for", "1m"}).why, "--off takes it back"));
  for (auto const* share : {"0", "1", "150%", "fast", "0.3x"}) {
    CHECK(contains(refused({"throttle", "r", "--ratio", share}).why, "not a share of full speed"));
  }
  CHECK(contains(refused({"watch", "--timeout", "5"}).why, "not a duration"));
  CHECK(contains(refused({"pause", "r", "--escalate-after", "5"}).why, "not a duration"));
}

TEST_CASE("a mistyped command is answered with the likely one") {
  auto const failure = refused({"strat", "r"});
  CHECK(failure.why == "there is no command 'strat'; did you mean 'start'?");
  CHECK(failure.next == "runbookctl --help");
  auto const below = refused({"plan", "lnt", "f"});
  CHECK(below.what == "plan");
  CHECK(below.why == "there is no command 'lnt'; did you mean 'lint'?");
}

TEST_CASE("the values of options before a mistyped command are not blamed for it") {
  for (auto const& words : {std::vector<std::string>{"-o", "json", "strat", "r"},
                            {"--addr", "http://x", "strat"},
                            {"--reason", "lnt", "strat"},
                            {"--timeout", "5s", "strat", "--last"}}) {
    CHECK(refused(words).why == "there is no command 'strat'; did you mean 'start'?");
  }
}

TEST_CASE("a mistyped option is answered with the likely one, or with its place") {
  auto const failure = refused({"run", "list", "--stat", "failed"});
  CHECK(failure.what == "run list");
  CHECK(failure.why == "there is no option '--stat'; did you mean '--state'?");
  CHECK(contains(refused({"advance", "r", "--tp", "x"}).why, "did you mean '--to'?"));
  CHECK(refused({"--limit", "1", "run", "list"}).why == "--limit has to stand after the command");
  CHECK(refused({"status", "a", "b"}).why == "'b' is one word too many");
}

TEST_CASE("a value that does not fit is said with what does") {
  auto const failure = refused({"-o", "yaml", "status"});
  CHECK(failure.what == "status");
  CHECK(failure.why == "--output: 'yaml' is none of table, json, ndjson, jsonl, name");
  CHECK(failure.next == "runbookctl status --help");
  CHECK(refused({"resume", "r", "--if-revision", "x"}).why ==
        "--if-revision: 'x' is not a whole number");
  CHECK(refused({"run", "list", "--limit", "0"}).why == "--limit: 0 is not from 1 to 100000");
  CHECK(contains(refused({"run", "list", "--state", "bad"}).why, "none of pending, running, "));
  CHECK(refused({"--yes=foo", "status"}).why == "--yes takes no value");
  CHECK(refused({"status", "--timeout"}).why == "--timeout needs a value");
  CHECK(refused({"run", "list", "--plan", "a", "--plan", "b"}).why ==
        "--plan stands there more than once");
}

TEST_CASE("wrong usage is JSON for programs too") {
  for (auto const& words : {std::vector<std::string>{"--json", "strat"},
                            {"strat", "-o", "ndjson"},
                            {"-o", "json", "advance"}}) {
    CHECK(parse_arguments(words).error().as_json);
  }
  CHECK(!parse_arguments({"strat"}).error().as_json);
}

TEST_CASE("an option that would do nothing is refused") {
  for (auto const* option : {"--if-revision=3", "--reason=x", "--wait", "--no-wait"}) {
    CHECK(contains(refused({"status", option}).why, "means nothing here"));
    CHECK(contains(refused({"run", "list", option}).why, "means nothing here"));
    CHECK(parse_arguments({"resume", "r", option}));
  }
}

TEST_CASE("commands cannot be abbreviated") { refused({"sta"}); }

TEST_CASE("missing and contradicting words are refused with the command's help") {
  CHECK(refused({"advance", "r"}).next == "runbookctl advance --help");
  CHECK(refused({"advance", "r"}).why == "--to PHASE is missing");
  CHECK(refused({"advance"}).why == "RUN is missing");
  CHECK(refused({"plan"}).why ==
        "a command is missing: lint, show, schema, upload, list, import, render, diff, derive");
  CHECK(contains(refused({"rollback", "r"}).why, "one of --to PHASE[/STEP], --last and --all"));
  refused({"rollback", "r", "--last", "--all"});
  refused({"resolve", "r", "s", "--as", "maybe", "--evidence", "e"});
  refused({"run", "create", "--target", "t"});
  refused({"run", "create", "--target", "t", "--plan", "a", "--plan-file", "b"});
}

TEST_CASE("help belongs to the command that it is asked of") {
  CHECK(contains(help({"pause"}), "--escalate-after DURATION"));
  CHECK(parse_arguments({"help", "pause"}).error().text == help({"pause"}));
  CHECK(parse_arguments({"help"}).error().text == help({}));
}

TEST_CASE("a usage line is the whole command") {
  CHECK(contains(help({}), "\nUsage: runbookctl [OPTIONS] [COMMAND]\n"));
  CHECK(contains(help({"plan"}), "\nUsage: runbookctl plan [OPTIONS] COMMAND\n"));
  CHECK(contains(help({"plan", "lint"}), "\nUsage: runbookctl plan lint [OPTIONS] FILE\n"));
  CHECK(contains(help({"resolve"}), "\nUsage: runbookctl resolve [OPTIONS] RUN STEP\n"));
}

TEST_CASE("help speaks no parser's words") {
  for (auto const& words : {std::vector<std::string>{},
                            {"plan"},
                            {"run", "create"},
                            {"rollback"},
                            {"resolve"},
                            {"watch"},
                            {"start"}}) {
    auto const page = help(words);
    for (auto const* raw : {"REQUIRED", "TEXT:", "Excludes", "Group", "SUBCOMMAND", "RUN TEXT"}) {
      CHECK(!contains(page, raw));
    }
  }
}
