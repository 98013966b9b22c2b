#include "web/wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include "planner/words.h"
#include "web/target.h"

namespace runbookd::web {

namespace http = boost::beast::http;
using boost::system::error_code;
using planner::Error;
using planner::ErrorCode;
using planner::lower;
using planner::Result;

namespace {

constexpr std::size_t read_size = 16 * 1024;

// Answers tell what is so now and are never to be kept, unless they say so, or guessed at.
constexpr std::string_view not_kept = "Cache-Control: no-store\r\n";
constexpr std::string_view not_guessed = "X-Content-Type-Options: nosniff\r\n";

bool says_how_long_it_is_kept(Response const& response) {
  return std::ranges::any_of(
      response.headers, [](Header const& header) { return lower(header.name) == "cache-control"; });
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Error too_large(std::string_view what, std::size_t limit) {
  return {.code = ErrorCode::too_large,
          .detail = "a request's " + std::string(what) + " may have at most " +
                    std::to_string(limit) + " bytes"};
}

// A value can carry text from outside; a line break in it would begin another header.
void add_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  std::copy_if(value.begin(), value.end(), std::back_inserter(out),
               [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
  out += "\r\n";
}

std::string head_of(Response const& response) {
  auto const reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  out += view(reason);
  out += "\r\n";
  out += says_how_long_it_is_kept(response) ? "" : not_kept;
  out += not_guessed;
  add_header(out, "Content-Type", response.content_type);
  for (auto const& header : response.headers) {
    add_header(out, header.name, header.value);
  }
  return out;
}

}  // namespace

struct RequestReader::State {
  State(std::size_t body, std::uint32_t header) : max_body(body), max_header(header) {}

  std::size_t max_body;
  std::uint32_t max_header;
  boost::beast::flat_buffer bytes;
  std::optional<http::request_parser<http::string_body>> parser;

  Error unreadable(error_code error) const {
    if (error == http::error::body_limit) {
      return too_large("body", max_body);
    }
    if (error == http::error::header_limit) {
      return too_large("head", max_header);
    }
    return {.code = ErrorCode::malformed,
            .detail = "this is not an HTTP/1.1 request: " + error.message()};
  }

  // Gives the parser what has arrived.
  Result<void> feed() {
    error_code error;
    if (bytes.size() > 0) {
      bytes.consume(parser->put(bytes.data(), error));
    }
    if (error && error != http::error::need_more) {
      return tl::unexpected(unreadable(error));
    }
    return {};
  }
};

RequestReader::RequestReader(std::size_t max_body, std::uint32_t max_header)
    : state_(std::make_unique<State>(max_body, max_header)) {}
RequestReader::~RequestReader() = default;

void RequestReader::begin() {
  state_->parser.emplace();
  state_->parser->header_limit(state_->max_header);
  state_->parser->body_limit(state_->max_body);
}

std::span<char> RequestReader::space() {
  auto const room = state_->bytes.prepare(read_size);
  return {static_cast<char*>(room.data()), room.size()};
}

void RequestReader::arrived(std::size_t count) { state_->bytes.commit(count); }

bool RequestReader::has_bytes() const { return state_->bytes.size() > 0; }

void RequestReader::forget_bytes() { state_->bytes.clear(); }

Result<bool> RequestReader::read_head() {
  auto fed = state_->feed();
  if (!fed) {
    return tl::unexpected(std::move(fed.error()));
  }
  return state_->parser->is_header_done();
}

Result<bool> RequestReader::read_body() {
  state_->parser->eager(true);
  while (!state_->parser->is_done() && has_bytes()) {
    if (auto fed = state_->feed(); !fed) {
      return tl::unexpected(std::move(fed.error()));
    }
  }
  return state_->parser->is_done();
}

Result<Request> RequestReader::head() const {
  auto const& message = state_->parser->get();
  auto request = read_target(view(message.method_string()), view(message.target()));
  if (!request) {
    return request;
  }
  for (auto const& field : message) {
    request->headers.push_back(
        {lower(view(field.name_string())), std::string(view(field.value()))});
  }
  return request;
}

std::string RequestReader::take_body() {
  return std::exchange(state_->parser->get().body(), std::string());
}

bool RequestReader::keeps_open() const { return state_->parser->keep_alive(); }

bool RequestReader::knows_chunks() const { return state_->parser->get().version() >= 11; }

std::string to_wire(Response const& response, Manner manner) {
  auto out = head_of(response);
  add_header(out, "Content-Length", std::to_string(response.body.size()));
  add_header(out, "Connection", manner.keep_open ? "keep-alive" : "close");
  out += "\r\n";
  if (!manner.without_body) {
    out += response.body;
  }
  return out;
}

std::string stream_head(Response const& response, bool in_chunks) {
  auto out = head_of(response);
  if (in_chunks) {
    add_header(out, "Transfer-Encoding", "chunked");
  }
  add_header(out, "Connection", "close");
  return out + "\r\n";
}

std::string chunk(std::string_view text) {
  std::array<char, 16> size{};
  auto const end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
  std::string out(size.data(), end);
  out += "\r\n";
  out += text;
  return out + "\r\n";
}

}  // namespace runbookd::web
