// The catalog query behind a fingerprint. Private to daemon/target.
#pragma once

#include <string>

namespace runbookd::daemon {

// One SELECT with one column: a line per object, sorted by bytes. To be run with search_path =
// pg_catalog, so that the server writes every name out in full.
std::string fingerprint_sql(int server_version);

}  // namespace runbookd::daemon
