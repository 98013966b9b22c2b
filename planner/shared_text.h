// An unchanging text whose copies share it: for texts that stand many times in a value that is
// copied often.
#pragma once

#include <compare>
#include <memory>
#include <ostream>
#include <string>

namespace runbookd::planner {

class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text)  // NOLINT(google-explicit-constructor): it stands for the text
      : text_(text.empty() ? nullptr : std::make_shared<std::string const>(std::move(text))) {}

  bool empty() const { return !text_; }
  void clear() { text_.reset(); }
  std::string const& text() const {
    static std::string const none;
    return text_ ? *text_ : none;
  }

  friend bool operator==(SharedText const& a, SharedText const& b) {
    return a.text_ == b.text_ || a.text() == b.text();
  }
  friend std::strong_ordering operator<=>(SharedText const& a, SharedText const& b) {
    return a.text_ == b.text_ ? std::strong_ordering::equal : a.text() <=> b.text();
  }
  friend std::ostream& operator<<(std::ostream& out, SharedText const& text) {
    return out << text.text();
  }

 private:
  std::shared_ptr<std::string const> text_;  // none = empty
};

}  // namespace runbookd::planner
