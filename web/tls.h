// Certificate and key of the TLS listeners, as they are now.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "planner/error.h"
#include "web/tls_files.h"

namespace runbookd::web {

class Tls {
 public:
  explicit Tls(TlsFiles files) : files_(std::move(files)) {}

  // From now on new connections get what the files hold now. On an error they go on getting what
  // they had.
  planner::Result<void> load();
  std::shared_ptr<boost::asio::ssl::context> context() const { return context_; }
  TlsFiles const& files() const { return files_; }

 private:
  TlsFiles files_;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace runbookd::web
