#include "web/ctl/screen.h"

#include <sstream>

#include <doctest/doctest.h>

using namespace runbookd::ctl;

TEST_CASE("a picture that did not change is not drawn again") {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"a", "b"});
  auto const once = out.str();
  screen.draw({"a", "b"});
  CHECK(out.str() == once);
}

TEST_CASE("a changed picture goes over the old one") {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"a", "b"});
  out.str("");
  screen.draw({"c"});
  CHECK(out.str() == "\r\x1b[2Ac\x1b[K\n\x1b[J");
}

TEST_CASE("the cursor is hidden while it lives and shown afterwards") {
  std::ostringstream out;
  {
    Screen screen(out);
    screen.draw({"a"});
    CHECK(out.str().starts_with("\x1b[?25l"));
  }
  CHECK(out.str().ends_with("\x1b[?25h"));
}

TEST_CASE("a screen that drew nothing leaves the terminal alone") {
  std::ostringstream out;
  {
    Screen const screen(out);
  }
  CHECK(out.str().empty());
}

TEST_CASE("after the window changed its size the picture starts anew") {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"a"});
  out.str("");
  screen.start_over();
  screen.draw({"a"});
  CHECK(out.str().starts_with("\x1b[2J\x1b[H"));
}
