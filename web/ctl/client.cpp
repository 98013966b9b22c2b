#include "web/ctl/client.h"

#include <nlohmann/json.hpp>

#include "web/ctl/credentials.h"
#include "web/ctl/curl.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

bool may_have_been_taken(HttpRequest const& request, TransportFailure const& failure) {
  return request.method != "GET" && failure.kind != TransportFailure::Kind::refused;
}

Failure unclear(HttpRequest const& request, Failure failure) {
  failure.why += "; whether the daemon took the request is not known";
  auto const run = request.target.find("/runs/run_");
  failure.next = run == std::string::npos
                     ? "runbookctl status"
                     : "runbookctl status " + request.target.substr(run + 6, 16);
  return failure;
}

std::string with_query(std::string const& target, std::string const& name,
                       std::string const& value) {
  auto const separator = target.find('?') == std::string::npos ? '?' : '&';
  return target + separator + name + '=' + percent_encode(value);
}

}  // namespace

std::string run_path(std::string const& run) { return "/api/v1/runs/" + percent_encode(run); }

Failure unreachable(Address const& address, TransportFailure const& failure,
                    std::string const& what) {
  auto const where = to_text(address);
  auto const start =
      "systemctl start runbookd, or name the daemon's address with --addr or RUNBOOKCTL_ADDR";
  if (failure.kind == TransportFailure::Kind::refused) {
    return {Exit::unreachable, what, "no daemon answers at " + where + ": " + failure.why, start,
            ""};
  }
  if (failure.kind == TransportFailure::Kind::distrusted) {
    return {
        Exit::unreachable, what, "no safe line to " + where + ": " + failure.why,
        address.ca_file.empty()
            ? "--ca-file FILE, with the certificate of the authority that signed the daemon's; or "
              "openssl s_client -connect " +
                  address.host_header() + " to see what it shows"
            : "openssl s_client -CAfile " + shell_quote(address.ca_file) + " -connect " +
                  address.host_header() + " to see what it shows",
        ""};
  }
  return {Exit::unreachable, what, "the daemon at " + where + " did not answer: " + failure.why,
          "runbookctl version --addr " + shell_quote(where), ""};
}

void Client::tell(HttpRequest const& request) const {
  if (settings_.curl != nullptr) {
    *settings_.curl << curl_command(settings_.address, request, settings_.token_file) << '\n';
  }
}

Maybe<HttpRequest> Client::with_token(HttpRequest request) {
  if (token_.empty() && !settings_.token_file.empty()) {
    auto token = token_in(settings_.token_file);
    if (!token) {
      return tl::unexpected(token.error());
    }
    token_ = *std::move(token);
  }
  if (!token_.empty() && !keeps_secrets(settings_.address)) {
    return fail(Exit::usage, "a token for " + to_text(settings_.address),
                "everybody on the way could read it: the connection is not encrypted",
                "the daemon's https:// address, or a tunnel to its loopback address");
  }
  if (!token_.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + token_);
  }
  return request;
}

Maybe<Answer> Client::send(HttpRequest plain, std::string const& what) {
  tell(plain);
  auto const whole = with_token(std::move(plain));
  if (!whole) {
    return tl::unexpected(whole.error());
  }
  auto const& request = *whole;
  auto answer = exchange(settings_.address, request, settings_.patience);
  if (!answer) {
    auto failure = unreachable(settings_.address, answer.error(), what);
    return tl::unexpected(may_have_been_taken(request, answer.error())
                              ? unclear(request, std::move(failure))
                              : std::move(failure));
  }
  local_mode_ = answer->identity == "local";
  if (answer->status < 200 || answer->status > 299) {
    return tl::unexpected(failure_from_answer(answer->status, answer->body, what));
  }
  return Answer{answer->status, std::move(answer->body)};
}

Maybe<Answer> Client::get(std::string const& target, std::string const& what) {
  return send({.method = "GET", .target = target, .headers = {}, .body = ""}, what);
}

Maybe<Answer> Client::post(std::string const& target, std::string const& body,
                           std::string const& what, std::optional<std::int64_t> if_revision) {
  HttpRequest request{
      .method = "POST",
      .target = target,
      .headers = {{"Content-Type", "application/json"}, {"Runbook-Actor", settings_.actor}},
      .body = body};
  if (if_revision) {
    request.headers.emplace_back("If-Match", '"' + std::to_string(*if_revision) + '"');
  }
  return send(request, what);
}

Maybe<Answer> Client::remove(std::string const& target, std::string const& what) {
  return send({.method = "DELETE",
               .target = target,
               .headers = {{"Runbook-Actor", settings_.actor}},
               .body = ""},
              what);
}

Maybe<Answer> Client::post_plan(std::string const& target, std::string const& bundle,
                                std::string const& what) {
  return send({.method = "POST",
               .target = target,
               .headers = {{"Content-Type", "application/vnd.runbook.bundle+json"},
                           {"Runbook-Actor", settings_.actor}},
               .body = bundle},
              what);
}

Maybe<HttpStream> Client::open_events(std::string const& run, std::string const& after) {
  HttpRequest request{.method = "GET",
                      .target = run_path(run) + "/events",
                      .headers = {{"Accept", "text/event-stream"}},
                      .body = ""};
  if (!after.empty()) {
    request.headers.emplace_back("Last-Event-ID", after);
  }
  tell(request);
  auto const what = "events of " + run;
  auto const whole = with_token(std::move(request));
  if (!whole) {
    return tl::unexpected(whole.error());
  }
  auto stream = HttpStream::open(settings_.address, *whole, settings_.patience);
  if (!stream) {
    return tl::unexpected(unreachable(settings_.address, stream.error(), what));
  }
  if (stream->status() != 200) {
    auto const body = stream->read();
    return tl::unexpected(failure_from_answer(stream->status(), body.value_or(""), what));
  }
  return std::move(*stream);
}

Maybe<bool> Client::each_row(std::string const& target, char const* key, std::string const& what,
                             std::function<bool(Json const&)> const& each) {
  std::string cursor;
  do {
    auto const answer = get(cursor.empty() ? target : with_query(target, "cursor", cursor), what);
    if (!answer) {
      return tl::unexpected(answer.error());
    }
    auto const page = parse_json(answer->body);
    for (auto const& row : child(page, key)) {
      if (!each(row)) {
        return false;
      }
    }
    cursor = text_of(page, "next_cursor");
  } while (!cursor.empty());
  return true;
}

}  // namespace runbookd::ctl
