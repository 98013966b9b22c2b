// Bytes to requests, and responses to bytes. Every answer is one flat string, so that sending is
// one write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "planner/error.h"
#include "web/http.h"

namespace runbookd::web {

// Reads one request after another out of what a connection brings, within limits. What comes before
// its turn is kept.
class RequestReader {
 public:
  RequestReader(std::size_t max_body, std::uint32_t max_header);
  ~RequestReader();

  void begin();  // the next request
  // Where the next bytes belong, and how many came.
  std::span<char> space();
  void arrived(std::size_t count);
  bool has_bytes() const;
  void forget_bytes();

  // Read as far as the bytes go; false: more are needed.
  planner::Result<bool> read_head();
  planner::Result<bool> read_body();

  planner::Result<Request> head() const;
  std::string take_body();
  bool keeps_open() const;  // the client wants to send another request
  bool knows_chunks() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Manner {
  bool without_body = false;  // HEAD: everything but the body
  bool keep_open = true;      // the connection takes another request
};
std::string to_wire(Response const& response, Manner manner);

// A stream has no length; HTTP/1.1 clients get it in chunks and so can tell its end from a cut.
std::string stream_head(Response const& response, bool in_chunks);
std::string chunk(std::string_view text);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";
inline constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace runbookd::web
