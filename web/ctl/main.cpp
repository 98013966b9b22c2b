#include <exception>
#include <iostream>
#include <string_view>

#include "web/ctl/app.h"
#include "web/ctl/version.h"

int main(int count, char** words) {
  if (count == 2 && std::string_view(words[1]) == "--version") {
    std::cout << "runbookctl " << runbookd::ctl::version << '\n';
    return 0;
  }
  try {
    auto world = runbookd::ctl::real_surroundings();
    return runbookd::ctl::run({words + 1, words + count}, world);
  } catch (std::exception const& error) {
    std::cerr << "runbookctl: unexpected: " << error.what() << '\n';
    return 1;
  }
}
