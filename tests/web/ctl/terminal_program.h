// The real program on a terminal of its own (a pseudo-terminal), as a person has it.
#pragma once

#include <string>
#include <vector>

#include <termios.h>

namespace runbookd::ctl::tests {

class TerminalProgram {
 public:
  // runbookctl with these words, 100 columns by 30 rows, in UTF-8.
  explicit TerminalProgram(std::vector<std::string> const& words);
  ~TerminalProgram();
  TerminalProgram(TerminalProgram const&) = delete;
  TerminalProgram& operator=(TerminalProgram const&) = delete;

  // Reads until the text was shown; false when the program ended, or nothing like it came in half a
  // minute.
  bool shows(std::string const& text);
  void type(std::string const& keys) const;
  int exit_code();  // reads to the end; 128 + n for a signal
  std::string const& output() const { return output_; }
  bool echoes() const;  // whether the terminal is in its ordinary mode

 private:
  bool read_some();
  int terminal_ = -1;
  int slave_ = -1;  // kept open, so that the modes can be asked for after the program has ended
  int process_ = -1;
  std::string output_;
};

}  // namespace runbookd::ctl::tests
