// The API's contract as an OpenAPI 3.1 document. What people have to say stands in
// web/openapi/*.yaml, by topic; what the program knows is added here: what each route asks of its
// caller, the parameters of its path, the answers to what is wrong, with every problem that there
// is.
//
// In those files an object's members are all required but for those that `all_but` lists, `like`
// takes over the members of another schema, and `events` has one schema for each kind of event.
#pragma once

#include <string>

namespace runbookd::web {

std::string const& openapi_document();

}  // namespace runbookd::web
