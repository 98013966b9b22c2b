#include "web/accept.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace runbookd::web {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// Takes the text up to `mark` off the front.
std::string_view next_piece(std::string_view& text, char mark) {
  auto const piece = text.substr(0, text.find(mark));
  text.remove_prefix(std::min(text.size(), piece.size() + 1));
  return trimmed(piece);
}

// "0.8" -> 800; anything unreadable counts as wanted.
int weight_of(std::string_view text) {
  int weight = text.starts_with('0') ? 0 : 1000;
  int unit = 100;
  for (auto const c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c >= '0' && c <= '9') {
      weight = std::min(1000, weight + (c - '0') * unit);
    }
    unit /= 10;
  }
  return weight;
}

struct Wish {
  std::string type;
  int weight = 1000;
};

Wish read_wish(std::string_view text) {
  Wish wish{.type = std::string(next_piece(text, ';'))};
  std::transform(wish.type.begin(), wish.type.end(), wish.type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  while (!text.empty()) {
    auto const parameter = next_piece(text, ';');
    if (parameter.starts_with("q=")) {
      wish.weight = weight_of(parameter.substr(2));
    }
  }
  return wish;
}

// How well a range names the type: 0 not at all, 3 by its full name.
int closeness(std::string_view range, std::string_view type) {
  if (range == type) {
    return 3;
  }
  if (range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1))) {
    return 2;
  }
  return range == "*/*" ? 1 : 0;
}

struct Match {
  int weight = 0;
  int closeness = 0;
};

Match match(std::string_view accept, std::string_view type) {
  Match best;
  while (!accept.empty()) {
    auto const wish = read_wish(next_piece(accept, ','));
    auto const close = closeness(wish.type, type);
    if (close > best.closeness) {
      best = {wish.weight, close};
    }
  }
  return best;
}

std::string joined_accept(Request const& request) {
  std::string out;
  for (auto const& header : request.headers) {
    if (header.name == "accept") {
      out += (out.empty() ? "" : ",") + header.value;
    }
  }
  return out;
}

}  // namespace

Form wanted_form(Request const& request) {
  auto const accept = joined_accept(request);
  if (accept.empty()) {
    return Form::json;
  }
  auto const json = match(accept, "application/json");
  auto const stream = match(accept, "text/event-stream");
  if (json.weight == 0 && stream.weight == 0) {
    return Form::none;
  }
  if (json.weight != stream.weight) {
    return json.weight > stream.weight ? Form::json : Form::event_stream;
  }
  return stream.closeness > json.closeness ? Form::event_stream : Form::json;
}

}  // namespace runbookd::web
