// A live picture in a terminal: drawn in place, only when it changed.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace runbookd::ctl {

class Screen {
 public:
  explicit Screen(std::ostream& out) : out_(out) {}
  ~Screen();
  Screen(Screen const&) = delete;
  Screen& operator=(Screen const&) = delete;
  void draw(std::vector<std::string> const& lines);
  void start_over() {
    shown_.clear();
    fresh_ = true;
  }  // after the window has changed its size

 private:
  std::ostream& out_;
  std::vector<std::string> shown_;
  bool fresh_ = true;
  bool hidden_cursor_ = false;
};

}  // namespace runbookd::ctl
