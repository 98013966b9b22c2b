#include "web/body.h"

#include <algorithm>
#include <stdexcept>

#include <doctest/doctest.h>

using namespace runbookd;
using namespace runbookd::web;
using planner::ErrorCode;

namespace {

template <typename Ask>
Ask read(std::string_view verb, std::string_view body) {
  auto const command = read_command(verb, body);
  REQUIRE_MESSAGE(command, (command ? "" : command.error().detail));
  REQUIRE(std::holds_alternative<Ask>(command->ask));
  return std::get<Ask>(command->ask);
}

// "rule pointer" of each problem.
std::vector<std::string> problems(std::string_view verb, std::string_view body) {
  auto const command = read_command(verb, body);
  REQUIRE_FALSE(command);
  CHECK(command.error().code == ErrorCode::malformed);
  std::vector<std::string> out;
  for (auto const& finding : command.error().findings) {
    out.push_back(finding.rule + " " + finding.place.file);
  }
  return out;
}

using Problems = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty body is an empty object") {
  for (auto const* body : {"", " \r\n\t", "{}"}) {
    CHECK(read_command("resume", body));
  }
}

TEST_CASE("start reads its acknowledgements") {
  auto const start = read<planner::Start>(
      "start",
      R"({"acknowledge":[{"rule":"lint/a","reason":"small table"},{"rule":"b@p/s","reason":"ok"}]})");
  REQUIRE(start.acknowledged.size() == 2);
  CHECK(start.acknowledged[1].rule == "b@p/s");
  CHECK(start.acknowledged[0].reason == "small table");
}

TEST_CASE("advance reads the phase and its confirmation") {
  auto const advance =
      read<planner::Advance>("advance", R"({"to_phase":"contract","confirm":"contract"})");
  CHECK(advance.to_phase == "contract");
  CHECK(advance.confirm == "contract");
}

TEST_CASE("approve and reject read the phase") {
  CHECK(read<planner::Approve>("approve", R"({"phase":"p"})").phase == "p");
  CHECK(read<planner::Reject>("reject", R"({"phase":"p","reason":"no"})").phase == "p");
}

TEST_CASE("evaluate and resume take nothing but a reason") {
  read<planner::Evaluate>("evaluate", R"({"reason":"again"})");
  read<planner::Resume>("resume", "{}");
}

TEST_CASE("confirm, retry and skip read the step") {
  CHECK(read<planner::Confirm>("confirm", R"({"step":"p/s"})").step == "p/s");
  CHECK(read<planner::Skip>("skip", R"({"step":"p/s"})").step == "p/s");
  CHECK(read<planner::Retry>("retry", R"({"step":"p/s"})").step == "p/s");
  CHECK(read<planner::Retry>("retry", "").step.empty());
}

TEST_CASE("pause reads its mode and when it escalates") {
  auto const pause =
      read<planner::Pause>("pause", R"({"mode":"safe_point","escalate_after":"30s"})");
  CHECK(pause.mode == planner::StopMode::safe_point);
  REQUIRE(pause.escalate_after);
  CHECK(*pause.escalate_after == std::chrono::seconds(30));
  CHECK(read<planner::Pause>("pause", R"({"mode":"now"})").mode == planner::StopMode::now);
}

TEST_CASE("resolve reads what became of the step and how one knows") {
  auto const resolve =
      read<planner::Resolve>("resolve", R"({"step":"p/s","as":"succeeded","evidence":"\\d t"})");
  CHECK(resolve.succeeded);
  CHECK(resolve.step == "p/s");
  CHECK(resolve.evidence == "\\d t");
  CHECK_FALSE(read<planner::Resolve>("resolve", R"({"step":"p/s","as":"failed","evidence":"none"})")
                  .succeeded);
}

TEST_CASE("rollback reads how far") {
  using Extent = planner::RollBack::Extent;
  CHECK(read<planner::RollBack>("rollback", R"({"to":"all"})").extent == Extent::all);
  CHECK(read<planner::RollBack>("rollback", R"({"to":"last"})").extent == Extent::last_step);
  auto const phase = read<planner::RollBack>("rollback", R"({"to":"expand"})");
  CHECK(phase.extent == Extent::to_phase);
  CHECK(phase.to == "expand");
  auto const step = read<planner::RollBack>("rollback", R"({"to":"expand/add column"})");
  CHECK(step.extent == Extent::to_step);
  CHECK(step.to == "expand/add column");
}

TEST_CASE("rollback wants to be told how far") {
  CHECK(problems("rollback", "{}") == Problems{"body/missing-key #/to"});
  CHECK(problems("rollback", R"({"to":"/x"})") == Problems{"body/value #/to"});
  CHECK(problems("rollback", R"({"to":"x/"})") == Problems{"body/value #/to"});
}

