#include "tests/web/asking.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "web/router.h"
#include "web/target.h"

namespace runbookd::web::test {

Response ask(FakeService& service, std::string const& method, std::string const& target,
             std::string const& body, Headers headers) {
  auto request = read_target(method, target).value();
  request.body = body;
  request.headers = std::move(headers);
  request.caller = service.gate().identify(request, request.peer);
  return respond(std::move(request), service);
}

Response post(FakeService& service, std::string const& target, std::string const& body,
              Headers headers) {
  headers.push_back({"content-type", "application/json"});
  return ask(service, "POST", target, body, std::move(headers));
}

std::string header_of(Response const& response, std::string const& name) {
  for (auto const& header : response.headers) {
    if (header.name == name) {
      return header.value;
    }
  }
  return {};
}

std::string code_of(Response const& response) {
  if (response.content_type != "application/problem+json") {
    return {};
  }
  return nlohmann::json::parse(response.body)["code"];
}

}  // namespace runbookd::web::test
