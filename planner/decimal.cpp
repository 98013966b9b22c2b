#include "planner/decimal.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace runbookd::planner {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits off the front of `text`.
std::string take_digits(std::string_view& text) {
  auto const end = std::ranges::find_if_not(text, is_digit);
  std::string digits(text.begin(), end);
  text.remove_prefix(digits.size());
  return digits;
}

bool take(std::string_view& text, char wanted) {
  bool const there = !text.empty() && text.front() == wanted;
  text.remove_prefix(there ? 1 : 0);
  return there;
}

// What follows an "e". Doubles end at 308; more than that is no number of ours.
std::optional<int> read_exponent(std::string_view text) {
  take(text, '+');
  int value = 0;
  auto const end = text.data() + text.size();
  auto const [read, error] = std::from_chars(text.data(), end, value);
  bool const good = error == std::errc() && read == end && value >= -400 && value <= 400;
  return good ? std::optional(value) : std::nullopt;
}

// Both without zeros in front.
std::strong_ordering compare(std::string const& left, std::string const& right) {
  auto const by_size = left.size() <=> right.size();
  return by_size != 0 ? by_size : left.compare(right) <=> 0;
}

std::string add(std::string const& left, std::string const& right) {
  std::string sum;
  int carry = 0;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()) || carry != 0; ++i) {
    carry += i < left.size() ? left[left.size() - 1 - i] - '0' : 0;
    carry += i < right.size() ? right[right.size() - 1 - i] - '0' : 0;
    sum.push_back(static_cast<char>('0' + carry % 10));
    carry /= 10;
  }
  return {sum.rbegin(), sum.rend()};
}

// left >= right
std::string subtract(std::string const& left, std::string const& right) {
  std::string rest;
  int borrow = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    int digit = left[left.size() - 1 - i] - '0' - borrow;
    digit -= i < right.size() ? right[right.size() - 1 - i] - '0' : 0;
    borrow = digit < 0 ? 1 : 0;
    rest.push_back(static_cast<char>('0' + digit + 10 * borrow));
  }
  return {rest.rbegin(), rest.rend()};
}

std::string multiply(std::string const& left, std::string const& right) {
  std::string product;
  for (char const digit : right) {
    product.push_back('0');
    for (char times = '0'; times < digit; ++times) {
      product = add(product, left);
    }
  }
  return product;
}

}  // namespace

Decimal::Decimal(bool negative, std::string digits, std::size_t scale) : scale_(scale) {
  digits_ = digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
  negative_ = negative && !digits_.empty();
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
  bool const negative = take(text, '-');
  if (!negative) {
    take(text, '+');
  }
  auto digits = take_digits(text);
  auto const fraction = take(text, '.') ? take_digits(text) : std::string();
  digits += fraction;
  if (digits.empty()) {
    return std::nullopt;
  }
  int exponent = 0;
  if (take(text, 'e') || take(text, 'E')) {
    auto const read = read_exponent(text);
    if (!read) {
      return std::nullopt;
    }
    exponent = *read;
    text = {};
  }
  if (!text.empty()) {
    return std::nullopt;
  }
  auto const scale = static_cast<int>(fraction.size()) - exponent;
  digits.append(static_cast<std::size_t>(std::max(0, -scale)), '0');
  return Decimal(negative, std::move(digits), static_cast<std::size_t>(std::max(0, scale)));
}

std::string Decimal::widened(std::size_t scale) const {
  return digits_.empty() ? digits_ : digits_ + std::string(scale - scale_, '0');
}

std::strong_ordering Decimal::operator<=>(Decimal const& other) const {
  if (negative_ != other.negative_) {
    return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  auto const scale = std::max(scale_, other.scale_);
  auto const size = compare(widened(scale), other.widened(scale));
  return negative_ ? 0 <=> size : size;
}

Decimal Decimal::abs() const { return {false, digits_, scale_}; }

Decimal Decimal::operator-(Decimal const& other) const {
  auto const scale = std::max(scale_, other.scale_);
  auto const left = widened(scale), right = other.widened(scale);
  if (negative_ != other.negative_) {
    return {negative_, add(left, right), scale};
  }
  return compare(left, right) >= 0 ? Decimal(negative_, subtract(left, right), scale)
                                   : Decimal(!negative_, subtract(right, left), scale);
}

Decimal Decimal::operator*(Decimal const& other) const {
  return {negative_ != other.negative_, multiply(digits_, other.digits_), scale_ + other.scale_};
}

std::string Decimal::to_text() const {
  auto digits = digits_;
  if (digits.size() <= scale_) {
    digits.insert(0, scale_ + 1 - digits.size(), '0');
  }
  if (scale_ > 0) {
    digits.insert(digits.size() - scale_, ".");
  }
  return (negative_ ? "-" : "") + digits;
}

}  // namespace runbookd::planner
