#include "web/target.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < 3) {
    return std::nullopt;
  }
  int const high = hex_value(text[1]);
  int const low = hex_value(text[2]);
  if (high < 0 || low < 0) {
    return std::nullopt;
  }
  return static_cast<char>(high * 16 + low);
}

// `plus` is what '+' stands for: itself in a path, a space in a query.
std::optional<std::string> decoded(std::string_view text, char plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? plus : text[i];
      continue;
    }
    auto const byte = escaped_byte(text.substr(i));
    if (!byte) {
      return std::nullopt;
    }
    out += *byte;
    i += 2;
  }
  if (!is_plain_text(out)) {
    return std::nullopt;
  }
  return out;
}

Error bad_target(std::string_view part) {
  std::string shown;
  std::copy_if(part.begin(), part.end(), std::back_inserter(shown),
               [](char c) { return c > ' ' && c < 0x7f; });
  return {.code = ErrorCode::malformed,
          .detail = "the request target has a part that is no decodable UTF-8 text: \"" +
                    shown.substr(0, 100) + "\"",
          .next = "write other bytes as %XX of their UTF-8 form"};
}

// Splits at `mark`; "" gives one empty piece.
std::vector<std::string_view> pieces(std::string_view text, char mark) {
  std::vector<std::string_view> out;
  for (;;) {
    auto const end = text.find(mark);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(end + 1);
  }
}

Result<std::vector<std::string>> read_path(std::string_view path) {
  std::vector<std::string> segments;
  if (path == "/") {
    return segments;
  }
  for (auto const piece : pieces(path.substr(1), '/')) {
    auto segment = decoded(piece, '+');
    if (!segment) {
      return tl::unexpected(bad_target(piece));
    }
    segments.push_back(std::move(*segment));
  }
  return segments;
}

Result<Parameters> read_query(std::string_view query) {
  Parameters out;
  for (auto const piece : pieces(query, '&')) {
    if (piece.empty()) {
      continue;
    }
    auto const equals = piece.find('=');
    auto name = decoded(piece.substr(0, equals), ' ');
    auto value =
        equals == std::string_view::npos ? std::string() : decoded(piece.substr(equals + 1), ' ');
    if (!name || !value) {
      return tl::unexpected(bad_target(piece));
    }
    out.push_back({std::move(*name), std::move(*value)});
  }
  return out;
}

// How many bytes follow a UTF-8 lead byte; -1 for a byte that cannot lead.
int followers(unsigned char lead) {
  if (lead < 0x80) {
    return 0;
  }
  if (lead >= 0xc2 && lead < 0xe0) {
    return 1;
  }
  if (lead >= 0xe0 && lead < 0xf0) {
    return 2;
  }
  return lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
}

// Overlong forms, surrogates and what lies past U+10FFFF show in the second byte.
bool is_possible_second(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second < 0xa0;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second < 0x90;
    default:
      return true;
  }
}

}  // namespace

bool is_plain_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const lead = static_cast<unsigned char>(text[i]);
    int const more = followers(lead);
    if (lead < 0x20 || lead == 0x7f || more < 0 ||
        i + static_cast<std::size_t>(more) >= text.size()) {
      return false;
    }
    for (int k = 1; k <= more; ++k) {
      auto const byte = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      if ((byte & 0xc0) != 0x80 || (k == 1 && !is_possible_second(lead, byte))) {
        return false;
      }
    }
    i += static_cast<std::size_t>(more);
  }
  return true;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (auto const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    auto const ascii_word = byte < 0x80 && std::isalnum(byte) != 0;
    if (ascii_word || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

Result<Request> read_target(std::string_view method, std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return tl::unexpected(bad_target(target));
  }
  auto const question = target.find('?');
  auto const query = question == std::string_view::npos ? "" : target.substr(question + 1);
  auto segments = read_path(target.substr(0, question));
  if (!segments) {
    return tl::unexpected(segments.error());
  }
  auto parameters = read_query(query);
  if (!parameters) {
    return tl::unexpected(parameters.error());
  }
  return Request{.method = std::string(method),
                 .target = std::string(target),
                 .segments = std::move(*segments),
                 .query = std::move(*parameters)};
}

}  // namespace runbookd::web
