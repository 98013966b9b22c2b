// runbookd_manual EXAMPLE FOLDER: writes the manual pages and completion scripts there.
#include <fstream>
#include <iostream>
#include <iterator>

#include "daemon/manual.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: runbookd_manual EXAMPLE FOLDER\n";
    return 2;
  }
  std::ifstream example(argv[1]);
  std::string const text{std::istreambuf_iterator<char>(example), {}};
  if (!example || text.empty()) {
    std::cerr << "runbookd_manual: cannot read " << argv[1] << '\n';
    return 1;
  }
  for (auto const& [name, content] : runbookd::daemon::manual_files(text)) {
    std::ofstream file(std::string(argv[2]) + "/" + name);
    file << content;
    if (!file.flush()) {
      std::cerr << "runbookd_manual: cannot write " << argv[2] << '/' << name << '\n';
      return 1;
    }
  }
  return 0;
}
