#include "web/ctl/sse.h"

#include <doctest/doctest.h>

using namespace runbookd::ctl;
using Events = std::vector<ServerEvent>;

TEST_CASE("an event is complete at its empty line") {
  EventParser parser;
  CHECK(parser.take("id: 7\nevent: run.paused\ndata: {}\n").empty());
  CHECK(parser.take("\n") == Events{{"7", "run.paused", "{}"}});
}

TEST_CASE("events may arrive byte by byte") {
  EventParser parser;
  Events all;
  for (char const c : std::string("id: 1\r\nevent: a\r\ndata: x\r\n\r\n")) {
    auto const some = parser.take(std::string(1, c));
    all.insert(all.end(), some.begin(), some.end());
  }
  CHECK(all == Events{{"1", "a", "x"}});
}

TEST_CASE("several events in one piece come out in order") {
  EventParser parser;
  CHECK(parser.take("id:1\ndata:a\n\nid:2\ndata:b\n\nid:3\n") ==
        Events{{"1", "", "a"}, {"2", "", "b"}});
}

TEST_CASE("comments and empty events say nothing") {
  EventParser parser;
  CHECK(parser.take(": keep alive\n\nid: 4\n\n").empty());
}

TEST_CASE("data of several lines keeps its line ends") {
  EventParser parser;
  CHECK(parser.take("data: a\ndata: b\n\n") == Events{{"", "", "a\nb"}});
}

TEST_CASE("a live line has no id even after a stored one") {
  EventParser parser;
  CHECK(parser.take("id: 1\ndata: a\n\nevent: step.progress\ndata: b\n\n") ==
        Events{{"1", "", "a"}, {"", "step.progress", "b"}});
}
