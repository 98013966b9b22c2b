// Asks the router without a socket.
#pragma once

#include <string>

#include "tests/web/fake_service.h"
#include "web/http.h"

namespace runbookd::web::test {

Response ask(FakeService& service, std::string const& method, std::string const& target,
             std::string const& body = "", Headers headers = {});
// With a JSON body.
Response post(FakeService& service, std::string const& target, std::string const& body,
              Headers headers = {});
// Empty if the answer has no such header.
std::string header_of(Response const& response, std::string const& name);
// The problem's code; empty for an answer that is none.
std::string code_of(Response const& response);

}  // namespace runbookd::web::test
