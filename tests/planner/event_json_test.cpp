#include "planner/event_json.h"

#include <set>

#include <boost/pfr.hpp>
#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace runbookd::planner {
namespace {

// ---- any event: every field of every alternative gets a value by its type, so a field that is
// added later and forgotten in the JSON fails here

std::string any_text() {
  // one to four bytes each, and those that JSON has to escape
  static std::vector<std::string> const characters{"a",
                                                   "Z",
                                                   "0",
                                                   " ",
                                                   "\"",
                                                   "\\",
                                                   "/",
                                                   "\n",
                                                   "\t",
                                                   "\x01",
                                                   "\x7f",
                                                   "ü",
                                                   "\u2028",
                                                   "😀",
                                                   ";",
                                                   "'",
                                                   std::string(1, '\0')};
  auto const picked = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(characters));
  std::string text;
  for (auto const& character : picked)
    text += character;
  return text;
}

void fill(std::string& text) { text = any_text(); }
void fill(int& number) { number = *rc::gen::arbitrary<int>(); }
void fill(std::int64_t& number) { number = *rc::gen::arbitrary<std::int64_t>(); }
void fill(bool& yes) { yes = *rc::gen::arbitrary<bool>(); }
void fill(Duration& duration) { duration = Duration(*rc::gen::arbitrary<std::int64_t>()); }
void fill(Moment& moment) {  // up to the year 2300
  moment = Moment(Duration(*rc::gen::inRange<std::int64_t>(0, 10'413'792'000'000)));
}
void fill(Direction& value) { value = *rc::gen::element(Direction::forward, Direction::backward); }
void fill(CheckStage& value) {
  value = *rc::gen::element(CheckStage::requirements, CheckStage::validation, CheckStage::watch,
                            CheckStage::final_checks);
}
void fill(Verdict& value) {
  value = *rc::gen::element(Verdict::passed, Verdict::failed, Verdict::error);
}
void fill(Doubt& value) {
  value = *rc::gen::element(Doubt::applied, Doubt::not_applied, Doubt::unknowable);
}
void fill(StopMode& value) { value = *rc::gen::element(StopMode::safe_point, StopMode::now); }
void fill(SqlFailure::Fate& value) {
  value = *rc::gen::element(SqlFailure::Fate::failed, SqlFailure::Fate::unknown);
}
void fill(Severity& value) {
  value = *rc::gen::element(Severity::error, Severity::warning, Severity::note);
}
void fill(BlockerKind& value) {
  value = *rc::gen::element(BlockerKind::session, BlockerKind::dump, BlockerKind::autovacuum,
                            BlockerKind::wraparound_vacuum, BlockerKind::prepared,
                            BlockerKind::replication, BlockerKind::runbookd);
}
template <typename T>
  requires std::is_class_v<T>
void fill(T& aggregate);
template <typename T>
void fill(std::optional<T>& value) {
  if (*rc::gen::arbitrary<bool>())
    fill(value.emplace());
}
template <typename T>
void fill(std::vector<T>& values) {
  values.resize(*rc::gen::inRange<std::size_t>(0, 4));
  for (auto& value : values)
    fill(value);
}
void fill(BaselineValues& values) {
  auto const size = *rc::gen::inRange(0, 4);
  for (int i = 0; i < size; ++i)
    fill(values[any_text()]);
}
template <typename T>
  requires std::is_class_v<T>
void fill(T& aggregate) {
  boost::pfr::for_each_field(aggregate, [](auto& field) { fill(field); });
}

// Calls `visit` with an empty event of every kind.
template <typename Visit>
void for_every_kind(Visit visit) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (visit(std::variant_alternative_t<Index, EventBody>{}), ...);
  }(std::make_index_sequence<std::variant_size_v<EventBody>>{});
}

template <typename Body>
void expect_round_trip() {
  Body body;
  fill(body);
  auto const text = body_to_json(body);
  RC_LOG() << kind_of(body) << " " << text << "\n";
  RC_ASSERT(text.find('\n') == std::string::npos);
  auto const read = body_from_json(kind_of(body), text);
  RC_ASSERT(read.has_value());
  RC_ASSERT(std::holds_alternative<Body>(*read));
  RC_ASSERT(boost::pfr::eq_fields(std::get<Body>(*read), body));
  RC_ASSERT(body_to_json(*read) == text);
}

TEST_CASE("every kind of event comes back from JSON as it was") {
  for_every_kind([]<typename Body>(Body const& blank) {
    CAPTURE(kind_of(blank));
    CHECK(rc::check(std::string(kind_of(blank)), [] { expect_round_trip<Body>(); }));
  });
}

TEST_CASE("fields that a later version added are passed over") {
  for_every_kind([](EventBody const& blank) {
    auto text = body_to_json(blank);
    text.insert(1, text == "{}" ? R"("zz_later":{"a":[1]})" : R"("zz_later":{"a":[1]},)");
    CAPTURE(text);
    auto const read = body_from_json(kind_of(blank), text);
    REQUIRE(read);
    CHECK(body_to_json(*read) == body_to_json(blank));
  });
}

