#include "web/http.h"

#include <algorithm>
#include <stdexcept>

namespace runbookd::web {

int Request::count(std::string_view lower_case_name) const {
  auto const same = [&](Header const& header) { return header.name == lower_case_name; };
  return static_cast<int>(std::count_if(headers.begin(), headers.end(), same));
}

std::optional<std::string_view> Request::header(std::string_view lower_case_name) const {
  if (count(lower_case_name) != 1) {
    return std::nullopt;
  }
  auto const same = [&](Header const& header) { return header.name == lower_case_name; };
  return std::find_if(headers.begin(), headers.end(), same)->value;
}

std::string const& Request::part(std::string_view name) const {
  for (auto const& parameter : path) {
    if (parameter.name == name) {
      return parameter.value;
    }
  }
  throw std::logic_error("no part of this route's path is called " + std::string(name));
}

}  // namespace runbookd::web
