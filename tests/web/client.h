// A plain blocking HTTP client on a real socket. It sends exactly the bytes that a test wants.
// Every wait has an end, so that a defect fails a test and does not hang it; no test depends on how
// long that is.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace runbookd::web::test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class Client {
 public:
  // "127.0.0.1:4711", "[::1]:4711" or "unix:/path". `receive_buffer`: bytes, 0 = the system's
  // choice.
  explicit Client(std::string const& address, int receive_buffer = 0);
  ~Client();
  Client(Client&& other) noexcept;
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  void send(std::string_view bytes);
  // As much as the peer takes before it closes or resets; true if all went.
  bool try_send(std::string_view bytes);
  void end_sending();

  Answer read_answer(bool with_body = true);
  Answer read_head() { return read_answer(false); }
  // Up to and with `mark`; whatever came when the connection ends before it.
  std::string read_until(std::string_view mark);
  std::string read_to_end();
  bool reads_end();  // nothing but the end is left

  Answer get(std::string const& target);
  Answer post(std::string const& target, std::string const& body,
              std::string const& more_headers = "");

 private:
  bool fill();

  int socket_ = -1;
  std::string pending_;
};

// Request lines with a Host, as a usual client sends them.
std::string get_request(std::string const& target, std::string const& more_headers = "");
std::string post_request(std::string const& target, std::string const& body,
                         std::string const& more_headers = "Content-Type: application/json\r\n");

}  // namespace runbookd::web::test
