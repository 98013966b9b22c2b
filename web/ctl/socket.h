// A connected stream socket with deadlines, with TLS where the address says so: poll(2) before
// every call that could block.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "web/ctl/http_client.h"
#include "web/ctl/tls.h"

namespace runbookd::ctl {

using Deadline = std::chrono::steady_clock::time_point;

class Socket {
 public:
  static Transported<Socket> connect(Address const& address, Deadline deadline);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int descriptor() const { return descriptor_; }
  Transported<bool> send(std::string_view bytes, Deadline deadline);
  Transported<std::string> receive(Deadline deadline);    // empty = the other side is done
  Transported<std::optional<std::string>> receive_now();  // nothing = nothing there yet

 private:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Transported<bool> secure(Address const& address, Deadline deadline);
  Transported<bool> send_secured(std::string_view bytes, Deadline deadline);
  int descriptor_ = -1;
  std::unique_ptr<TlsLine> tls_;  // empty: plain
};

}  // namespace runbookd::ctl
