// The brake on all runs, as people are told of it.
#pragma once

#include <string>

#include "web/ctl/json.h"
#include "web/ctl/session.h"

namespace runbookd::ctl {

std::string hold_words(Json const& hold);
// A line where a hold stands; else nothing, also where the daemon knows no holds.
void tell_hold(Session& session);

}  // namespace runbookd::ctl
