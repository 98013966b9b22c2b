// The files of the TLS listeners, as far as an operator has to be told of them.
#pragma once

#include <string>

#include "planner/error.h"

namespace runbookd::web {

struct TlsFiles {
  std::string certificate;  // PEM, with the chain behind it
  std::string key;          // PEM
};

// Would a daemon be right to use them? They can be read and belong together, the certificate has
// not expired, and nobody else may read or write the key.
planner::Result<void> expect_good(TlsFiles const& files);

}  // namespace runbookd::web
