#include "web/accept.h"

#include <doctest/doctest.h>

using namespace runbookd::web;

namespace {

Form form(std::string accept) {
  Request request;
  request.headers.push_back({"accept", std::move(accept)});
  return wanted_form(request);
}

}  // namespace

TEST_CASE("without an Accept header events come as JSON") { CHECK(wanted_form({}) == Form::json); }

TEST_CASE("an Accept header that names the stream gets the stream") {
  CHECK(form("text/event-stream") == Form::event_stream);
  CHECK(form("Text/Event-Stream; charset=utf-8") == Form::event_stream);
  CHECK(form("text/event-stream, */*") == Form::event_stream);
}

TEST_CASE("wildcards get JSON") {
  CHECK(form("*/*") == Form::json);
  CHECK(form("application/*") == Form::json);
  CHECK(form("text/html,application/xhtml+xml,*/*;q=0.8") == Form::json);
}

TEST_CASE("the higher weight decides") {
  CHECK(form("text/event-stream;q=0.5, application/json") == Form::json);
  CHECK(form("text/event-stream, application/json;q=0.9") == Form::event_stream);
}

TEST_CASE("weight zero means no") {
  CHECK(form("text/event-stream;q=0, application/json") == Form::json);
  CHECK(form("application/json;q=0.0") == Form::none);
}

TEST_CASE("other types get neither") {
  CHECK(form("text/html") == Form::none);
  CHECK(form("image/png, application/xml") == Form::none);
}
