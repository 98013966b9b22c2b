#include "web/ctl/curl.h"

#include <doctest/doctest.h>

using namespace runbookd::ctl;

TEST_CASE("a read becomes a plain curl command") {
  CHECK(curl_command({"", "127.0.0.1", "8090"}, {.target = "/api/v1/runs?limit=5"}) ==
        "curl -sS 'http://127.0.0.1:8090/api/v1/runs?limit=5'");
}

TEST_CASE("a verb carries its headers and body, quoted for the shell") {
  CHECK(curl_command({"", "h", "1"}, {.method = "POST",
                                      .target = "/api/v1/runs/run_1/pause",
                                      .headers = {{"Runbook-Actor", "o'neill"}},
                                      .body = R"({"reason":"it's slow"})"}) ==
        "curl -sS -X POST -H 'Runbook-Actor: o'\\''neill' --data-raw "
        "'{\"reason\":\"it'\\''s slow\"}' http://h:1/api/v1/runs/run_1/pause");
}

TEST_CASE("a socket is named apart from the URL") {
  CHECK(curl_command({"/run/my sock", "", ""}, {.target = "/livez"}) ==
        "curl -sS --unix-socket '/run/my sock' http://localhost/livez");
}

TEST_CASE("an event stream is not buffered") {
  CHECK(curl_command({"", "h", "1"},
                     {.target = "/e", .headers = {{"Accept", "text/event-stream"}}}) ==
        "curl -sS -N -H 'Accept: text/event-stream' http://h:1/e");
}
