// Server-sent events from bytes as they arrive.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runbookd::ctl {

struct ServerEvent {
  std::string id;  // empty: live only, never replayed
  std::string kind;
  std::string data;
  bool operator==(ServerEvent const&) const = default;
};

class EventParser {
 public:
  // The events that these bytes complete.
  std::vector<ServerEvent> take(std::string_view bytes);

 private:
  void take_line(std::string_view line, std::vector<ServerEvent>& done);
  void take_field(std::string_view name, std::string_view value);
  std::string pending_;
  ServerEvent event_;
  bool has_data_ = false;
};

}  // namespace runbookd::ctl
