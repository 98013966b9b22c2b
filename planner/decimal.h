// Numbers as the server prints them, compared by value without rounding: a bigint or a numeric does
// not fit into a double. Private to planner/.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace runbookd::planner {

class Decimal {
 public:
  // "-12", "1.50", "3e-7"; nothing for anything else, such as "NaN" or "12 MB".
  static std::optional<Decimal> parse(std::string_view text);

  std::strong_ordering operator<=>(Decimal const& other) const;
  bool operator==(Decimal const& other) const { return (*this <=> other) == 0; }
  Decimal abs() const;
  Decimal operator-(Decimal const& other) const;
  Decimal operator*(Decimal const& other) const;
  std::string to_text() const;

 private:
  Decimal(bool negative, std::string digits, std::size_t scale);
  std::string widened(std::size_t scale) const;  // digits as if there were `scale` places

  bool negative_ = false;
  std::string digits_;     // no zeros in front; empty = 0
  std::size_t scale_ = 0;  // how many of them stand after the point
};

}  // namespace runbookd::planner