TEST_CASE("whatever stands in the store, reading it is an event or an error") {
  CHECK(rc::check([] {
    auto const kind = *rc::gen::elementOf(std::vector<std::string>{
        "run.created", "step.failed", "checks.judged", "baselines.recorded", "run.paused", "x"});
    auto text = any_text();
    if (*rc::gen::arbitrary<bool>()) {  // half-way good: a real body with a wound
      text = body_to_json(StepFailed{.blockers = {{}}});
      text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
    }
    auto const read = body_from_json(kind, text);
    RC_ASSERT(read.has_value() || !read.error().detail.empty());
  }));
}

// ---- the spelling that stores out there rely on

TEST_CASE("no two kinds of events share a word") {
  std::set<std::string_view> words;
  for_every_kind([&](EventBody const& blank) { CHECK(words.insert(kind_of(blank)).second); });
  CHECK(words.size() == std::variant_size_v<EventBody>);
}

TEST_CASE("the words of kinds never change") {
  std::string words;
  std::set<std::string_view> sorted;
  for_every_kind([&](EventBody const& blank) { sorted.insert(kind_of(blank)); });
  for (auto const word : sorted)
    words += std::string(word) + " ";
  CHECK(
      words ==
      "baselines.failed baselines.recorded checks.judged checks.requested checks.started "
      "daemon.restarted fingerprint.failed fingerprint.taken gate.reached override.asked "
      "override.confirmed override.withdrawn phase.approval_withdrawn phase.approved "
      "phase.completed phase.entered phase.rejected rollback.finished rollback.started "
      "run.cancel_requested run.cancelled run.created run.noted run.pause_escalated "
      "run.pause_requested "
      "run.paused run.resumed run.started run.succeeded run.throttle_lifted run.throttled "
      "soak.started step.doubt_deferred "
      "step.doubt_settled step.failed step.fingerprint_mismatched step.interrupted "
      "step.outcome_lost step.resolved step.retry_requested step.retry_scheduled step.skipped "
      "step.started step.succeeded target.held target.identified target.moved target.taken_over ");
}

TEST_CASE("a failed step is spelled like this") {
  StepFailed const body{
      .ref = {2, 1},
      .direction = Direction::backward,
      .attempt = 3,
      .failure = {"55P03", "lock timeout", "ALTER TABLE t", SqlFailure::Fate::unknown},
      .blockers = {{.pid = 7, .user = "app", .transaction_age = Duration(90), .relation = "t"}},
      .took = Duration(201),
      .lock_wait = Duration(200)};
  CHECK(body_to_json(body) ==
        R"({"attempt":3,"behind":null,"blockers":[{"application":"","depth":1,"kind":"session",)"
        R"("lock_mode":"","pid":7,"query":"","relation":"t","root":true,"state":"",)"
        R"("transaction_age_ms":90,"user":"app"}],)"
        R"("direction":"backward","duration_ms":201,"failure":{"fate":"unknown",)"
        R"("message":"lock timeout","sqlstate":"55P03","statement":"ALTER TABLE t"},)"
        R"("filled":null,"lock_wait_ms":200,"phase":2,"step":1,"traceless":false})");
}

TEST_CASE("judged checks are spelled like this") {
  ChecksJudged const body{
      .stage = CheckStage::final_checks,
      .phase = 1,
      .which = {0},
      .results = {{"no orphans", Verdict::failed, "value 0", "value 17", Duration(4)}},
      .passed = false};
  CHECK(body_to_json(body) ==
        R"({"passed":false,"phase":1,"results":[{"actual":"value 17","duration_ms":4,)"
        R"("expected":"value 0","name":"no orphans","verdict":"failed"}],)"
        R"("stage":"final_checks","which":[0]})");
}

TEST_CASE("moments are spelled in UTC, and a moment that is not set as null") {
  CHECK(body_to_json(SoakStarted{.phase = 1, .until = Moment(Duration(1'700'000'000'123))}) ==
        R"({"phase":1,"until":"2023-11-14T22:13:20.123Z"})");
  CHECK(body_to_json(PauseRequested{.mode = StopMode::now}) ==
        R"({"escalate_at":null,"late":false,"mode":"now"})");
}

TEST_CASE("a baseline without a value is null") {
  CHECK(body_to_json(BaselinesRecorded{{{"users", "5"}, {"orphans", std::nullopt}}}) ==
        R"({"findings":[],"values":{"orphans":null,"users":"5"}})");
}

TEST_CASE("findings of the target come back as they were, and an older record has none") {
  Finding const finding{.rule = "lock/rewrites-table",
                        .severity = Severity::error,
                        .place = {"plan.yaml", 7, 3},
                        .message = "public.users has 9 GB",
                        .fix = "another way",
                        .step = "expand/add"};
  auto const failed = body_from_json(
      "baselines.failed",
      body_to_json(BaselinesFailed{.name = "findings", .failure = {}, .findings = {finding}}));
  REQUIRE(failed);
  CHECK(std::get<BaselinesFailed>(*failed).findings == Findings{finding});
  auto const older = body_from_json("baselines.recorded", R"({"values":{"users":"5"}})");
  REQUIRE(older);
  CHECK(std::get<BaselinesRecorded>(*older).findings.empty());
}

