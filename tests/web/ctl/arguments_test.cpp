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

Leave refused(std::vector<std::string> const& words) {
  auto const invocation = parse_arguments(words);
  REQUIRE(!invocation);
  CHECK(invocation.error().exit == Exit::usage);
  return invocation.error();
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
  CHECK(refused({"start", "r", "--wait", "--no-wait"}).message.find("exclude") !=
        std::string::npos);
}

TEST_CASE("a time to wait needs its unit") {
  CHECK(parse_arguments({"watch", "--timeout", "2h"})->global.timeout == 2h);
  CHECK(refused({"watch", "--timeout", "5"}).message.find("not a duration") != std::string::npos);
}

TEST_CASE("a mistyped command is answered with the likely one") {
  auto const leave = refused({"strat", "r"});
  CHECK(leave.message == "there is no command 'strat'; did you mean 'start'?");
  CHECK(leave.next == "runbookctl --help");
  CHECK(refused({"plan", "lnt", "f"}).message == "there is no command 'lnt'; did you mean 'lint'?");
}

TEST_CASE("commands cannot be abbreviated") { refused({"sta"}); }

TEST_CASE("missing and contradicting words are refused with the command's help") {
  CHECK(refused({"advance", "r"}).next == "runbookctl advance --help");
  refused({"rollback", "r"});
  refused({"rollback", "r", "--last", "--all"});
  refused({"resolve", "r", "s", "--as", "maybe", "--evidence", "e"});
  refused({"run", "create", "--target", "t"});
  refused({"run", "create", "--target", "t", "--plan", "a", "--plan-file", "b"});
  refused({"run", "list", "--limit", "0"});
  refused({"-o", "yaml", "status"});
  refused({"status", "a", "b"});
}

TEST_CASE("help belongs to the command that it is asked of") {
  auto const help = parse_arguments({"pause", "--help"});
  REQUIRE(!help);
  CHECK(help.error().exit == Exit::done);
  CHECK(help.error().text.find("--escalate-after") != std::string::npos);
}
