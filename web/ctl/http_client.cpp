// The only user of Beast in the command line tool, and of its parser alone: header-only here, so
// that the program links none of Asio's machinery and starts fast.
#undef BOOST_ASIO_SEPARATE_COMPILATION
#undef BOOST_BEAST_SEPARATE_COMPILATION

#include "web/ctl/http_client.h"

#include <cerrno>
#include <cstring>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "web/ctl/socket.h"

namespace runbookd::ctl {

namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;
constexpr std::uint64_t largest_answer = 256U << 20U;

std::string to_wire(Address const& address, HttpRequest const& request, bool keep_open) {
  auto text = request.method + ' ' + request.target +
              " HTTP/1.1\r\nHost: " + address.host_header() + "\r\nUser-Agent: runbookctl\r\n";
  for (auto const& [name, value] : request.headers) {
    text += name + ": " + value + "\r\n";
  }
  if (!keep_open) {
    text += "Connection: close\r\n";
  }
  if (request.method != "GET") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

TransportFailure broken(std::string const& why) {
  return {TransportFailure::Kind::broken, "the connection broke: " + why};
}

// Bytes in, parsed answer out; keeps what the parser could not use yet.
class Reader {
 public:
  Reader() {
    parser_.eager(true);
    parser_.body_limit(largest_answer);
  }
  Transported<bool> take(std::string_view bytes) {
    pending_ += bytes;
    while (!pending_.empty() && !parser_.is_done()) {
      boost::system::error_code error;
      auto const used = parser_.put(boost::asio::buffer(pending_), error);
      pending_.erase(0, used);
      if (error == http::error::need_more || (!error && used == 0)) {
        break;
      }
      if (error) {
        return tl::unexpected(broken("this is not HTTP (" + error.message() + ")"));
      }
    }
    return true;
  }
  Transported<bool> end_of_input() {
    if (!parser_.got_some()) {
      return tl::unexpected(broken("the daemon hung up before it answered"));
    }
    boost::system::error_code error;
    parser_.put_eof(error);
    if (error) {
      return tl::unexpected(broken("the daemon hung up in the middle of an answer"));
    }
    return true;
  }
  void without_limit() { parser_.body_limit(boost::none); }
  bool done() const { return parser_.is_done(); }
  bool has_head() const { return parser_.is_header_done(); }
  int status() const { return static_cast<int>(parser_.get().result_int()); }
  std::string take_body() { return std::exchange(parser_.get().body(), std::string()); }
  HttpAnswer answer() {
    auto const& head = parser_.get();
    return {.status = status(),
            .etag = std::string(head[http::field::etag]),
            .location = std::string(head[http::field::location]),
            .identity = std::string(head["Runbook-Identity"]),
            .body = take_body()};
  }

 private:
  Parser parser_;
  std::string pending_;
};

// Reads until `enough` says so or the answer is complete.
template <typename Enough>
Transported<bool> read_until(Socket& socket, Reader& reader, Deadline deadline, Enough enough) {
  while (!reader.done() && !enough(reader)) {
    auto bytes = socket.receive(deadline);
    if (!bytes) {
      return tl::unexpected(bytes.error());
    }
    auto const taken = bytes->empty() ? reader.end_of_input() : reader.take(*bytes);
    if (!taken || bytes->empty()) {
      return taken;
    }
  }
  return true;
}

Transported<Socket> ask(Address const& address, std::string const& wire, Deadline deadline) {
  auto socket = Socket::connect(address, deadline);
  if (!socket) {
    return socket;
  }
  if (auto sent = socket->send(wire, deadline); !sent) {
    return tl::unexpected(sent.error());
  }
  return socket;
}

}  // namespace

Transported<HttpAnswer> exchange(Address const& address, HttpRequest const& request,
                                 Patience patience) {
  auto const deadline = std::chrono::steady_clock::now() + patience;
  auto socket = ask(address, to_wire(address, request, false), deadline);
  if (!socket) {
    return tl::unexpected(socket.error());
  }
  Reader reader;
  auto const complete = read_until(*socket, reader, deadline, [](Reader const&) { return false; });
  if (!complete) {
    return tl::unexpected(complete.error());
  }
  return reader.answer();
}

struct HttpStream::State {
  Transported<bool> take_what_is_there();
  explicit State(Socket connected) : socket(std::move(connected)) {}
  Socket socket;
  Reader reader;
  std::optional<TransportFailure> failure;  // told when all that came before it was read
};

HttpStream::HttpStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpStream::HttpStream(HttpStream&&) noexcept = default;
HttpStream& HttpStream::operator=(HttpStream&&) noexcept = default;
HttpStream::~HttpStream() = default;

Transported<HttpStream> HttpStream::open(Address const& address, HttpRequest const& request,
                                         Patience patience) {
  auto const deadline = std::chrono::steady_clock::now() + patience;
  auto socket = ask(address, to_wire(address, request, true), deadline);
  if (!socket) {
    return tl::unexpected(socket.error());
  }
  auto state = std::make_unique<State>(std::move(*socket));
  state->reader.without_limit();
  auto const head = read_until(state->socket, state->reader, deadline, [](Reader const& reader) {
    return reader.has_head() && reader.status() == 200;
  });
  if (!head) {
    return tl::unexpected(head.error());
  }
  return HttpStream(std::move(state));
}

int HttpStream::status() const { return state_->reader.status(); }
int HttpStream::descriptor() const { return state_->socket.descriptor(); }
bool HttpStream::ended() const { return state_->reader.done(); }

Transported<bool> HttpStream::State::take_what_is_there() {
  while (!reader.done()) {
    auto bytes = socket.receive_now();
    if (!bytes) {
      return tl::unexpected(bytes.error());
    }
    if (!*bytes) {
      break;
    }
    if (auto taken = (*bytes)->empty() ? reader.end_of_input() : reader.take(**bytes); !taken) {
      return taken;
    }
  }
  return true;
}

Transported<std::string> HttpStream::read() {
  if (!state_->failure) {
    if (auto const taken = state_->take_what_is_there(); !taken) {
      state_->failure = taken.error();
    }
  }
  auto text = state_->reader.take_body();
  if (text.empty() && state_->failure) {
    return tl::unexpected(*state_->failure);
  }
  return text;
}

}  // namespace runbookd::ctl