TEST_CASE("that the store is behind is told of a pause, and of an older record it is not known") {
  auto const behind = body_from_json("run.paused", body_to_json(RunPaused{.store_behind = true}));
  REQUIRE(behind);
  CHECK(std::get<RunPaused>(*behind).store_behind);
  auto const older = body_from_json("run.paused", R"({"why":"asked"})");
  REQUIRE(older);
  CHECK_FALSE(std::get<RunPaused>(*older).store_behind);
}

TEST_CASE("bytes that are no UTF-8 are replaced instead of stopping the record") {
  auto const read = body_from_json("run.paused", body_to_json(RunPaused{.why = "caf\xe9!"}));
  REQUIRE(read);
  CHECK(std::get<RunPaused>(*read).why == "caf\xef\xbf\xbd!");
}

// ---- what is missing and what is wrong

TEST_CASE("a field that may be missing has its default") {
  auto const read =
      body_from_json("step.succeeded", R"({"phase":1,"step":2,"direction":"forward","attempt":1})");
  REQUIRE(read);
  auto const& body = std::get<StepSucceeded>(*read);
  CHECK(body.ref == StepRef{1, 2});
  CHECK(body.rows == -1);
  CHECK(body.took == Duration(0));
  CHECK(body.fingerprint.empty());
}

std::string problem(std::string_view kind, std::string_view text) {
  auto const read = body_from_json(kind, text);
  if (read)
    return "none";
  CHECK(read.error().code == ErrorCode::internal);
  return read.error().detail;
}

TEST_CASE("an unknown kind is an error that names it") {
  CHECK(problem("run.teleported", "{}") ==
        "an event of kind \"run.teleported\" cannot be read: this version of runbookd does not "
        "know the "
        "kind; a newer one may");
}

TEST_CASE("a body that is no JSON object is an error") {
  for (auto const* text :
       {"", "{", "[]", "null", "7", "{\"phase\":1}x", "{\"phase\":1,}", "\xff"}) {
    CAPTURE(text);
    CHECK(problem("gate.reached", text) ==
          "an event of kind \"gate.reached\" cannot be read: its body is not a JSON object");
  }
}

TEST_CASE("a missing field is an error that names it") {
  CHECK(problem("gate.reached", "{}").ends_with(": .phase is missing"));
  CHECK(problem("step.started", R"({"phase":0,"step":0,"direction":"forward"})")
            .ends_with(": .attempt is missing"));
}

TEST_CASE("a value of the wrong type is an error that names its place") {
  CHECK(problem("gate.reached", R"({"phase":"1"})").ends_with(": .phase is not a whole number"));
  CHECK(problem("gate.reached", R"({"phase":1.5})").ends_with(": .phase is not a whole number"));
  CHECK(problem("gate.reached", R"({"phase":null})").ends_with(": .phase is not a whole number"));
  CHECK(problem("run.paused", R"({"why":[]})").ends_with(": .why is not a text"));
  CHECK(problem("checks.judged", R"({"stage":"watch","phase":0,"which":[0,true]})")
            .ends_with(": .which[1] is not a whole number"));
  CHECK(
      problem("soak.started", R"({"phase":0,"until":"soon"})").ends_with(": .until is not a time"));
  CHECK(problem("baselines.recorded", R"({"values":{"users":5}})")
            .ends_with(": .values.users is not a text"));
}

TEST_CASE("a number that does not fit is an error, not another number") {
  CHECK(problem("gate.reached", R"({"phase":4294967296})")
            .ends_with(": .phase is a number out of range"));
  CHECK(problem("gate.reached", R"({"phase":18446744073709551615})")
            .ends_with(": .phase is a number out of range"));
}

TEST_CASE("an unknown word of an enum is an error that shows it") {
  CHECK(problem("step.skipped", R"({"phase":0,"step":0,"direction":"sideways"})")
            .ends_with(": .direction has the unknown value \"sideways\""));
}

TEST_CASE("a mistake inside a list is found with its way") {
  CHECK(problem("step.failed",
                R"({"phase":0,"step":0,"direction":"forward","attempt":1,)"
                R"("failure":{"message":"m","fate":"failed"},"blockers":[{"pid":1},{}]})")
            .ends_with(": .blockers[1].pid is missing"));
}

// ---- words that other parts show

TEST_CASE("every verb has its word") {
  std::set<std::string_view> const verbs{
      verb_of(Start{}),    verb_of(Advance{}), verb_of(Approve{}), verb_of(Reject{}),
      verb_of(Evaluate{}), verb_of(Confirm{}), verb_of(Pause{}),   verb_of(Resume{}),
      verb_of(Retry{}),    verb_of(Skip{}),    verb_of(Resolve{}), verb_of(RollBack{}),
      verb_of(Cancel{}),   verb_of(Throttle{})};
  CHECK(verbs == std::set<std::string_view>{"start", "advance", "approve", "reject", "evaluate",
                                            "confirm", "pause", "resume", "retry", "skip",
                                            "resolve", "rollback", "cancel", "throttle"});
}

}  // namespace
}  // namespace runbookd::planner
