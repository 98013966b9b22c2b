// The page behind an alert of deploy/prometheus/alerts.yml, for whoever is on call: how to stop it,
// how to see it, how to go on.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "web/http.h"

namespace runbookd::web {

struct AlertHelp {
  std::string_view name, meaning, stop, see, go_on;
};
std::span<AlertHelp const> alert_table();

// Nothing for an unknown name.
std::optional<Response> alert_page(std::string_view name);

}  // namespace runbookd::web
