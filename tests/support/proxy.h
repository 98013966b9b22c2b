// A network between a client and a server, that can be made to fail: loopback on one side, the
// server's Unix socket on the other.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace runbookd::testing {

class Proxy {
 public:
  // Listens on a free port of 127.0.0.1 until it is destroyed.
  explicit Proxy(std::string server_socket);
  ~Proxy();
  Proxy(Proxy const&) = delete;
  Proxy& operator=(Proxy const&) = delete;

  int port() const;
  // Every connection ends at once, as when a machine on the way forgets it (RST). Gives how many.
  int reset();
  // Bytes wait, in both directions, on all connections and new ones, until it is false.
  void stall(bool stalled);
  // The connections of this moment lose their server, which sees them end; the client hears nothing
  // more of them, ever. New ones work. Gives how many.
  int half_open();
  // Every byte arrives later by so much.
  void delay(std::chrono::milliseconds by);
  // There is no server: every connection ends, and new ones wait until there is another.
  void away();
  void lead_to(std::string server_socket);
  // Bytes that went through, or had to wait, since the proxy began.
  long long moved() const;
  long long held() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace runbookd::testing
