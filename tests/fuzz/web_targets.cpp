#include <algorithm>
#include <cstring>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/fuzz/targets.h"
#include "tests/web/fake_service.h"
#include "web/admission.h"
#include "web/body.h"
#include "web/ctl/json.h"
#include "web/ctl/sse.h"
#include "web/router.h"
#include "web/wire.h"

namespace runbookd::fuzz {

namespace {

constexpr std::size_t max_body = 64 * 1024;
constexpr std::uint32_t max_header = 8 * 1024;
constexpr int most_requests = 16;

// As a connection does: bytes come in pieces, and each complete request is answered. False: no
// more.
bool answer_one(web::RequestReader& reader, std::string_view& bytes, web::RunService& service) {
  reader.begin();
  auto const more = [&] {
    auto const space = reader.space();
    auto const size = std::min({space.size(), bytes.size(), std::size_t{97}});
    std::memcpy(space.data(), bytes.data(), size);
    reader.arrived(size);
    bytes.remove_prefix(size);
    return size > 0;
  };
  for (;;) {
    auto const head = reader.read_head();
    if (!head)
      return false;
    if (*head)
      break;
    if (!more())
      return false;
  }
  auto request = reader.head();
  if (!request || web::refusal(*request, {.unix_socket = true, .allowed_hosts = {}}))
    return false;
  for (;;) {
    auto const body = reader.read_body();
    if (!body)
      return false;
    if (*body)
      break;
    if (!more())
      return false;
  }
  request->body = reader.take_body();
  request->caller = service.gate().identify(*request, request->peer);
  auto const response = web::respond(std::move(*request), service);
  require(response.status >= 200 && response.status < 600, "an answer has a status");
  auto const wire = web::to_wire(response, {});
  require(wire.find("\r\n\r\n") != std::string::npos, "an answer has an end of its head");
  return reader.keeps_open();
}

}  // namespace

void take_request(std::string_view input) {
  web::test::FakeService service;
  service.runs["run_0123456789ab"] = {};
  web::RequestReader reader(max_body, max_header);
  for (int requests = 0; requests < most_requests; ++requests) {
    if (!answer_one(reader, input, service))
      return;
  }
}

void take_command(std::string_view input) {
  auto const end = std::min(input.find('\n'), input.size());
  auto const body = input.substr(std::min(end + 1, input.size()));
  constexpr std::string_view verbs[] = {"start",   "advance",  "approve", "reject",  "evaluate",
                                        "confirm", "pause",    "resume",  "retry",   "skip",
                                        "resolve", "rollback", "cancel",  "throttle"};
  auto const verb = std::find(std::begin(verbs), std::end(verbs), input.substr(0, end));
  if (verb != std::end(verbs)) {
    if (auto const command = web::read_command(*verb, body))
      require(planner::verb_of(command->ask) == *verb, "a verb's body gives that verb");
  }
  (void)web::read_run_request(body);
  (void)web::read_bundle(body);
  (void)web::read_extent(body);
}

void take_answer(std::string_view input) {
  auto const document = ctl::parse_json(input);
  (void)ctl::text_of(document, "state");
  (void)ctl::number_of(document, "revision");
  (void)ctl::real_of(document, "rate");
  (void)ctl::flag_of(document, "final");
  (void)ctl::moment_of(document, "time");
  ctl::EventParser whole, pieces;
  auto const at_once = whole.take(input);
  std::vector<ctl::ServerEvent> one_by_one;
  for (char const byte : input) {
    for (auto& event : pieces.take({&byte, 1}))
      one_by_one.push_back(std::move(event));
  }
  require(at_once == one_by_one, "events do not depend on how their bytes arrive");
}

namespace {

constexpr Target all[] = {{"plan", take_plan},       {"document", take_document},
                          {"sql", take_sql},         {"event", take_event},
                          {"request", take_request}, {"command", take_command},
                          {"answer", take_answer},   {"settings", take_settings}};

}  // namespace

std::span<Target const> targets() { return all; }

}  // namespace runbookd::fuzz
