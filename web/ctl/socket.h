// A connected stream socket with deadlines: poll(2) before every system call that could block.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "web/ctl/http_client.h"

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
  int descriptor_ = -1;
};

}  // namespace runbookd::ctl
