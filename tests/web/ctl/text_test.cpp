#include "web/ctl/text.h"

#include <doctest/doctest.h>

using namespace runbookd::ctl;
using namespace std::chrono_literals;

TEST_CASE("control characters of a stranger never reach the terminal") {
  CHECK(clean("a\x1b[2Jb\x07") == "a?[2Jb?");
  CHECK(clean("line\nnext\tend") == "line next end");
  CHECK(clean("\xc2\x9b") == "?");  // the 8-bit form of ESC [
  CHECK(clean("a\xe2\x80\xae"
              "b") == "a?b");  // right-to-left override
}

TEST_CASE("broken UTF-8 is shown as a question mark") {
  CHECK(clean("a\xff"
              "b") == "a?b");
  CHECK(clean("a\xe2\x82") == "a??");
  CHECK(clean("\xc0\xaf") == "??");       // an overlong spelling
  CHECK(clean("\xed\xa0\x80") == "???");  // half of a surrogate pair
}

TEST_CASE("wide characters take two columns and combining marks none") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("e\xcc\x81") == 1);
  CHECK(display_width("→✔") == 2);
}

TEST_CASE("a text that is too long is cut with a mark") {
  CHECK(fit("abcdef", 6) == "abcdef");
  CHECK(fit("abcdefg", 6) == "abc...");
  CHECK(fit("日本語文", 5, "…") == "日本…");
  CHECK(fit("abcdef", 2) == "");
}

TEST_CASE("long sentences are broken at spaces") {
  CHECK(wrap("one two three", 7, 3) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("one two three four", 7, 2) == std::vector<std::string>{"one two", "thre..."});
  CHECK(wrap("", 7, 2).empty());
}

TEST_CASE("durations are spelled as people say them") {
  CHECK(short_duration(0ms) == "0 ms");
  CHECK(short_duration(812ms) == "0.8 s");
  CHECK(short_duration(9'960ms) == "10 s");
  CHECK(short_duration(59'700ms) == "1 min 00 s");
  CHECK(short_duration(130s) == "2 min 10 s");
  CHECK(short_duration(65min) == "1 h 05 min");
  CHECK(short_duration(100h) == "4 d 04 h");
  CHECK(short_duration(-5ms) == "0 s");
}

TEST_CASE("large counts are shortened") {
  CHECK(short_count(950) == "950");
  CHECK(short_count(9'999) == "9999");
  CHECK(short_count(12'400) == "12.4 k");
  CHECK(short_count(999'960) == "1.0 M");
  CHECK(short_count(41'200'000) == "41.2 M");
  CHECK(short_rate(3.25) == "3.2");
}

TEST_CASE("counted words know their plural") {
  CHECK(plural(1, "step") == "1 step");
  CHECK(plural(0, "step") == "0 steps");
  CHECK(plural(2, "try") == "2 tries");
}

TEST_CASE("times are shown in the reader's zone") {
  auto const moment = *runbookd::planner::parse_rfc3339("2026-01-31T23:12:07.000Z");
  CHECK(clock_time(moment, 0ms) == "23:12:07");
  CHECK(date_and_time(moment, 1h) == "2026-02-01 00:12:07");
  CHECK(short_clock(moment, -90min) == "21:42");
}

TEST_CASE("a shell gets back exactly the word that was quoted") {
  CHECK(shell_quote("plain-word_1.txt") == "plain-word_1.txt");
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("two words") == "'two words'");
  CHECK(shell_quote("it's") == "'it'\\''s'");
  CHECK(shell_quote("$(rm)") == "'$(rm)'");
}

TEST_CASE("names are encoded for paths and queries") {
  CHECK(percent_encode("a-b_c.d~") == "a-b_c.d~");
  CHECK(percent_encode("a/b c?&é") == "a%2Fb%20c%3F%26%C3%A9");
}

TEST_CASE("a mistyped word finds its neighbour and a strange one none") {
  CHECK(nearest("strat", {"start", "status", "skip"}) == "start");
  CHECK(nearest("xyzzy", {"start", "status"}).empty());
}
