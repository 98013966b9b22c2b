// HTTP/1.1 to the daemon, one connection per request, straight-line with deadlines. A stream stays
// open and is read when poll(2) says so, because the live view waits for keys and signals at the
// same time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "web/ctl/address.h"

namespace runbookd::ctl {

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // path and query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // sent when there is a content type among the headers
};

struct HttpAnswer {
  int status = 0;
  std::string etag;
  std::string location;
  std::string identity;  // "local": the daemon asks nobody for a token
  std::string body;
};

struct TransportFailure {
  enum class Kind { refused, timed_out, broken, distrusted } kind = Kind::broken;
  std::string why;
};
template <typename T>
using Transported = tl::expected<T, TransportFailure>;

using Patience = std::chrono::milliseconds;

Transported<HttpAnswer> exchange(Address const& address, HttpRequest const& request,
                                 Patience patience);

class HttpStream {
 public:
  // Returns when the head of the answer is there; for other statuses than 200 with the whole body.
  static Transported<HttpStream> open(Address const& address, HttpRequest const& request,
                                      Patience patience);
  HttpStream(HttpStream&&) noexcept;
  HttpStream& operator=(HttpStream&&) noexcept;
  ~HttpStream();

  int status() const;
  int descriptor() const;
  bool ended() const;  // the daemon said that there is no more
  // What has arrived by now; empty at once when nothing has. An error when the connection is gone.
  Transported<std::string> read();

 private:
  struct State;
  explicit HttpStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace runbookd::ctl
