// The crash point that no line of ours lies on: a message has left for the server and its answer
// was not read. The server carries the message out, and nobody hears of it.
#pragma once

#include <string_view>

#include "daemon/target/session.h"
#include "store/crash_point.h"

namespace runbookd::daemon {

#ifdef RUNBOOKD_TEST_HOOKS
void crash_once_sent(store::CrashPoint point, Session const& session, std::string_view sql);
#else
inline void crash_once_sent(store::CrashPoint, Session const&, std::string_view) {}
#endif

}  // namespace runbookd::daemon