TEST_CASE("cancel reads its confirmation") {
  auto const slow = read<planner::Throttle>("throttle", R"({"ratio":0.3,"for":"10m"})");
  CHECK(slow.to == planner::Throttle::To::ratio);
  CHECK(slow.percent == 30);
  CHECK(slow.lasts == std::chrono::minutes{10});
  CHECK(read<planner::Throttle>("throttle", R"({"stop":true})").to == planner::Throttle::To::stop);
  CHECK(read<planner::Throttle>("throttle", R"({"exempt":true})").to ==
        planner::Throttle::To::exempt);
  CHECK(read<planner::Throttle>("throttle", R"({"off":true})").to == planner::Throttle::To::off);
  CHECK(read<planner::Cancel>("cancel", R"({"confirm":"users-org"})").confirm == "users-org");
}

TEST_CASE("every verb takes a reason") {
  for (auto const* verb : {"start", "pause", "resume", "retry", "evaluate", "cancel"}) {
    CAPTURE(verb);
    auto const command = read_command(verb, R"({"reason":"because"})");
    REQUIRE(command);
    CHECK(command->reason == "because");
  }
}

TEST_CASE("an unknown key is refused with its place and the keys that exist") {
  auto const command = read_command("pause", R"({"mod/e~":"now"})");
  REQUIRE_FALSE(command);
  REQUIRE(command.error().findings.size() == 1);
  CHECK(command.error().findings[0].place.file == "#/mod~1e~0");
  CHECK(command.error().findings[0].message.find("escalate_after") != std::string::npos);
}

TEST_CASE("all problems of a body come at once") {
  CHECK(problems("pause", R"({"x":1,"mode":"later","escalate_after":"30","reason":7})") ==
        Problems{"body/unknown-key #/x", "body/value #/mode", "body/value #/escalate_after",
                 "body/wrong-type #/reason"});
}

TEST_CASE("wrong types are refused where they stand") {
  CHECK(problems("advance", R"({"to_phase":3})") == Problems{"body/wrong-type #/to_phase"});
  CHECK(problems("advance", R"({"to_phase":null})") == Problems{"body/wrong-type #/to_phase"});
  CHECK(problems("start", R"({"acknowledge":{}})") == Problems{"body/wrong-type #/acknowledge"});
  CHECK(problems("start", R"({"acknowledge":["a"]})") ==
        Problems{"body/wrong-type #/acknowledge/0"});
  CHECK(
      problems("start", R"({"acknowledge":[{"rule":"a","reason":"b"},{"rule":1,"reason":"b"}]})") ==
      Problems{"body/wrong-type #/acknowledge/1/rule"});
  CHECK(problems("pause", R"({"mode":true})").front() == "body/wrong-type #/mode");
}

TEST_CASE("a body that is no object is refused") {
  for (auto const* body : {"[]", "null", "1", "\"text\"", "true"}) {
    CAPTURE(body);
    CHECK(problems("resume", body) == Problems{"body/wrong-type #"});
  }
}

TEST_CASE("what a verb needs must be there and say something") {
  CHECK(problems("advance", "{}") == Problems{"body/missing-key #/to_phase"});
  CHECK(problems("throttle", "{}") == Problems{"body/value #/ratio"});
  CHECK(problems("throttle", R"({"stop":true,"off":true})") == Problems{"body/value #/ratio"});
  CHECK(problems("throttle", R"({"stop":"yes","off":true})") == Problems{"body/wrong-type #/stop"});
  for (auto const* ratio : {"0", "1", "-0.5", "0.001", "30", "1e400", "\"0.3\""}) {
    CAPTURE(ratio);
    CHECK_FALSE(problems("throttle", std::string(R"({"ratio":)") + ratio + "}").empty());
  }
  CHECK(problems("throttle", R"({"off":true,"for":"10m"})") == Problems{"body/value #/for"});
  CHECK(problems("throttle", R"({"stop":true,"for":"0"})") == Problems{"body/value #/for"});
  CHECK(problems("skip", R"({"step":""})") == Problems{"body/empty #/step"});
  CHECK(problems("resolve", R"({"step":"a/b"})") ==
        Problems{"body/missing-key #/as", "body/missing-key #/evidence"});
  CHECK(problems("start", R"({"acknowledge":[{"rule":"a"}]})") ==
        Problems{"body/missing-key #/acknowledge/0/reason"});
}

TEST_CASE("a key that stands twice is refused at its place") {
  CHECK(problems("pause", R"({"mode":"now","mode":"safe_point"})") ==
        Problems{"body/duplicate-key #/mode"});
  CHECK(
      problems("start", R"({"acknowledge":[{"rule":"a","reason":"b"},{"rule":"a","rule":"b"}]})") ==
      Problems{"body/duplicate-key #/acknowledge/1/rule"});
}

TEST_CASE("the same key in two objects is no duplicate") {
  CHECK(read_command("start",
                     R"({"acknowledge":[{"rule":"a","reason":"b"},{"rule":"a","reason":"b"}]})"));
}

