// The HTTP side of the daemon: listens, answers, streams. All of it runs on the thread that runs
// the io_context; the service is called from there only. web/ writes no log: it tells callbacks.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "planner/error.h"
#include "web/service.h"

namespace boost::asio {
class io_context;
}

namespace runbookd::web {

// One finished exchange, for the access log and metrics. Of a stream, when it is over.
struct AccessLine {
  std::string method, target, actor;
  std::string_view route;  // its pattern; empty: nothing is at that path, or nobody looked
  bool streamed = false;
  int status = 0;
  std::size_t bytes_sent = 0;
  std::chrono::microseconds took{};
};

struct Timeouts {
  std::chrono::milliseconds idle{60'000};  // between requests
  std::chrono::milliseconds spare{
      1'000};  // idle for so long, it is closed if another waits for its place
  std::chrono::milliseconds header{10'000};   // from a request's first byte to the end of its head
  std::chrono::milliseconds body{30'000};     // from there to the end of its body
  std::chrono::milliseconds write{30'000};    // for one answer, or one batch of a stream
  std::chrono::milliseconds later{20'000};    // for a target's answer that is passed on
  std::chrono::milliseconds comment{15'000};  // a stream with nothing to say says so this often
};

struct ServerOptions {
  std::vector<std::string> listen;         // "127.0.0.1:8090", "[::1]:0",
                                           // "unix:/run/runbookd/runbookd.sock", "tls:0.0.0.0:8443"
  std::vector<std::string> allowed_hosts;  // Host headers beside those of this machine's loopback
  // Other users of this machine may connect to the Unix socket; the gatekeeper knows them.
  bool socket_for_everybody = false;
  std::string certificate, key;  // files, for addresses that begin with tls:
  std::size_t max_body = 8 * 1024 * 1024;
  std::uint32_t max_header = 64 * 1024;
  std::size_t max_connections = 512;  // more wait in the system's queue
  int max_streams = 256;
  int max_streams_of_one = 8;  // of one token, or one user of this machine
  int max_waits = 64;          // answers that wait for a run
  Timeouts timeouts;
  std::function<void(AccessLine const&)> on_request;
  std::function<void(std::string const&)>
      on_trouble;  // such as: no file descriptors left to accept with
};

class Server {
 public:
  // Both must outlive the server; the server must be destroyed before the service.
  Server(boost::asio::io_context& io, RunService& service, ServerOptions options);
  // Cuts every connection that is still open.
  ~Server();
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  // The addresses as bound (port 0 is filled in). Nothing listens if one of them fails.
  planner::Result<std::vector<std::string>> listen();

  // New connections get what the files of certificate and key hold now; if that cannot be used,
  // what they had.
  planner::Result<void> reload_tls();

  // Takes no new connections, ends streams and idle connections, lets answers that are under way go
  // out. Keep running the io_context until idle(), or destroy the server to cut the rest.
  void stop();
  bool idle() const;
  int streams() const;  // that are open

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace runbookd::web
