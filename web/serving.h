// What all connections of one server share. Inside web/ only; used on the I/O thread only.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "web/server.h"
#include "web/stream_count.h"
#include "web/tls.h"

namespace runbookd::web {

class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  virtual void finish() = 0;  // end as soon as no answer is under way
  virtual void drop() = 0;    // end now; the service is not called again
  // Since when it has nothing to do; empty while it has.
  virtual std::optional<std::chrono::steady_clock::time_point> idle_since() const = 0;
};

struct Serving {
  Serving(RunService& the_service, ServerOptions the_options)
      : service(the_service), options(std::move(the_options)) {}

  RunService& service;
  ServerOptions const options;
  Tls tls{{.certificate = options.certificate, .key = options.key}};
  bool stopping = false;
  bool cut = false;  // the server is gone, and whom its callbacks told may be too
  StreamCount streams;
  int waits = 0;  // answers that wait for a run
  std::set<OpenConnection*> open;
  std::function<void()> on_closed;  // a connection has made room

  // Clients that hold connections they do not use must not keep somebody out who wants to pause a
  // run.
  void end_the_longest_idle() const;

  void tell(AccessLine const& line) const {
    if (options.on_request && !cut) {
      options.on_request(line);
    }
  }
  void tell_trouble(std::string const& what) const {
    if (options.on_trouble && !cut) {
      options.on_trouble(what);
    }
  }
};

}  // namespace runbookd::web