TEST_CASE("texts that are no JSON are refused with their line and column") {
  auto const command = read_command("pause", "{\n  \"mode\": now\n}");
  REQUIRE_FALSE(command);
  REQUIRE(command.error().findings.size() == 1);
  CHECK(command.error().findings[0].rule == "body/syntax");
  CHECK(command.error().findings[0].place.line == 2);
}

TEST_CASE("no broken text is read as JSON") {
  using namespace std::string_literals;
  for (auto const& body : {"{"s,
                           "}"s,
                           "{}}"s,
                           "{} {}"s,
                           "{}x"s,
                           "{\"a\"}"s,
                           "{\"a\":}"s,
                           "{'a':1}"s,
                           "{a:1}"s,
                           "{\"a\":1,}"s,
                           "{\"a\":01}"s,
                           "{\"a\":NaN}"s,
                           "{\"a\":+1}"s,
                           "{\"a\":.5}"s,
                           "{\"a\":\"\n\"}"s,
                           "{\"a\":\"\\x\"}"s,
                           "{\"a\":\"\\ud800\"}"s,
                           "{\"a\":\"\xff\"}"s,
                           "{\"a\":\"\xc0\x80\"}"s,
                           "{\"a\":\"\xed\xa0\x80\"}"s,
                           "/* c */{}"s,
                           "{}//"s,
                           "\"open"s,
                           "tru"s,
                           "{\"a\":1e999}"s,
                           "{}\0"s,
                           "{}\0garbage"s,
                           "\0{}"s,
                           "{\"a\":\"x\0y\"}"s,
                           "\xff\xfe{\0}\0"s}) {
    CAPTURE(body);
    CHECK(problems("resume", body).front().starts_with("body/syntax"));
  }
}

TEST_CASE("nesting has a limit that no parser reaches") {
  for (auto const depth : {17, 1'000, 1'000'000}) {
    CAPTURE(depth);
    auto const deep = R"({"acknowledge":)" + std::string(static_cast<std::size_t>(depth), '[');
    CHECK(problems("start", deep).front().starts_with("body/too-deep #/acknowledge/0/0"));
  }
}

TEST_CASE("deep objects are refused like deep arrays") {
  std::string deep;
  for (int i = 0; i < 100; ++i) {
    deep += R"({"a":)";
  }
  CHECK(problems("start", deep).front().starts_with("body/too-deep #/a/a"));
}

TEST_CASE("a zero character inside a text is refused") {
  CHECK(problems("skip", R"({"step":"a\u0000b"})") == Problems{"body/zero-character #/step"});
}

TEST_CASE("names and reasons have a length") {
  CHECK(problems("skip", R"({"step":")" + std::string(501, 'a') + "\"}") ==
        Problems{"body/too-long #/step"});
  CHECK(problems("resume", R"({"reason":")" + std::string(16 * 1024 + 1, 'a') + "\"}") ==
        Problems{"body/too-long #/reason"});
}

TEST_CASE("a verb that does not exist is a defect of the caller") {
  CHECK_THROWS_AS((void)read_command("explode", "{}"), std::logic_error);
}

TEST_CASE("a run request names plan and target") {
  auto const request =
      read_run_request(R"({"plan":"sha256:ab","target":"main","note":"first try"})");
  REQUIRE(request);
  CHECK(request->plan == "sha256:ab");
  CHECK(request->target == "main");
  CHECK(request->note == "first try");
}

TEST_CASE("a run request without plan and target lists both") {
  auto const request = read_run_request("");
  REQUIRE_FALSE(request);
  CHECK(request.error().findings.size() == 2);
}

TEST_CASE("a bundle brings the plan's text and its files") {
  auto const upload =
      read_bundle(R"({"file_name":"p.yaml","text":"name: p","files":{"sql/a.sql":"select 1"}})");
  REQUIRE(upload);
  CHECK(upload->file_name == "p.yaml");
  CHECK(upload->text == "name: p");
  CHECK(upload->files.at("sql/a.sql") == "select 1");
}

TEST_CASE("a bundle's files must be texts") {
  auto const upload = read_bundle(R"({"text":"x","files":{"a/b":1}})");
  REQUIRE_FALSE(upload);
  REQUIRE(upload.error().findings.size() == 1);
  CHECK(upload.error().findings[0].place.file == "#/files/a~1b");
  CHECK_FALSE(read_bundle(R"({"text":"x","files":[]})"));
}

TEST_CASE("the state of one of our documents is that of its top level") {
  auto const document =
      R"({"phases":[{"state":"running"}],"plan":{"state":"x"},"state":"paused","run":"run_1"})";
  CHECK(top_level_text(document, "state") == "paused");
  CHECK(top_level_text(document, "run") == "run_1");
  CHECK(top_level_text(document, "target").empty());
  CHECK(top_level_text("not json", "state").empty());
  CHECK(top_level_text(R"({"state":{"state":"inner"}})", "state").empty());
}
