// The only file that reads with Beast. A request goes through: head, admission, body, router, one
// write.
#include "web/connection.h"

#include <array>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netdb.h>
#include <sys/socket.h>

#include "web/admission.h"
#include "web/conditional.h"
#include "web/deadline.h"
#include "web/event_stream.h"
#include "web/gatekeeper.h"
#include "web/problem.h"
#include "web/router.h"
#include "web/waiting.h"
#include "web/wire.h"

namespace runbookd::web {

namespace asio = boost::asio;
using boost::system::error_code;
using planner::Error;
using planner::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// How long an answer that refuses a body half sent waits for the client to read it.
constexpr std::chrono::milliseconds farewell{2'000};

// Who is at the other end, as the system tells.
Peer peer_of(Channel& channel, bool unix_socket) {
  Peer peer{.secure = channel.is_secure()};
  auto const handle = channel.socket().native_handle();
  if (unix_socket) {
    ucred user{};
    socklen_t size = sizeof user;
    if (getsockopt(handle, SOL_SOCKET, SO_PEERCRED, &user, &size) == 0) {
      peer.user = Peer::User{.id = user.uid, .group = user.gid};
    }
    return peer;
  }
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  std::array<char, NI_MAXHOST> text{};
  if (getpeername(handle, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
      getnameinfo(reinterpret_cast<sockaddr*>(&name), size, text.data(), text.size(), nullptr, 0,
                  NI_NUMERICHOST) == 0) {
    peer.address = text.data();
  }
  return peer;
}

// Whichever way it ends, nobody is left with a pointer to it.
template <typename T>
class Held {
 public:
  Held(T*& place, T* it) : place_(place) { place_ = it; }
  ~Held() { place_ = nullptr; }
  Held(Held const&) = delete;
  Held& operator=(Held const&) = delete;

 private:
  T*& place_;
};

class Counted {
 public:
  explicit Counted(int& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(Counted const&) = delete;
  Counted& operator=(Counted const&) = delete;

 private:
  int& count_;
};

class Connection final : public OpenConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Channel channel, bool unix_socket, std::shared_ptr<Serving> serving)
      : channel_(std::move(channel)),
        unix_socket_(unix_socket),
        serving_(std::move(serving)),
        peer_(peer_of(channel_, unix_socket)),
        reader_(serving_->options.max_body, serving_->options.max_header),
        deadline_(channel_.get_executor(), [this] { close(); }) {
    serving_->open.insert(this);
  }
  ~Connection() override {
    serving_->open.erase(this);
    if (serving_->on_closed) {
      serving_->on_closed();
    }
  }

  asio::awaitable<void> run(std::shared_ptr<Connection> self);

  void finish() override {
    if (stream_ != nullptr) {
      stream_->stop();
    } else if (patient_ != nullptr) {
      patient_->hurry();
    } else if (waiting_) {
      close();
    }
  }
  void drop() override {
    dropped_ = true;
    if (stream_ != nullptr) {
      stream_->stop();
    }
    if (patient_ != nullptr) {
      patient_->stop();
    }
    if (awaited_ != nullptr) {
      awaited_->cancel();
    }
    close();
  }
  std::optional<SteadyClock::time_point> idle_since() const override {
    return waiting_ ? std::optional(began_) : std::nullopt;
  }

 private:
  enum class Heard { all, refused, nothing };

  asio::awaitable<bool> answer_next();
  asio::awaitable<Heard> read_head();
  asio::awaitable<Heard> read_body();
  asio::awaitable<bool> read_more();
  asio::awaitable<bool> answer();
  asio::awaitable<Response> awaited(Response response);
  asio::awaitable<Response> settled(Response response);
  asio::awaitable<bool> refuse(Error error);
  std::optional<Error> too_many_streams() const;
  asio::awaitable<bool> send(std::string bytes);
  asio::awaitable<void> stream(Response response);
  asio::awaitable<void> send_parts(Response response);
  asio::awaitable<void> linger();
  void begin();
  bool admit();
  void identify();
  void watch_for_hang_up();
  void note(int status);
  void close();

  Timeouts const& timeouts() const { return serving_->options.timeouts; }

  Channel channel_;
  bool unix_socket_;
  std::shared_ptr<Serving> serving_;
  Peer peer_;
  RequestReader reader_;
  Deadline deadline_;
  std::optional<Error> refusal_;
  Request request_;
  std::string_view route_;
  SteadyClock::time_point began_;
  std::size_t sent_ = 0;
  EventStream* stream_ = nullptr;
  WaitingAnswer* patient_ = nullptr;
  asio::steady_timer* awaited_ = nullptr;  // the end of our patience for an answer of others
  std::array<char, 256> unread_{};
  bool waiting_ = true;  // for a request's first byte
  bool dropped_ = false;
};

void Connection::close() {
  channel_.close();
  deadline_.lift();
}

void Connection::note(int status) {
  auto const took = SteadyClock::now() - began_;
  serving_->tell({.method = request_.method,
                  .target = request_.target,
                  .actor = read_actor(request_).value_or(""),
                  .route = route_,
                  .streamed = stream_ != nullptr,
                  .status = status,
                  .bytes_sent = sent_,
                  .took = std::chrono::duration_cast<std::chrono::microseconds>(took)});
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  // a handshake that does not end is a head that does not end
  deadline_.set(timeouts().header);
  auto const error = co_await channel_.greet();
  bool more = !error;
  while (more && !self->serving_->stopping) {
    more = co_await answer_next();
  }
  close();
}

// One request and its answer; false when the connection is done.
asio::awaitable<bool> Connection::answer_next() {
  begin();
  auto heard = co_await read_head();
  if (heard == Heard::all) {
    heard = co_await read_body();
  }
  bool more = false;
  if (heard == Heard::all) {
    more = co_await answer();
  } else if (heard == Heard::refused) {
    more = co_await refuse(std::move(*refusal_));
  }
  co_return more;
}

void Connection::begin() {
  reader_.begin();
  refusal_.reset();
  request_ = {};
  route_ = {};
  sent_ = 0;
  waiting_ = !reader_.has_bytes();
  deadline_.set(waiting_ ? timeouts().idle : timeouts().header);
  began_ = SteadyClock::now();
}

asio::awaitable<bool> Connection::read_more() {
  auto const space = reader_.space();
  auto const buffer = asio::buffer(space.data(), space.size());
  auto const moved = co_await channel_.read_some(buffer);
  reader_.arrived(moved.size);
  if (!moved.error && waiting_) {
    waiting_ = false;
    began_ = SteadyClock::now();
    deadline_.set(timeouts().header);
  }
  co_return !moved.error && !dropped_;
}

asio::awaitable<Connection::Heard> Connection::read_head() {
  for (;;) {
    auto complete = reader_.read_head();
    if (!complete) {
      refusal_ = std::move(complete.error());
      co_return Heard::refused;
    }
    if (*complete) {
      co_return admit() ? Heard::all : Heard::refused;
    }
    bool const arrived = co_await read_more();
    if (!arrived) {
      co_return Heard::nothing;
    }
  }
}

void Connection::identify() {
  request_.peer = peer_;
  request_.caller = serving_->service.gate().identify(request_, peer_);
}

bool Connection::admit() {
  auto request = reader_.head();
  if (!request) {
    refusal_ = std::move(request.error());
    return false;
  }
  request_ = std::move(*request);
  refusal_ = refusal(request_, {unix_socket_, serving_->options.allowed_hosts});
  if (refusal_) {
    return false;
  }
  identify();
  if (request_.count("content-length") > 0) {
    refusal_ = refusal_before_body(request_);
  }
  return !refusal_;
}

asio::awaitable<Connection::Heard> Connection::read_body() {
  bool const invited = expects_continue(request_) && !reader_.has_bytes();
  if (invited) {
    std::string words(go_on);
    co_await send(std::move(words));
  }
  deadline_.set(timeouts().body);
  for (;;) {
    auto complete = reader_.read_body();
    if (!complete) {
      refusal_ = std::move(complete.error());
      co_return Heard::refused;
    }
    if (*complete) {
      request_.body = reader_.take_body();
      co_return Heard::all;
    }
    bool const arrived = co_await read_more();
    if (!arrived) {
      co_return Heard::nothing;
    }
  }
}

asio::awaitable<bool> Connection::answer() {
  auto response = respond(request_, serving_->service);
  route_ = response.route;
  if (response.later) {
    response = co_await awaited(std::move(response));
  }
  bool const waited = response.wait != nullptr;
  if (waited) {
    response = co_await settled(std::move(response));
  }
  bool const streams = response.follow.has_value() && request_.method != "HEAD";
  auto too_many = streams ? too_many_streams() : std::nullopt;
  if (too_many) {
    response = problem(*too_many);
  } else if (streams) {
    co_await stream(std::move(response));
    co_return false;
  }
  if (response.parts && request_.method != "HEAD") {
    co_await send_parts(std::move(response));
    co_return false;
  }
  if (peer_.secure) {
    response.headers.push_back({"Strict-Transport-Security", "max-age=31536000"});
  }
  if (request_.caller.by == Caller::By::local) {
    response.headers.push_back({"Runbook-Identity", "local"});
  }
  Manner manner;
  manner.without_body = request_.method == "HEAD";
  // while it waited we read what came, to see whether anybody is still there
  manner.keep_open = reader_.keeps_open() && !serving_->stopping && !waited;
  auto bytes = to_wire(response, manner);
  bool const sent = co_await send(std::move(bytes));
  note(response.status);
  co_return manner.keep_open ? sent : false;
}

std::optional<Error> Connection::too_many_streams() const {
  int const max_streams = serving_->options.max_streams;
  int const max_of_one = serving_->options.max_streams_of_one;
  Error error{.next = "close some, or read pages: the same path with Accept: application/json"};
  error.retry_after = static_cast<int>(
      std::chrono::duration_cast<std::chrono::seconds>(timeouts().comment).count());
  if (serving_->streams.all() >= max_streams) {
    error.code = ErrorCode::draining;
    error.detail = std::to_string(max_streams) + " event streams are open, as many as there may be";
    return error;
  }
  if (serving_->streams.of(request_.caller) >= max_of_one) {
    error.code = ErrorCode::rate_limited;
    error.detail = "this token has " + std::to_string(max_of_one) + " event streams open already";
    return error;
  }
  return std::nullopt;
}

// Whoever is to answer keeps the place where the answer goes, not us: it may come when we are gone.
asio::awaitable<Response> Connection::awaited(Response response) {
  struct Place {
    explicit Place(asio::any_io_executor const& executor) : wake(executor) {}
    asio::steady_timer wake;
    std::optional<Response> answer;
  };
  auto const place = std::make_shared<Place>(channel_.get_executor());
  place->wake.expires_after(timeouts().later);
  auto const told = [place](Response answer) {
    place->answer = std::move(answer);
    place->wake.cancel();
  };
  deadline_.lift();
  response.later(told);
  if (!place->answer) {
    awaited_ = &place->wake;
    co_await place->wake.async_wait(as_result);
    awaited_ = nullptr;
  }
  if (!place->answer) {
    Error error{.code = ErrorCode::target_unreachable};
    error.detail = "the target has not answered in time";
    co_return problem(error);
  }
  co_return std::move(*place->answer);
}

// The rest of the request is not read, so the connection cannot go on.
asio::awaitable<bool> Connection::refuse(Error error) {
  auto const response = problem(error);
  Manner manner;
  manner.without_body = request_.method == "HEAD";
  manner.keep_open = false;
  auto bytes = to_wire(response, manner);
  bool const sent = co_await send(std::move(bytes));
  note(response.status);
  if (sent) {
    co_await linger();
  }
  co_return false;
}

asio::awaitable<bool> Connection::send(std::string bytes) {
  deadline_.set(timeouts().write);
  auto const moved = co_await channel_.write(asio::buffer(bytes));
  sent_ += moved.size;
  deadline_.lift();
  co_return !moved.error && !dropped_;
}

// Closing with unread bytes resets the connection, and the client might lose the answer with it.
asio::awaitable<void> Connection::linger() {
  channel_.end_sending();
  deadline_.set(farewell);
  bool more = true;
  while (more) {
    reader_.forget_bytes();
    more = co_await read_more();
  }
}

// Without this, a client that went away is noticed only at the next write.
void Connection::watch_for_hang_up() {
  channel_.read_beside(asio::buffer(unread_), [self = shared_from_this()](error_code error) {
    if (!error) {
      self->watch_for_hang_up();
    } else if (self->stream_ != nullptr) {
      self->stream_->stop();
    } else if (self->patient_ != nullptr) {
      self->patient_->stop();
    }
  });
}

asio::awaitable<Response> Connection::settled(Response response) {
  if (serving_->waits >= serving_->options.max_waits) {
    Error error{.code = ErrorCode::draining, .detail = "too many requests wait for runs already"};
    error.next = "send it without waiting, and look at the run again";
    co_return problem(error);
  }
  WaitingAnswer waiting(channel_.get_executor(), serving_->service, std::move(*response.wait));
  Held const patient(patient_, &waiting);
  Counted const place(serving_->waits);
  deadline_.lift();
  watch_for_hang_up();
  auto answer = co_await waiting.answer();
  if (!answer) {
    dropped_ = true;  // nobody is there to be told
    co_return Response{};
  }
  // a token that was revoked meanwhile is told nothing
  identify();
  if (!still_admitted(request_, serving_->service)) {
    Error error{.code = ErrorCode::unauthenticated};
    error.detail = "what was shown at the beginning of the wait is not valid any more";
    co_return problem(error);
  }
  co_return std::move(*answer);
}

asio::awaitable<void> Connection::stream(Response response) {
  bool const in_chunks = reader_.knows_chunks();
  EventStream events(channel_.get_executor(), serving_->service, std::move(*response.follow),
                     timeouts().comment);
  Held const streaming(stream_, &events);
  auto const place = serving_->streams.open(request_.caller);
  auto head = stream_head(response, in_chunks);
  bool sent = co_await send(std::move(head));
  watch_for_hang_up();
  while (sent) {
    auto text = co_await events.next();
    // a token that was revoked meanwhile ends the stream, at its next word
    identify();
    if (text.empty() || !still_admitted(request_, serving_->service)) {
      break;
    }
    auto bytes = in_chunks ? chunk(text) : std::move(text);
    sent = co_await send(std::move(bytes));
  }
  if (sent && in_chunks && events.complete()) {
    std::string end(last_chunk);
    co_await send(std::move(end));
  }
  note(response.status);
}

// An end that is missing tells the client that something went wrong on the way.
asio::awaitable<void> Connection::send_parts(Response response) {
  bool const in_chunks = reader_.knows_chunks();
  auto head = stream_head(response, in_chunks);
  bool sent = co_await send(std::move(head));
  while (sent && !serving_->cut) {
    auto const part = response.parts();
    if (!part || part->empty()) {
      sent = sent && part.has_value();
      break;
    }
    auto bytes = in_chunks ? chunk(*part) : *part;
    sent = co_await send(std::move(bytes));
  }
  if (sent && in_chunks) {
    std::string end(last_chunk);
    co_await send(std::move(end));
  }
  note(response.status);
}

}  // namespace

void converse(Channel channel, bool unix_socket, std::shared_ptr<Serving> serving) {
  auto const executor = channel.get_executor();
  auto connection =
      std::make_shared<Connection>(std::move(channel), unix_socket, std::move(serving));
  // What is thrown here is a broken invariant of the service: it belongs to whoever runs the
  // io_context.
  asio::co_spawn(executor, connection->run(connection), [](std::exception_ptr thrown) {
    if (thrown) {
      std::rethrow_exception(thrown);
    }
  });
}

}  // namespace runbookd::web
