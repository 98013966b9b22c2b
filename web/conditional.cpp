#include "web/conditional.h"

#include <algorithm>
#include <charconv>

#include "planner/digest.h"
#include "web/body.h"
#include "web/target.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::EventSeq;
using planner::Result;

namespace {

constexpr int usual_page = 50;
constexpr int largest_page = 500;
constexpr std::int64_t longest_wait = 60;
constexpr std::size_t longest_actor = 128;

tl::unexpected<Error> malformed(std::string detail, std::string next = "") {
  return tl::unexpected(
      Error{.code = ErrorCode::malformed, .detail = std::move(detail), .next = std::move(next)});
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number out = 0;
  auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return out;
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"';
}

}  // namespace

Result<std::optional<EventSeq>> read_if_match(Request const& request) {
  if (request.count("if-match") == 0) {
    return std::nullopt;
  }
  auto const text = request.header("if-match").value_or("");
  auto const revision =
      is_quoted(text) ? number<EventSeq>(text.substr(1, text.size() - 2)) : std::nullopt;
  if (!revision || *revision < 0) {
    return malformed(
        "If-Match must be one revision in quotes, such as \"17\"; \"*\" and weak tags "
        "say nothing about the revision you saw",
        "send the ETag of the snapshot you acted on, or leave If-Match out");
  }
  return revision;
}

Header etag(EventSeq revision) { return {"ETag", '"' + std::to_string(revision) + '"'}; }

Response unchanging(Request const& request, std::string content_type, std::string_view body) {
  auto const tag = '"' + planner::sha256_hex(body).substr(0, 32) + '"';
  Response response{.content_type = std::move(content_type)};
  response.headers = {{"ETag", tag}, {"Cache-Control", "no-cache"}};
  if (request.header("if-none-match") == tag) {
    response.status = 304;
    return response;
  }
  response.body = std::string(body);
  return response;
}

Result<std::string> read_actor(Request const& request) {
  // a name that nobody proved would be read as one that somebody did
  if (request.caller.principal.proven) {
    return request.caller.principal.name;
  }
  return declared_actor(request);
}

Result<std::string> declared_actor(Request const& request) {
  if (request.count("runbook-actor") == 0) {
    return "local";
  }
  std::string actor(request.header("runbook-actor").value_or(""));
  if (actor.empty() || actor.size() > longest_actor || !is_plain_text(actor)) {
    return malformed("Runbook-Actor must stand once and be a name of 1 to " +
                     std::to_string(longest_actor) + " bytes of UTF-8 text");
  }
  return actor;
}

Result<void> check_query(Request const& request, std::initializer_list<std::string_view> names) {
  std::vector<std::string_view> seen;
  for (auto const& parameter : request.query) {
    if (std::find(names.begin(), names.end(), parameter.name) == names.end()) {
      std::string known;
      for (auto const name : names) {
        known += (known.empty() ? "" : ", ") + std::string(name);
      }
      return malformed("there is no query parameter \"" + parameter.name + "\" here; " +
                       (known.empty() ? "this path takes none" : "known are: " + known));
    }
    if (std::find(seen.begin(), seen.end(), parameter.name) != seen.end()) {
      return malformed("the query parameter \"" + parameter.name + "\" stands twice");
    }
    seen.push_back(parameter.name);
  }
  return {};
}

std::string query_text(Request const& request, std::string_view name) {
  for (auto const& parameter : request.query) {
    if (parameter.name == name) {
      return parameter.value;
    }
  }
  return {};
}

Result<std::optional<std::chrono::seconds>> read_patience(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  auto const seconds = number<std::int64_t>(text);
  if (!seconds || *seconds < 0) {
    return malformed("wait must be a whole number of seconds, not \"" + std::string(text) + '"');
  }
  return std::chrono::seconds(std::min(*seconds, longest_wait));
}

// Other preferences are passed over, as RFC 7240 has it.
std::string preferred_wait(Request const& request) {
  std::string_view text = request.header("prefer").value_or("");
  while (!text.empty()) {
    auto const end = std::min(text.find_first_of(",;"), text.size());
    auto word = text.substr(0, end);
    word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
    if (word.starts_with("wait=")) {
      word.remove_prefix(5);
      return std::string(word.substr(0, word.find(' ')));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<bool> read_flag(Request const& request, std::string_view name) {
  auto const text = query_text(request, name);
  if (!text.empty() && text != "true" && text != "false") {
    return malformed(std::string(name) + " must be true or false, not \"" + text + '"');
  }
  return text == "true";
}

Result<int> read_limit(Request const& request) {
  auto const text = query_text(request, "limit");
  if (text.empty()) {
    return usual_page;
  }
  auto const limit = number<std::int64_t>(text);
  if (!limit || *limit < 1) {
    return malformed("limit must be a whole number from 1, not \"" + text + "\"");
  }
  return static_cast<int>(std::min<std::int64_t>(*limit, largest_page));
}

Header link_to_next(Request const& request, std::string_view parameter, std::string_view value) {
  auto link = '<' + request.target.substr(0, request.target.find('?')) + '?';
  for (auto const& each : request.query) {
    if (each.name != parameter) {
      link += percent_encoded(each.name) + '=' + percent_encoded(each.value) + '&';
    }
  }
  return {"Link", link + std::string(parameter) + '=' + percent_encoded(value) + ">; rel=\"next\""};
}

Response with_next_page(Request const& request, std::string document) {
  auto const next = top_level_text(document, "next_cursor");
  Response response{.body = std::move(document)};
  if (!next.empty()) {
    response.headers.push_back(link_to_next(request, "cursor", next));
  }
  return response;
}

Result<EventSeq> read_seq(std::string_view text, std::string_view what) {
  auto const seq = number<EventSeq>(text);
  if (!seq || *seq < 0) {
    return malformed(std::string(what) + " must be an event's number or 0, not \"" +
                     std::string(text) + "\"");
  }
  return *seq;
}

Result<void> check_json_type(Request const& request) {
  if (request.body.empty() || media_type(request) == "application/json") {
    return {};
  }
  return tl::unexpected(Error{.code = ErrorCode::unsupported_type,
                              .detail = "the body of this request must be JSON and say so",
                              .next = "add the header Content-Type: application/json"});
}

std::string media_type(Request const& request) {
  std::string text(request.header("content-type").value_or(""));
  text = text.substr(0, text.find(';'));
  while (!text.empty() && text.back() == ' ') {
    text.pop_back();
  }
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace runbookd::web
