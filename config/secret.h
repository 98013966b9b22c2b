// A text that must not get into a log, an error or an answer: it can be handed on, not printed.
#pragma once

#include <iosfwd>
#include <string>
#include <utility>

namespace runbookd::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  // Called "reveal" so that every place where it becomes readable can be found.
  std::string const& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend std::ostream& operator<<(std::ostream&, Secret const&) = delete;

 private:
  std::string text_;
};

}  // namespace runbookd::config
