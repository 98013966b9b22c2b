#include "web/ctl/sse.h"

#include <utility>

namespace runbookd::ctl {

std::vector<ServerEvent> EventParser::take(std::string_view bytes) {
  pending_ += bytes;
  std::vector<ServerEvent> done;
  std::size_t from = 0;
  for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', from)) {
    std::string_view line(pending_.data() + from, end - from);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    take_line(line, done);
    from = end + 1;
  }
  pending_.erase(0, from);
  return done;
}

void EventParser::take_line(std::string_view line, std::vector<ServerEvent>& done) {
  if (line.empty()) {
    auto event = std::exchange(event_, {});
    if (std::exchange(has_data_, false)) {
      done.push_back(std::move(event));
    }
    return;
  }
  auto const colon = line.find(':');
  if (colon == 0) {
    return;  // a comment keeps the connection alive
  }
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  take_field(line.substr(0, colon), value);
}

void EventParser::take_field(std::string_view name, std::string_view value) {
  if (name == "id") {
    event_.id = value;
  } else if (name == "event") {
    event_.kind = value;
  } else if (name == "data") {
    event_.data.append(has_data_ ? "\n" : "").append(value);
    has_data_ = true;
  }
}

}  // namespace runbookd::ctl
