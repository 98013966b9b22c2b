// How a run's snapshot is answered after a verb, or after the run was made. The same whether it
// goes out at once or is kept for whoever asks again.
#pragma once

#include "web/http.h"
#include "web/service.h"

namespace runbookd::web {

Response snapshot(Document document, int status);
// In the state that the document names by `key` something goes on.
bool is_working(Document const& run, std::string_view key);
// 202 while something goes on after the answer, for which a client may want to wait.
Response after_verb(Document document);
Response created_run(Document document);

}  // namespace runbookd::web
