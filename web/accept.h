// Which of its two forms a client wants a run's events in.
#pragma once

#include "web/http.h"

namespace runbookd::web {

enum class Form { json, event_stream, none };

// No Accept header means JSON; where both would do, the one with the higher weight, then the stream
// only if it is named itself.
Form wanted_form(Request const& request);

}  // namespace runbookd::web
