#include "web/recorded.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "planner/access.h"
#include "planner/digest.h"
#include "web/audit.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

namespace {

constexpr std::size_t longest_key = 255;

std::string_view suffix_of(std::string_view method) {
  if (method == "POST") {
    return ".create";
  }
  if (method == "PUT" || method == "PATCH") {
    return ".set";
  }
  return method == "DELETE" ? ".delete" : "";
}

std::string source_of(Peer const& peer) {
  return peer.user ? "unix user " + std::to_string(peer.user->id) : peer.address;
}

std::string part_or_nothing(Request const& request, std::string_view name) {
  auto const found = std::ranges::find(request.path, name, &Parameter::name);
  return found == request.path.end() ? "" : found->value;
}

std::string header_or_nothing(Request const& request, std::string_view name) {
  return std::string(request.header(name).value_or(""));
}

std::string kind_of(Request const& request) {
  bool const reads = request.method == "GET" || request.method == "HEAD";
  return reads ? "read" : "request";
}

Asked asked_of(Request const& request, Recorded const& what) {
  auto const& caller = request.caller;
  Asked asked{.kind = kind_of(request),
              .action = action_of(request.method, what.pattern),
              .actor = read_actor(request).value_or(caller.principal.name),
              .roles = planner::to_text(caller.principal.grants),
              .auth = std::string(to_text(caller.by)),
              .token = caller.token,
              .source = source_of(request.peer),
              .agent = header_or_nothing(request, "user-agent"),
              .proven = caller.principal.proven,
              .method = request.method,
              .path = request.target.substr(0, request.target.find('?')),
              .run = part_or_nothing(request, "run"),
              .stops = what.stops};
  if (media_type(request) == "application/json") {
    auto const word = [&](std::string_view key) { return top_level_text(request.body, key); };
    asked.phase = word(asked.action == "advance" ? "to_phase" : "phase");
    asked.step = word(asked.action == "rollback" ? "to" : "step");
    asked.reason = word("reason");
    asked.ticket = word("ticket");
  }
  if (auto const expected = read_if_match(request)) {
    asked.saw = *expected;
  }
  return asked;
}

// The draft has the key in quotes; it is taken with and without.
Result<std::string> read_key(Request const& request) {
  auto const value = request.header("idempotency-key");
  auto text = std::string(value.value_or(""));
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  bool const plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (text.empty() || text.size() > longest_key || !plain) {
    return tl::unexpected(
        Error{.code = ErrorCode::malformed,
              .detail = "Idempotency-Key is one header with 1 to 255 visible ASCII characters and "
                        "no blank in it",
              .next = "send a fresh random one for each new request, such as a UUID"});
  }
  return text;
}

// Each field with its size in front, so that none can run into the next.
std::string hash_of(std::initializer_list<std::string_view> fields) {
  std::string text;
  for (auto const field : fields) {
    text += std::to_string(field.size()) + ':';
    text += field;
  }
  return planner::sha256_hex(text);
}

Result<std::optional<Keyed>> keyed(Request const& request, std::string const& actor) {
  bool const changes = request.method != "GET" && request.method != "HEAD";
  if (!changes || request.count("idempotency-key") == 0) {
    return std::optional<Keyed>{};
  }
  return read_key(request).map([&](std::string const& key) {
    auto const path = request.target.substr(0, request.target.find('?'));
    return std::optional(
        Keyed{.scope = hash_of({actor, request.caller.principal.name, request.method, path, key}),
              .fingerprint =
                  hash_of({request.body, request.target, header_or_nothing(request, "if-match"),
                           header_or_nothing(request, "content-type")}),
              .key = planner::sha256_hex(key)});
  });
}

// Ends the entry with the answer; where that had to be recorded first and was not, nothing goes
// out.
Response ended(Recording& recording, Response response) {
  if (auto const kept = recording.end(response); !kept) {
    response = problem(kept.error());
  }
  response.headers.push_back({"Runbook-Request", recording.id()});
  return response;
}

Response ended_later(std::shared_ptr<Recording> recording, Response response) {
  response.later = [recording = std::move(recording),
                    later = std::move(response.later)](std::function<void(Response)> tell) {
    later([recording, tell = std::move(tell)](Response answer) {
      tell(ended(*recording, std::move(answer)));
    });
  };
  return response;
}

}  // namespace

std::string action_of(std::string_view method, std::string_view pattern) {
  constexpr std::string_view head = "/api/v1/", of_run = "runs/{run}/";
  if (pattern.starts_with(head)) {
    pattern.remove_prefix(head.size());
  }
  if (method == "POST" && pattern.starts_with(of_run)) {
    pattern.remove_prefix(of_run.size());
    if (pattern.find('/') == std::string_view::npos) {
      return std::string(pattern);
    }
  }
  std::string action;
  for (std::size_t at = 0; at < pattern.size();) {
    auto const end = std::min(pattern.find('/', at), pattern.size());
    auto const piece = pattern.substr(at, end - at);
    if (!piece.starts_with('{')) {
      action += (action.empty() ? "" : ".") + std::string(piece);
    }
    at = end + 1;
  }
  return action + std::string(suffix_of(method));
}

Response recorded(Request const& request, Recorded const& what, RunService& service,
                  std::function<Response()> const& judge) {
  auto const asked = asked_of(request, what);
  auto const key = what.admitted ? keyed(request, asked.actor) : std::optional<Keyed>{};
  auto const before = key && *key ? service.audit().answered(**key) : std::optional<Response>{};
  std::shared_ptr<Recording> const recording =
      service.audit().begin(asked, key && before && !*before ? *key : std::optional<Keyed>{});
  if (!key || !before) {
    return ended(*recording, problem(key ? before.error() : key.error()));
  }
  if (*before) {
    auto again = **before;
    again.headers.push_back({"Idempotency-Replayed", "true"});
    return ended(*recording, std::move(again));
  }
  auto response = judge();
  recording->leave();
  return response.later ? ended_later(recording, std::move(response))
                        : ended(*recording, std::move(response));
}

}  // namespace runbookd::web
